"""Taking a partition over: fence the previous owner, and end its last transaction wherever the broker did not."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from streams.kafka.connection import client_arguments
from streams.kafka.coordinator import CoordinatorLink, join, producer_id
from streams.kafka.hanging import ask_end, find_hanging
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.settings import Settings

_TRANSACTION_TIMEOUT_MS = 20_000
_REQUEST_TIMEOUT_MS = 10_000
_CLOSE_TIMEOUT = 5.0  # seconds
_OUTPUTS = (COMMANDS, ACTIVITY, PROFILE_UPDATES, DEAD_LETTERS)

log = structlog.get_logger()


class Fencing:
    """The owners of one transactional id, one after another."""

    def __init__(
        self, settings: Settings, transactional_id: str, changelog: str, partition: int, *, everywhere: bool = False
    ) -> None:
        """`everywhere`: they write to all partitions of the changelog, not to this one alone."""
        self._settings = settings
        self._id = transactional_id
        self._partition = partition
        self._topics: dict[str, int | None]
        self._topics = dict.fromkeys((changelog, *_OUTPUTS), partition) | {INBOX: None}
        if everywhere:
            self._topics[changelog] = None
        self._was_committed = True  # if one fenced before and died at once, that is what is likelier

    async def start(self) -> AIOKafkaProducer:
        """Return a producer that has fenced all others and has no transaction open; raises KafkaError, OSError."""
        client = AIOKafkaClient(**client_arguments(self._settings), request_timeout_ms=_REQUEST_TIMEOUT_MS)
        try:
            await client.bootstrap()
            while (producer := await self._try(client)) is None:
                pass  # what was open is ended; who fences once more waits until that is written
            return producer
        finally:
            await client.close()

    async def _try(self, client: AIOKafkaClient) -> AIOKafkaProducer | None:
        """Fence all others; if their last transaction is open somewhere, end it there and return nothing."""
        ended = await ask_end(client, self._id)  # before: who fences leaves no word of it
        if ended is not None:
            self._was_committed = ended
        producer, is_ready = self._make_producer(), False
        try:
            await producer.start()
            CoordinatorLink(producer)
            open_ = await find_hanging(client, producer_id(producer), self._topics)
            if open_:
                await self._end(producer, open_)
            is_ready = not open_
        finally:
            if not is_ready:
                await stop(producer)
        self._was_committed = True
        return producer if is_ready else None

    def _make_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **client_arguments(self._settings),
            transactional_id=self._id,
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            linger_ms=0,
            retry_backoff_ms=5,  # a produce may meet the last transaction's end; the default is 100 ms
            request_timeout_ms=_REQUEST_TIMEOUT_MS,
        )

    async def _end(self, producer: AIOKafkaProducer, places: Sequence[TopicPartition]) -> None:
        """End what is open there as it was ended elsewhere: a transaction may take part in without a record."""
        log.warning(
            "The broker lost the end of partition %s's last transaction in %s, where it is %s now, as it is "
            "everywhere else; Kafka 4.3.0 to 4.4.0 lose it in a restart (KAFKA-20734).",
            self._partition,
            ", ".join(dict.fromkeys(f"'{place.topic}'" for place in places)),
            "committed" if self._was_committed else "aborted",
        )
        await producer.begin_transaction()
        join(producer, places)
        await (producer.commit_transaction() if self._was_committed else producer.abort_transaction())


async def stop(producer: AIOKafkaProducer) -> None:
    """Stop a producer; one that can't end in time is cut off, for the next owner fences it anyway."""
    with suppress(KafkaError, TimeoutError, OSError):
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await producer.stop()
    await producer.client.close()

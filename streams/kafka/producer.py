"""A partition's transactions: fence the previous owner, then commit all of a transaction or nothing."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerFenced,
    RecordListTooLargeError,
)
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from streams.failpoints import reach
from streams.kafka.batches import Batch, Batches
from streams.kafka.coordinator import BrokenLinkError
from streams.kafka.errors import FencedError, MigratedError, TooLargeError
from streams.kafka.fencing import Fencing, stop
from streams.kafka.inputs import read_input
from streams.kafka.limits import Limits
from streams.kafka.records import NO_HEADERS, Commit, Output
from streams.settings import Settings

COMMIT_TIMEOUT = 15.0  # seconds; below the transaction's own, so that the broker has not given up before us


class Producer(Protocol):
    """Commits a partition's transactions: of several, only the one that fenced last can."""

    async def fence(self) -> None:
        """Take the partition over; raises MigratedError."""

    def output(self, topic: str) -> Output:
        """Return what takes the records of one partition of a topic until they are committed."""

    async def commit(self, commit: Commit) -> int:
        """Commit all of it or nothing, and return the changelog's next offset; raises MigratedError."""

    async def close(self) -> None:
        """Let go of connections."""


class TransactionalProducer:
    """The transactions of one partition through aiokafka."""

    def __init__(
        self, settings: Settings, changelog: str, partition: int, limits: Limits, *, everywhere: bool = False
    ) -> None:
        """`everywhere`: `outputs` may hold rows for other partitions of the changelog, too."""
        self._group = settings.app_id
        self._limits = limits
        self._changelog = changelog
        self._partition = partition
        self._producer: AIOKafkaProducer | None = None
        id_ = f"{settings.app_id}-{partition}"
        self._fencing = Fencing(settings, id_, changelog, partition, everywhere=everywhere)

    async def fence(self) -> None:
        """Take the partition over: InitProducerId ends the previous owner's open transaction.

        Raises MigratedError.
        """
        await self.close()
        reach("fence.before")
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                self._producer = await self._fencing.start()
        except (KafkaError, TimeoutError, OSError) as error:
            raise MigratedError(f"no transactions: {error!r}") from error
        reach("fence.after")

    def output(self, topic: str) -> Batches:
        """Return batches of our own: the producer's `send` costs ten times as much."""
        return Batches(self._limits.limit(topic))

    async def commit(self, commit: Commit) -> int:
        """Send everything, make sure that every batch arrived, then commit; raises MigratedError."""
        producer = self._producer
        assert producer is not None, "A producer commits only after it fenced the others."
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                await producer.begin_transaction()
                offset = await self._send(producer, commit)
                reach("commit.before")
                await producer.commit_transaction()
                reach("commit.after")
                return offset
        except BrokenLinkError as error:
            raise MigratedError("its connection to the broker broke") from error
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise FencedError("another worker took it over") from error
        except (KafkaError, TimeoutError, OSError) as error:
            raise MigratedError(f"no commit: {error!r}") from error

    async def _send(self, producer: AIOKafkaProducer, commit: Commit) -> int:
        reach("send.before")
        changelog = self.output(self._changelog)
        for key, row in commit.rows.items():
            changelog.add(key, row, NO_HEADERS)
        jobs = [self._send_batches(producer, self._changelog, self._partition, changelog)]
        for (topic, partition), batches in commit.outputs.items():
            assert isinstance(batches, Batches), "A producer takes its own outputs."
            jobs.append(self._send_batches(producer, topic, partition, batches))
        _, offsets = await asyncio.gather(self._send_offsets(producer, commit.positions), asyncio.gather(*jobs))
        reach("send.after")
        changelog_offset: int = offsets[0]
        return changelog_offset

    async def _send_offsets(self, producer: AIOKafkaProducer, positions: Mapping[str, int]) -> None:
        if not positions:
            return  # nothing was read yet; aiokafka refuses to send none
        reach("offsets.before")
        offsets = {
            TopicPartition(*read_input(name, self._partition)): OffsetAndMetadata(offset, "")
            for name, offset in positions.items()
        }
        await producer.send_offsets_to_transaction(offsets, self._group)
        reach("offsets.after")

    async def _send_batches(self, producer: AIOKafkaProducer, topic: str, partition: int, batches: Batches) -> int:
        """Send batches, a future each; return the next offset."""
        whole = batches.finish()
        arrivals = [await self._send_batch(producer, batch, topic, partition) for batch in whole]
        # Without this look at each, a batch that failed would be missing from a transaction that commits.
        try:
            arrived = await asyncio.gather(*arrivals)
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            raise TooLargeError(topic) from error
        count = whole[-1].record_count()
        last: int = arrived[-1].offset
        return last + count

    async def _send_batch(
        self, producer: AIOKafkaProducer, batch: Batch, topic: str, partition: int
    ) -> asyncio.Future[RecordMetadata]:
        arrival: asyncio.Future[RecordMetadata] = await producer.send_batch(batch, topic, partition=partition)
        arrival.add_done_callback(_look)
        return arrival

    async def close(self) -> None:
        """Stop the producer; one that can't end in time is cut off, for the next owner fences it anyway."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop(producer)


def _look(arrival: asyncio.Future[Any]) -> None:
    """See the error of a batch that nobody awaits any more, because another failed first."""
    if not arrival.cancelled():
        arrival.exception()

"""A partition's transactions with the broker: fence the previous owner, read the changelog, commit."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.structs import OffsetAndMetadata, RecordMetadata

from streams.failpoints import reach
from streams.kafka.batches import Batch, Batches
from streams.kafka.coordinator import BrokenLinkError
from streams.kafka.fencing import Fencing, stop
from streams.kafka.records import NO_HEADERS, Commit, Output
from streams.kafka.topic_ids import topic_id

COMMIT_TIMEOUT = 15.0  # seconds; below the transaction's own, so that the broker has not given up before us
_PAGE_ROWS = 5000


class MigratedError(Exception):
    """The partition was taken over, or the outcome of a commit is unknown: open it anew or leave it."""


class FencedError(MigratedError):
    """Someone else took the partition over, so it is theirs, unless this worker is told otherwise."""


class UnreadError(FencedError):
    """The partition is this worker's, but the group does not read this topic of it any more, or not yet."""


class Page(NamedTuple):
    """Some rows of the changelog, the offset after them, and the offset at which it ends."""

    rows: Sequence[tuple[bytes, bytes | None]]
    offset: int
    end: int


class Ledger(Protocol):
    """Whoever fenced last is the only one who can commit."""

    async def fence(self) -> str:
        """Take the partition over, and return what tells its changelog from any other; raises LostError."""

    def read(self, offset: int) -> AsyncGenerator[Page, None]:
        """Yield the committed rows of the changelog from this offset to its end; raises LostError."""

    def output(self) -> Output:
        """Return what takes the records of one partition of a topic until they are committed."""

    async def commit(self, commit: Commit) -> int:
        """Commit all of it or nothing, and return the changelog's next offset; raises LostError."""

    async def close(self) -> None:
        """Let go of connections."""


class KafkaLedger:
    """The transactions of one partition through aiokafka."""

    def __init__(self, brokers: str, app_id: str, changelog: str, partition: int) -> None:
        self._brokers = brokers
        self._group = app_id
        self._changelog = changelog
        self._partition = partition
        self._producer: AIOKafkaProducer | None = None
        self._takeover = Fencing(brokers, f"{app_id}-{partition}", changelog, partition)

    async def fence(self) -> str:
        """Take the partition over: InitProducerId ends the previous owner's open transaction.

        Returns what tells the changelog from any other of its name; raises LostError.
        """
        await self.close()
        reach("fence.before")
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                self._producer = await self._takeover.start()
                identity = await topic_id(self._producer.client, self._changelog)
        except (KafkaError, TimeoutError, OSError) as error:
            raise MigratedError(f"no transactions: {error!r}") from error
        reach("fence.after")
        return identity

    async def read(self, offset: int) -> AsyncGenerator[Page, None]:
        """Yield the committed rows of the changelog from this offset to its end; raises LostError."""
        changelog = TopicPartition(self._changelog, self._partition)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._brokers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=4 * 1024 * 1024,
            request_timeout_ms=10_000,
            check_crcs=False,
        )
        try:
            await consumer.start()
            consumer.assign([changelog])
            end = (await consumer.end_offsets([changelog]))[changelog]
            yield Page((), offset, end)
            consumer.seek(changelog, offset)
            while (offset := await consumer.position(changelog)) < end:
                fetched = await consumer.getmany(changelog, timeout_ms=200, max_records=_PAGE_ROWS)
                rows = [(record.key, record.value) for record in fetched.get(changelog, ())]
                yield Page(rows, await consumer.position(changelog), end)
        except (KafkaError, TimeoutError, OSError) as error:
            raise MigratedError(f"no changelog: {error!r}") from error
        finally:
            await consumer.stop()

    def output(self) -> Batches:
        """Return batches of our own: the producer's `send` costs ten times as much."""
        return Batches()

    async def commit(self, commit: Commit) -> int:
        """Send everything, make sure that every batch arrived, then commit; raises LostError."""
        producer = self._producer
        assert producer is not None, "Fence first."
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
        changelog = self.output()
        for key, row in commit.rows.items():
            changelog.add(key, row, NO_HEADERS)
        jobs = [self._send_batches(producer, self._changelog, self._partition, changelog)]
        for (topic, partition), batches in commit.outputs.items():
            assert isinstance(batches, Batches), "A ledger takes its own output."
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
            TopicPartition(topic, self._partition): OffsetAndMetadata(offset, "")
            for topic, offset in positions.items()
        }
        await producer.send_offsets_to_transaction(offsets, self._group)
        reach("offsets.after")

    async def _send_batches(self, producer: AIOKafkaProducer, topic: str, partition: int, batches: Batches) -> int:
        """Send batches, a future each; return the next offset."""
        whole = batches.finish()
        arrivals = [await self._send_batch(producer, batch, topic, partition) for batch in whole]
        # Without this look at each, a batch that failed would be missing from a transaction that commits.
        arrived = await asyncio.gather(*arrivals)
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

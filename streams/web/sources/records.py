"""Single records of Kafka's topics, as they lie there, read by a consumer without a group."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError, UnknownTopicOrPartitionError

from streams.kafka.clients import patiently, stop
from streams.kafka.connection import client_arguments
from streams.kafka.topic_ids import describe_topics
from streams.settings import Settings

_PATIENCE = 10.0  # seconds, in which a question is answered or given up, so that others get their turn
_SOON = 1.0  # seconds, in which another broker is asked for the topics where one is away
_POLL_MS = 200
_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()
_FETCH_BYTES = 64 * 1024  # of a partition: one record is wanted, or a few small ones

Offsets = Mapping[TopicPartition, int]
T = TypeVar("T")


class Record(msgspec.Struct, frozen=True):
    """A record, as it came."""

    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class RecordReader:
    """Reads committed records by their offsets; connects at first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Let go of the connection."""
        if self._consumer is not None:
            await stop(self._consumer)
        self._consumer = None

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Lend the consumer to one who asks, others wait meanwhile; raises KafkaError, also after ten seconds."""
        try:
            async with asyncio.timeout(_PATIENCE), self._lock:
                yield await self._connect()
        except TimeoutError:
            raise KafkaTimeoutError from None

    async def _connect(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                **client_arguments(self._settings), enable_auto_commit=False, isolation_level="read_committed",
                fetch_max_wait_ms=50, max_partition_fetch_bytes=_FETCH_BYTES,
            )  # fmt: skip
            try:
                await consumer.start()
            except BaseException:
                await stop(consumer)
                raise
            self._consumer = consumer
        return self._consumer


async def offsets(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> tuple[Offsets, Offsets]:
    """Return the first offset that each partition keeps, and the one after its last; all of them must be there."""
    begins, ends = await asyncio.gather(consumer.beginning_offsets(places), consumer.end_offsets(places))
    return begins, ends


async def bounds(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> tuple[Offsets, Offsets]:
    """Return these offsets of partitions that may not be there.

    Raises UnknownTopicOrPartitionError where a topic is missing: aiokafka would look for it over and over.
    """
    topics = {place.topic for place in places}
    if missing := topics - {place.topic for place in await list_places(consumer, topics)}:
        raise UnknownTopicOrPartitionError(min(missing))
    return await offsets(consumer, places)


async def list_places(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> list[TopicPartition]:
    """Return all partitions of these topics that are there, as the broker counts them."""
    names = list(topics)
    found = await patiently(lambda: describe_topics(consumer._client, names), _SOON)
    return [TopicPartition(topic, number) for topic, one in found.items() for number in range(one.partitions)]


async def find_offsets(consumer: AIOKafkaConsumer, since: datetime, ends: Offsets) -> Offsets:
    """Return where each partition's records of a moment or later begin: at its end, if there are none."""
    moment = max(0, int(since.timestamp() * 1000))
    found = await consumer.offsets_for_times(dict.fromkeys(ends, moment))
    return {place: end if found.get(place) is None else found[place].offset for place, end in ends.items()}


async def read(consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets) -> list[Record]:
    """Return the committed records between these offsets."""
    return await read_as(consumer, starts, ends, lambda record: record)


async def read_as(
    consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets, make: Callable[[Record], T]
) -> list[T]:
    """Return what is made of each committed record between these offsets: no more than a fetch of them is held."""
    open_ = {place for place, start in starts.items() if start < ends[place]}
    consumer.assign(sorted(open_))
    for place in open_:
        consumer.seek(place, starts[place])
    found: list[T] = []
    while open_:
        for place, records in (await consumer.getmany(*open_, timeout_ms=_POLL_MS)).items():
            found += [make(read_record(record)) for record in records if record.offset < ends[place]]
        open_ = {place for place in open_ if await consumer.position(place) < ends[place]}
    return found


async def read_first(consumer: AIOKafkaConsumer, starts: Offsets) -> list[Record]:
    """Return the first record at or after each of these offsets that comes at once."""
    consumer.assign(sorted(starts))
    for place, start in starts.items():
        consumer.seek(place, start)
    looks = (consumer.getmany(place, timeout_ms=_POLL_MS, max_records=1) for place in starts)
    found = await asyncio.gather(*looks)
    return [read_record(record) for look in found for records in look.values() for record in records]


def read_record(record: Any) -> Record:
    """Return a record of aiokafka's."""
    at = _read_time(record.timestamp)
    return Record(record.partition, record.offset, at, record.key, record.value, tuple(record.headers))


def _read_time(milliseconds: int) -> datetime:
    """Return when a record was written, or the nearest moment that there is: its producer may say anything."""
    return datetime.fromtimestamp(min(max(milliseconds / 1000, 0), _LATEST), UTC)

"""What pages read from Kafka: topics and their lag, who has which partitions, dead letters; and their replay."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams.kafka.topics import ACTIVITY, DEAD_LETTERS, INBOX, Topics

PAGE = 50
_WINDOW, _WINDOWS = 200, 25  # offsets of each partition read at once, and how often for one page of dead letters
_PATIENCE_MS = 200
_FETCH_BYTES = 64 * 1024  # of a partition: one record is wanted, or a few small ones
_ASKED = 16  # partitions whose oldest waiting record is looked at


class Part(msgspec.Struct, frozen=True):
    """A partition of a topic: what it holds, and up to where it was handled (None: nobody ever read it)."""

    topic: str
    partition: int
    begin: int
    end: int
    done: int | None = None

    @property
    def lag(self) -> int | None:
        """Return how many records wait to be handled."""
        return None if self.done is None else max(0, self.end - max(self.done, self.begin))


class Member(msgspec.Struct, frozen=True):
    """A worker as the broker sees it, with the partitions of the inbox, and so of the table, that it has."""

    name: str
    host: str
    partitions: tuple[int, ...]


class Letter(msgspec.Struct, frozen=True):
    """A dead letter: the record that could not be used, as it came, and why."""

    partition: int
    offset: int
    at: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    def header(self, name: str) -> str:
        """Return one of the headers that say what was wrong; empty if it is missing."""
        return next((value.decode(errors="replace") for key, value in self.headers if key == f"dlq.{name}"), "")

    @property
    def original_headers(self) -> list[tuple[str, bytes]]:
        """Return the headers that its producer gave it."""
        return [(key, value) for key, value in self.headers if not key.startswith("dlq.")]


class Broker:
    """Reads from Kafka by one consumer without a group, one question at a time; connects at first use."""

    def __init__(self, brokers: str, app_id: str, topics: Topics) -> None:
        self.topics = topics
        self._brokers, self._app_id = brokers, app_id
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Let go of all connections."""
        if self._consumer is not None:
            await self._consumer.stop()
        if self._admin is not None:
            await self._admin.close()
        self._consumer = self._admin = None

    @asynccontextmanager
    async def _reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        async with self._lock:
            if self._consumer is None:
                consumer = AIOKafkaConsumer(
                    bootstrap_servers=self._brokers, enable_auto_commit=False, isolation_level="read_committed",
                    fetch_max_wait_ms=50, max_partition_fetch_bytes=_FETCH_BYTES,
                )  # fmt: skip
                await consumer.start()
                self._consumer = consumer
            yield self._consumer

    async def _client(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self._brokers)
            await admin.start()
            self._admin = admin
        return self._admin

    async def parts(self) -> list[Part]:
        """Return every partition of every topic of topics.yaml that exists."""
        wanted = [TopicPartition(t.name, n) for t in self.topics.all for n in range(t.partitions)]
        async with self._reader() as consumer:
            known = await consumer.topics()
            wanted = [place for place in wanted if place.topic in known]
            begins, ends = await asyncio.gather(consumer.beginning_offsets(wanted), consumer.end_offsets(wanted))
        done = await self._positions()
        read = {*self.topics.events, INBOX, ACTIVITY}
        return [
            Part(
                place.topic,
                place.partition,
                begins[place],
                ends[place],
                _position(done, place) if place.topic in read else None,
            )
            for place in wanted
        ]

    async def _positions(self) -> Mapping[TopicPartition, Any]:
        """Return up to where the workers have handled each partition; nothing before the first worker ever ran."""
        try:
            found: Mapping[TopicPartition, Any]
            found = await (await self._client()).list_consumer_group_offsets(self._app_id)
        except GroupCoordinatorNotAvailableError:
            return {}
        return found

    async def members(self) -> list[Member]:
        """Return the workers that share the partitions."""
        admin = await self._client()
        found = []
        for answer in await admin.describe_consumer_groups([self._app_id]):
            for _error, _group, _state, _kind, _protocol, members, *_ in answer.groups:
                found += [_read_member(member) for member in members]
        return sorted(found, key=lambda member: member.partitions)

    async def oldest_waiting(self, parts: Iterable[Part]) -> datetime | None:
        """Return when the oldest record was written that waits to be handled; None if none waits."""
        waiting = [part for part in parts if part.lag and part.topic != ACTIVITY and part.done is not None]
        starts = {TopicPartition(part.topic, part.partition): part.done or 0 for part in waiting[:_ASKED]}
        if not starts:
            return None
        async with self._reader() as consumer:
            consumer.assign(sorted(starts))
            for place, start in starts.items():
                consumer.seek(place, start)
            looks = (consumer.getmany(place, timeout_ms=_PATIENCE_MS, max_records=1) for place in starts)
            found = await asyncio.gather(*looks)
        times = [record.timestamp / 1000 for look in found for records in look.values() for record in records]
        return datetime.fromtimestamp(min(times), UTC) if times else None

    async def letters(
        self, code: str = "", before: Mapping[int, int] | None = None, limit: int = PAGE
    ) -> tuple[list[Letter], dict[int, int]]:
        """Return dead letters, newest first, and up to which offsets older ones lie ({} if there are none)."""
        count = next(topic.partitions for topic in self.topics.all if topic.name == DEAD_LETTERS)
        places = [TopicPartition(DEAD_LETTERS, number) for number in range(count)]
        async with self._reader() as consumer:
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            tops = {place: min(ends[place], (before or {}).get(place.partition, ends[place])) for place in places}
            found: list[Letter] = []
            for _ in range(_WINDOWS):
                if len(found) >= limit or all(tops[place] <= begins[place] for place in places):
                    break
                window = {place: max(begins[place], tops[place] - _WINDOW) for place in places}
                found += [
                    letter
                    for letter in await _read(consumer, window, tops)
                    if not code or letter.header("code") == code
                ]
                tops = window
        found.sort(key=lambda letter: (letter.at, letter.partition, letter.offset), reverse=True)
        shown, rest = found[:limit], found[limit:]
        older = {place.partition: tops[place] for place in places}
        for letter in rest:
            older[letter.partition] = max(older[letter.partition], letter.offset + 1)
        is_more = rest or any(tops[place] > begins[place] for place in places)
        return shown, older if is_more else {}

    async def letter(self, partition: int, offset: int) -> Letter | None:
        """Return one dead letter; None if it is gone, or was never there."""
        place = TopicPartition(DEAD_LETTERS, partition)
        async with self._reader() as consumer:
            begins, ends = await consumer.beginning_offsets([place]), await consumer.end_offsets([place])
            if not begins[place] <= offset < ends[place]:
                return None
            found = await _read(consumer, {place: offset}, {place: offset + 1})
        return found[0] if found else None

    async def newest(self, topic: str, limit: int) -> list[Letter]:
        """Return the newest records of an events topic, newest first; none if there is no such topic."""
        if topic not in self.topics.events:
            return []
        places = [TopicPartition(topic, number) for number in range(self.topics.partitions)]
        async with self._reader() as consumer:
            begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            starts = {place: max(begins[place], ends[place] - limit) for place in places}
            found = await _read(consumer, starts, ends)
        return sorted(found, key=lambda letter: letter.at, reverse=True)[:limit]

    async def replay(self, letters: Iterable[Letter]) -> int:
        """Send dead letters as they came to the topics that they came from; return how many."""
        count = 0
        async with AIOKafkaProducer(bootstrap_servers=self._brokers, enable_idempotence=True) as producer:
            for letter in letters:
                if letter.header("topic") not in {*self.topics.events, INBOX}:
                    continue
                await producer.send_and_wait(
                    letter.header("topic"), letter.value, key=letter.key, headers=letter.original_headers
                )
                count += 1
        return count


async def _read(
    consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> list[Letter]:
    """Return the committed records between these offsets."""
    open_ = {place for place, start in starts.items() if start < ends[place]}
    consumer.assign(sorted(open_))
    for place in open_:
        consumer.seek(place, starts[place])
    found: list[Letter] = []
    while open_:
        for place, records in (await consumer.getmany(*open_, timeout_ms=_PATIENCE_MS)).items():
            found += [_read_letter(record) for record in records if record.offset < ends[place]]
        open_ = {place for place in open_ if await consumer.position(place) < ends[place]}
    return found


def _read_letter(record: Any) -> Letter:
    at = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return Letter(record.partition, record.offset, at, record.key, record.value, tuple(record.headers))


def _position(done: Mapping[TopicPartition, Any], place: TopicPartition) -> int | None:
    offset = done[place].offset if place in done else -1
    return offset if offset >= 0 else None


def _read_member(member: Any) -> Member:
    name, _client_id, host, _metadata, assignment, *_ = member
    partitions: set[int] = set()
    if assignment:
        read = ConsumerProtocolMemberAssignment.decode(assignment)
        partitions = {place.partition for place in read.partitions() if place.topic == INBOX}
    return Member(name, host.lstrip("/"), tuple(sorted(partitions)))

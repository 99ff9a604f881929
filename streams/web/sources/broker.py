"""What pages ask Kafka: topics and their lag, and who has which partitions."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, UnknownTopicOrPartitionError

from streams.kafka.connection import client_arguments
from streams.kafka.members import Member, describe_members, list_ids, own_of_state
from streams.kafka.topics import ACTIVITY, INBOX, Topics
from streams.settings import Settings
from streams.web.sources.records import Record, RecordReader, list_places, offsets, read, read_first

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


class Broker:
    """Asks Kafka about topics and groups; connects at first use."""

    def __init__(self, settings: Settings, topics: Topics) -> None:
        self.topics = topics
        self._settings, self._app_id = settings, settings.app_id
        self._reader = RecordReader(settings)
        self._admin: AIOKafkaAdminClient | None = None

    async def close(self) -> None:
        """Let go of all connections."""
        await self._reader.close()
        if self._admin is not None:
            await self._admin.close()
        self._admin = None

    async def _client(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**client_arguments(self._settings))
            await admin.start()
            self._admin = admin
        return self._admin

    async def parts(self) -> list[Part]:
        """Return every partition of every topic of topics.yaml that exists."""
        async with self._reader.lend() as consumer:
            wanted = await list_places(consumer, (topic.name for topic in self.topics.all))
            begins, ends = await offsets(consumer, wanted)
        done = await self._positions()
        handled = {*self.topics.events, INBOX, ACTIVITY}
        return [
            Part(
                place.topic,
                place.partition,
                begins[place],
                ends[place],
                _position(done, place) if place.topic in handled else None,
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

    async def members(self) -> list[Member] | None:
        """Return the workers that share the partitions of the state; None while they agree anew who has which."""
        found = await describe_members(await self._client(), self._app_id)
        return None if found is None else [own_of_state(member, self.topics.partitions) for member in found]

    async def member_ids(self) -> frozenset[str]:
        """Return the ids of the workers that share the partitions, also while they agree anew."""
        return await list_ids(await self._client(), self._app_id)

    async def oldest_waiting(self, parts: Iterable[Part]) -> dict[int, datetime]:
        """Return, by partition, when the oldest record was written that waits to be handled.

        Of many partitions only those where the most waits are looked at.
        """
        waiting = [part for part in parts if part.lag and part.topic != ACTIVITY and part.done is not None]
        asked = sorted(waiting, key=lambda part: part.lag or 0, reverse=True)[:_ASKED]
        starts = {TopicPartition(part.topic, part.partition): part.done or 0 for part in asked}
        if not starts:
            return {}
        async with self._reader.lend() as consumer:
            records = await read_first(consumer, starts)
        oldest: dict[int, datetime] = {}
        for record in records:
            oldest[record.partition] = min(record.at, oldest.get(record.partition, record.at))
        return oldest

    async def newest(self, topic: str, limit: int) -> list[Record]:
        """Return the newest records of an events topic, newest first; none if there is no such topic."""
        if topic not in self.topics.events:
            return []
        async with self._reader.lend() as consumer:
            if not (places := await list_places(consumer, [topic])):
                raise UnknownTopicOrPartitionError(topic)
            begins, ends = await offsets(consumer, places)
            starts = {place: max(begins[place], ends[place] - limit) for place in places}
            found = await read(consumer, starts, ends)
        return sorted(found, key=lambda record: record.at, reverse=True)[:limit]


def _position(done: Mapping[TopicPartition, Any], place: TopicPartition) -> int | None:
    offset = done[place].offset if place in done else -1
    return offset if offset >= 0 else None

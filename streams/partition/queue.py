"""A partition's input: fetches in a queue a topic, each taken only where it goes on from what was taken before.

Topics take turns, a portion each. One of which nothing waits is always fetched, and what comes of it is first: so
a flood in one topic holds up no other. Within a topic's partition the order is Kafka's.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

import structlog

from streams.kafka.errors import MigratedError, UnreadError
from streams.kafka.fetch import Fetch, Seek, SourceRecord, share
from streams.kafka.inputs import input_name, name_inputs, read_input
from streams.partition.fair_queue import FairQueue

# Records waiting in all partitions together: of more, each is out of the processor's cache by its turn.
_ROOM = 4000
_MOST_BYTES = 32 * 1024 * 1024  # decompressed, of all topics of the partition
_log = structlog.get_logger()


class Portion(NamedTuple):
    """Records of one topic's partition to handle next, and its position when they are handled.

    `topic` is what the partition of the state calls it (`streams.kafka.inputs`), here as in all that follows.
    """

    topic: str
    records: Sequence[SourceRecord]
    position: int


class RecordQueue:
    """The queues of one partition. Where records are missing before a fetch, the consumer is sent back to them."""

    def __init__(self, partition: int, partitions: int) -> None:
        self._partition = partition
        self._numbers: Sequence[int] = (partition,)  # of the topics' partitions that come here
        self._room = share(_ROOM, partitions)
        self._waiting = FairQueue()
        self.new: Set[str] = self._waiting.new  # topics that come before all that waits: nothing of theirs did
        self._taken: dict[str, int] = {}  # records of a topic's first fetch that are done
        self._seeks: dict[str, int] = {}
        self._seek: Seek | None = None
        self.unread: set[str] = set()  # topics that the group does not read
        self.ends: dict[str, int] = {}  # how far those that it reads are known to go
        self.ids: dict[str, str] = {}  # of those that it reads, as of the last seek
        self._doubted: dict[str, int] = {}  # ends that were looked into since they lie before the position
        self.assignment = -1
        self.filled = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def oldest(self) -> int | None:
        """Return when the oldest record of those next was written, in ms since 1970; None if none waits."""
        heads = [(fetch.records, self._taken.get(fetch.topic, 0)) for fetch in self._waiting.heads]
        return min((records[taken].timestamp for records, taken in heads if taken < len(records)), default=None)

    def assign(self, assignment: int, seek: Seek, numbers: Sequence[int] = ()) -> None:
        """Take what is fetched from when the partition was first assigned in a row, as `Fetch` counts it.

        `numbers`: of the topics' partitions that come here; its own alone, if none are named.
        """
        if self._seek is None:
            self.assignment = assignment
        self._seek = seek
        self._numbers = numbers or (self._partition,)

    def has_room(self, topic: str | None = None) -> bool:
        """Say whether another fetch is welcome: of a topic of which nothing waits it always is."""
        waiting = self._waiting
        if waiting.records < self._room and waiting.size < _MOST_BYTES:
            return True
        return topic is not None and topic not in waiting

    def add(self, fetch: Fetch) -> None:
        """Queue a fetch; one from before the partition was assigned is dropped, for it will be fetched again."""
        if fetch.assignment >= self.assignment:
            if fetch.partition != self._partition:
                fetch = fetch._replace(topic=input_name(fetch.topic, fetch.partition, self._partition))
            self._waiting.add(fetch)
            self.unread.discard(fetch.topic)
            if fetch.known_end > self.ends.get(fetch.topic, 0):
                self.ends[fetch.topic] = fetch.known_end
        self.filled.set()

    def clear(self) -> None:
        """Drop what is queued."""
        self._waiting.clear()
        self._taken.clear()

    async def seek(self, positions: Mapping[str, int], topics: Iterable[str] = ()) -> dict[str, int]:
        """Let the consumer go on at these positions, and in topics that have none at their beginning.

        Return where it goes on later than that, for the records before are gone. Raises MigratedError if the
        consumer can't seek.
        """
        places = dict.fromkeys(name_inputs(topics, self._numbers, self._partition), 0) | dict(positions)
        found = await asyncio.gather(*(self._seek_to(topic, offset) for topic, offset in places.items()))
        later = {topic: place for topic, place in found if place > places[topic]}
        for topic in later.keys() & positions.keys():
            _log.warning("Records are gone from '%s': %s to %s.", topic, places[topic], later[topic] - 1)
        return later

    async def _seek_to(self, topic: str, offset: int) -> tuple[str, int]:
        assert self._seek is not None, "A queue gets no input before the partition is assigned."
        try:
            place = await self._seek(*read_input(topic, self._partition), offset)
        except UnreadError:
            self.unread.add(topic)
            self.ends.pop(topic, None)
            return topic, offset
        self.unread.discard(topic)
        self._seeks[topic] = place.seeks
        self.ends[topic] = place.end
        self.ids[topic] = place.topic_id
        return topic, place.offset

    async def next(self, positions: Mapping[str, int], limit: int) -> Portion | None:
        """Return up to `limit` records of the topic whose turn it is; None if its fetch doesn't go on where it is.

        Raises MigratedError if the consumer can't be sent back to records that are missing.
        """
        fetch = next(self._waiting.heads, None)
        if fetch is None:
            return None
        topic = fetch.topic
        position = positions.get(topic, 0)
        if not self._taken.get(topic) and not fetch.start <= position < fetch.end:
            await self._see_that_it_is_the_same(fetch, position)
            later = await self._look_for_missing(fetch, position)
            if any(head is fetch for head in self._waiting.heads):  # it may have been dropped meanwhile
                self._taken.pop(topic, None)
                self._waiting.drop(topic)
            return Portion(topic, (), later) if later > position else None
        return self._portion(fetch, position, limit)

    async def _see_that_it_is_the_same(self, fetch: Fetch, position: int) -> None:
        """Raise MigratedError if the topic was made anew, as it may be if it ends before the position."""
        topic, end = fetch.topic, fetch.known_end
        if 0 < end < position and self._doubted.get(topic) != end:
            self._doubted[topic] = end
            id_ = self.ids.get(topic)
            await self._seek_to(topic, position)
            if self.ids.get(topic) != id_:
                raise MigratedError(f"'{topic}' was made anew")

    async def _look_for_missing(self, fetch: Fetch, position: int) -> int:
        """Seek the records before a fetch, unless that was done since; return where the topic goes on."""
        if fetch.start > position and fetch.seeks >= self._seeks.get(fetch.topic, 0):
            return (await self.seek({fetch.topic: position})).get(fetch.topic, position)
        return position

    def is_at_end(self, portion: Portion) -> bool:
        """Say whether a portion was the last that is known of its topic."""
        topic = portion.topic
        return topic not in self._waiting and portion.position >= self.ends.get(topic, 0)

    def lies_behind(self, positions: Mapping[str, int]) -> bool:
        """Say whether the broker is known to have more of a topic, from these positions on, than there is room for.

        Of less, the next fetch brings all: a little is nothing to wait for.
        """
        return any(end - positions.get(topic, 0) > self._room for topic, end in self.ends.items())

    def _portion(self, fetch: Fetch, position: int, limit: int) -> Portion:
        topic = fetch.topic
        taken = self._taken.get(topic, 0)
        last = min(taken + limit, len(fetch.records))
        records = fetch.records[taken:last]
        if records and records[0].offset < position:  # below, they were delivered and committed before
            records = [record for record in records if record.offset >= position]
        is_all = last == len(fetch.records)
        end = fetch.end if is_all else fetch.records[last - 1].offset + 1
        self._taken[topic] = 0 if is_all else last
        self._waiting.take(topic, len(records), is_all=is_all)
        return Portion(topic, records, max(position, end))

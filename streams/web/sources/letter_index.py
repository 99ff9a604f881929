"""Which dead letters there are, without their bytes: read once, then followed, so that counting costs nothing."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from streams.web.access.visitor import Visitor
from streams.web.queries.letter_states import STATES, Place, State, States
from streams.web.sources.letter_owner import owner_of
from streams.web.sources.records import Offsets, Record, RecordReader, bounds, read_as

MOST = 10_000
"""So many of the newest offsets, over all partitions, are known; those before are counted no more."""
_WINDOW = 200  # offsets of a partition read at once; others may read in between
_CODE, _REASON = "dlq.code", "dlq.reason"
_REASON_KEPT = 500  # characters

Counts = Counter[tuple[str, str, State]]
"""How many by tenant, code and state."""


class Known(msgspec.Struct, frozen=True):
    """A dead letter: where it lies, and what it is counted by."""

    place: Place
    tenant: str
    code: str
    customer: str = ""
    reason: str = ""


class LetterIndex:
    """The dead letters of a topic's partitions; `is_whole` says whether the topic keeps none before those known."""

    def __init__(self, reader: RecordReader, places: Iterable[TopicPartition], most: int = MOST) -> None:
        self._reader = reader
        self._places = list(places)
        self._kept = most // max(1, len(self._places))
        self.is_whole = True
        self._known: dict[TopicPartition, list[Known]] = {place: [] for place in self._places}
        self._ends: dict[TopicPartition, int] = {}
        self._lock = asyncio.Lock()

    async def refresh(self) -> None:
        """Take in what has come, and forget what the topic no longer keeps; raises KafkaError."""
        async with self._lock:
            try:
                async with self._reader.lend() as consumer:
                    begins, ends = await bounds(consumer, self._places)
            except UnknownTopicOrPartitionError:  # there is no such topic, so nothing lies in it
                self._known, self._ends = {place: [] for place in self._places}, {}
                return
            self.is_whole = all(ends[place] - begins[place] <= self._kept for place in self._places)
            for place in self._places:
                self._forget(place, begins[place], ends[place])
            while any(self._ends[place] < ends[place] for place in self._places):
                await self._read_window(ends)

    def _forget(self, place: TopicPartition, begin: int, end: int) -> None:
        """Begin at what is kept; anew, where the topic was made anew."""
        if self._ends.get(place, 0) > end:
            self._known[place] = []
            del self._ends[place]
        least = max(begin, end - self._kept)
        self._ends[place] = max(self._ends.get(place, least), least)
        self._known[place] = [one for one in self._known[place] if one.place.offset >= least]

    async def _read_window(self, ends: Offsets) -> None:
        stops = {place: min(ends[place], self._ends[place] + _WINDOW) for place in self._places}
        async with self._reader.lend() as consumer:
            found = await read_as(consumer, dict(self._ends), stops, _make)
        for one in found:
            self._known[TopicPartition(self._places[0].topic, one.place.partition)].append(one)
        self._ends = stops

    def find(self, since: datetime | None = None, customer: str = "") -> Iterator[Known]:
        """Yield those that there are, or that came since a moment, or that name a customer."""
        written = (one for known in self._known.values() for one in known)
        every = (one for one in written if customer in ("", one.customer))
        return (one for one in every if since is None or one.place.written_at >= since)

    def count(self, states: States, since: datetime | None = None, customer: str = "") -> Counts:
        """Return how many of these there are by tenant, code and state."""
        every = self.find(since, customer)
        return Counter((one.tenant, one.code, states.get(one.place, "open")) for one in every)


def of_visitor(counts: Counts, visitor: Visitor) -> Counts:
    """Return the counts of what a visitor sees."""
    return Counter({key: number for key, number in counts.items() if visitor.sees(key[0])})


def by_state(counts: Counts) -> dict[State, int]:
    """Return how many there are in each state, however many tenants and codes they are of."""
    found = dict.fromkeys(STATES, 0)
    for (_, _, state), number in counts.items():
        found[state] += number
    return found


def by_code(counts: Counts, state: State | None) -> dict[str, int]:
    """Return how many there are by code, most first, in one state or in all."""
    found = Counter[str]()
    for (_, code, one), number in counts.items():
        found[code] += number if state in (None, one) else 0
    return {code: number for code, number in found.most_common() if number}


def _make(record: Record) -> Known:
    said = {
        name: (value or b"").decode(errors="replace") for name, value in record.headers if name in (_CODE, _REASON)
    }
    owner = owner_of(record)
    place = Place(record.partition, record.offset, record.at)
    # The same few texts over and over: they are kept once.
    code, reason = sys.intern(said.get(_CODE, "")), sys.intern(said.get(_REASON, "")[:_REASON_KEPT])
    return Known(place, owner.tenant, code, owner.customer, reason)

"""The last quarter of an hour in numbers, one sample every five seconds: what the overview draws."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
import structlog
from aiokafka.errors import KafkaError
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.clock import now as read_clock
from streams.database import UNREACHABLE
from streams.health.observation import Link, Waiting
from streams.kafka.members import Member
from streams.kafka.topics import ACTIVITY, INBOX
from streams.web.access.masking import Mask
from streams.web.access.visitor import Visitor
from streams.web.queries.letter_states import States, read_states
from streams.web.queries.outbox import count_unsent
from streams.web.queries.query import Reader
from streams.web.queries.totals import count_sent
from streams.web.sources.broker import Broker, Part
from streams.web.sources.letter_index import Counts, LetterIndex, by_state, of_visitor

EVERY = timedelta(seconds=5)
KEPT = 180
_MINUTE = timedelta(minutes=1)
_SENT_SINCE = timedelta(days=2)
_PATIENCE, _PATIENCE_WITH_LETTERS = 5.0, 10.0  # seconds
_AWAY = (KafkaError, OSError, TimeoutError)
_log = structlog.get_logger()


class Sample(msgspec.Struct, frozen=True):
    """One look at everything that is counted; empty or None where it could not be asked."""

    at: datetime
    parts: tuple[Part, ...] = ()
    members: tuple[Member, ...] | None = None
    oldest: dict[int, datetime] = {}
    sent: dict[tuple[str, str], int] | None = None
    letters: Counts | None = None
    unsent: int = 0

    @property
    def behind(self) -> timedelta:
        """Return how long the oldest record waits to be handled."""
        return max(timedelta(), self.at - min(self.oldest.values(), default=self.at))

    def handled(self) -> int | None:
        """Return how many records of events were ever handled."""
        return self.handled_by_partition().total() if self.parts else None

    def handled_by_partition(self) -> Counter[int]:
        """Return how many records of events were ever handled in each partition."""
        mine = ((part.partition, part.done or 0) for part in self.parts if part.topic not in (INBOX, ACTIVITY))
        return _sum(mine)

    def lag(self) -> int | None:
        """Return how many records wait to be handled."""
        return self.lag_by_partition().total() if self.parts else None

    def lag_by_partition(self) -> Counter[int]:
        """Return how many records wait in each partition."""
        return _sum((part.partition, part.lag or 0) for part in self.parts if part.topic != ACTIVITY)

    def unwritten(self) -> int | None:
        """Return how many activity records are not yet in Postgres."""
        return sum(part.lag or 0 for part in self.parts if part.topic == ACTIVITY) if self.parts else None

    def sends(self, visitor: Visitor, channel: str = "") -> int | None:
        """Return how many commands were sent for the tenants that a visitor sees, by one channel or by all."""
        if self.sent is None:
            return None
        mine = (key for key in self.sent if visitor.sees(key[0]) and channel in ("", key[1]))
        return sum(self.sent[key] for key in mine)

    def channels(self, visitor: Visitor) -> list[str]:
        """Return the channels by which something was sent for the tenants that a visitor sees."""
        return sorted({channel for tenant, channel in self.sent or () if visitor.sees(tenant)})

    def dead(self, visitor: Visitor) -> int | None:
        """Return how many dead letters are open for the tenants that a visitor sees."""
        return None if self.letters is None else by_state(of_visitor(self.letters, visitor))["open"]


class _OfKafka(msgspec.Struct):
    parts: tuple[Part, ...] = ()
    members: tuple[Member, ...] | None = None
    oldest: dict[int, datetime] = {}


class _OfPostgres(msgspec.Struct):
    sent: dict[tuple[str, str], int] | None = None
    unsent: int = 0
    states: States | None = None


def _note_absence(link: Link, now: datetime) -> Link:
    return Link(link.answered, link.away_since or now)


Count = Callable[[Sample], int | None]
"""What is counted in a sample; None where it could not be asked."""


def _sum(pairs: Iterable[tuple[int, int]]) -> Counter[int]:
    sums = Counter[int]()
    for partition, count in pairs:
        sums[partition] += count
    return sums


class Samples:
    """Looks every five seconds while someone runs it; what can't be asked leaves a gap, not an error."""

    def __init__(self, engine: AsyncEngine, broker: Broker, letters: LetterIndex) -> None:
        self.taken: deque[Sample] = deque(maxlen=KEPT)
        self.kafka, self.postgres = Link(), Link()
        self._engine, self._broker, self._letters = engine, broker, letters

    @property
    def newest(self) -> Sample | None:
        """Return the newest sample."""
        return self.taken[-1] if self.taken else None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            try:
                self.taken.append(await self.take(read_clock()))
            except Exception as error:  # of ours: a gap is seen, and the pages that show nothing else work on
                _log.exception("No sample could be taken.", error=repr(error))
            await asyncio.sleep(EVERY.total_seconds())

    async def take(self, now: datetime) -> Sample:
        """Look once: at Kafka and at Postgres together, so that neither keeps the other waiting."""
        of_kafka, of_postgres = await asyncio.gather(self._ask_kafka(now), self._ask_postgres(now))
        letters = self._letters.count(of_postgres.states) if of_postgres.states is not None else None
        return Sample(
            now, of_kafka.parts, of_kafka.members, of_kafka.oldest, of_postgres.sent, letters, of_postgres.unsent
        )

    async def _ask_kafka(self, now: datetime) -> _OfKafka:
        found = _OfKafka()
        try:
            async with asyncio.timeout(_PATIENCE):
                found.parts = tuple(await self._broker.parts())
                self.kafka = Link(now)
                members = await self._broker.members()
                found.members = None if members is None else tuple(members)
                found.oldest = await self._broker.oldest_waiting(found.parts)
            async with asyncio.timeout(_PATIENCE_WITH_LETTERS):
                await self._letters.refresh()
        except Exception as error:
            _log.warning("Kafka can't be looked at for now.", error=str(error) or repr(error))
            if isinstance(error, _AWAY) and not found.parts:
                self.kafka = _note_absence(self.kafka, now)
        return found

    async def _ask_postgres(self, now: datetime) -> _OfPostgres:
        found = _OfPostgres()
        try:
            async with asyncio.timeout(_PATIENCE), self._engine.connect() as connection:
                reader = Reader(connection, None, Mask())
                found.sent = await count_sent(reader, now - _SENT_SINCE)
                found.unsent = await count_unsent(connection, now - _MINUTE)
                found.states = await read_states(reader)
                self.postgres = Link(now)
        except UNREACHABLE:
            self.postgres = _note_absence(self.postgres, now)
        return found

    def rates(self, count: Count) -> list[float]:
        """Return by how much a count grew per second, sample by sample; by nothing where it was not known."""
        pairs = zip(self.taken, list(self.taken)[1:], strict=False)
        return [
            _grow(count(before), count(after)) / (after.at - before.at).total_seconds() for before, after in pairs
        ]

    def by_minute(self, count: Count) -> list[float]:
        """Return by how much a count grew in the minute before each sample, as far as samples reach back."""
        counts = [count(sample) for sample in self.taken]
        ends = [sample.at for sample in self.taken]
        grown = [_grow(before, after) for before, after in pairwise(counts)]
        found, total, first = [], 0, 0
        for place, growth in enumerate(grown):
            total += growth
            while ends[place + 1] - ends[first] > _MINUTE:
                total -= grown[first]
                first += 1
            found.append(float(total))
        return found

    def last_minute(self, count: Count) -> tuple[int, float]:
        """Return by how much a count grew in the last minute, and in how many seconds exactly."""
        known = [sample for sample in self.taken if count(sample) is not None]
        if len(known) < 2:
            return 0, 0.0
        newest = known[-1]
        earlier = next(sample for sample in known if newest.at - sample.at <= _MINUTE)
        return _grow(count(earlier), count(newest)), (newest.at - earlier.at).total_seconds()


def _grow(before: int | None, after: int | None) -> int:
    return 0 if before is None or after is None else max(0, after - before)


def measure_waiting(samples: Iterable[Sample], partitions: int) -> dict[int, Waiting]:
    """Return what waits in each partition of the state, by the newest sample that knows, and at what rate.

    Partition q of a topic comes to partition q modulo `partitions` of the state.
    """
    known = [sample for sample in samples if sample.parts]
    if not known:
        return {}
    newest = known[-1]
    earlier = next(sample for sample in known if newest.at - sample.at <= _MINUTE)
    seconds = (newest.at - earlier.at).total_seconds()
    lag, now, before = (
        _sum((number % partitions, count) for number, count in counts.items())
        for counts in (newest.lag_by_partition(), newest.handled_by_partition(), earlier.handled_by_partition())
    )
    oldest: dict[int, datetime] = {}
    for number, at in newest.oldest.items():
        oldest[number % partitions] = min(at, oldest.get(number % partitions, at))
    rates = {number: max(0, now[number] - before[number]) / seconds for number in lag} if seconds else {}
    return {number: Waiting(lag[number], oldest.get(number), rates.get(number)) for number in lag}

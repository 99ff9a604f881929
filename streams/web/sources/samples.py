"""The last quarter of an hour in numbers, one sample every five seconds: what the overview draws."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.clock import now as read_clock
from streams.database import UNREACHABLE
from streams.kafka.topics import ACTIVITY, INBOX
from streams.web.access.masking import Mask
from streams.web.access.visitor import Visitor
from streams.web.queries.letter_states import read_states
from streams.web.queries.query import Reader
from streams.web.queries.totals import count_sent
from streams.web.sources.broker import Broker, Member, Part
from streams.web.sources.letter_index import Counts, LetterIndex, by_state, of_visitor

EVERY = timedelta(seconds=5)
KEPT = 180
_MINUTE = timedelta(minutes=1)
_SENT_SINCE = timedelta(days=2)
_log = structlog.get_logger()


class Sample(msgspec.Struct, frozen=True):
    """One look at everything that is counted; None where it could not be asked."""

    at: datetime
    parts: tuple[Part, ...] = ()
    members: tuple[Member, ...] = ()
    behind: float = 0.0
    sent: dict[tuple[str, str], int] = {}
    letters: Counts | None = None

    def handled(self) -> int:
        """Return how many records of events were ever handled."""
        return sum(part.done or 0 for part in self.parts if part.topic not in (INBOX, ACTIVITY))

    def lag(self) -> int:
        """Return how many records wait to be handled."""
        return sum(part.lag or 0 for part in self.parts if part.topic != ACTIVITY)

    def unwritten(self) -> int:
        """Return how many activity records are not yet in Postgres."""
        return sum(part.lag or 0 for part in self.parts if part.topic == ACTIVITY)

    def sends(self, visitor: Visitor, channel: str = "") -> int:
        """Return how many commands were sent for the tenants that a visitor sees, by one channel or by all."""
        mine = (key for key in self.sent if visitor.sees(key[0]) and channel in ("", key[1]))
        return sum(self.sent[key] for key in mine)

    def channels(self, visitor: Visitor) -> list[str]:
        """Return the channels by which something was sent for the tenants that a visitor sees."""
        return sorted({channel for tenant, channel in self.sent if visitor.sees(tenant)})

    def dead(self, visitor: Visitor) -> int | None:
        """Return how many dead letters are open for the tenants that a visitor sees."""
        return None if self.letters is None else by_state(of_visitor(self.letters, visitor))["open"]


class Samples:
    """Looks every five seconds while someone runs it; what can't be asked leaves a gap, not an error."""

    def __init__(self, engine: AsyncEngine, broker: Broker, letters: LetterIndex) -> None:
        self.taken: deque[Sample] = deque(maxlen=KEPT)
        self._engine, self._broker, self._letters = engine, broker, letters

    @property
    def newest(self) -> Sample | None:
        """Return the newest sample."""
        return self.taken[-1] if self.taken else None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.taken.append(await self.take(read_clock()))
            await asyncio.sleep(EVERY.total_seconds())

    async def take(self, now: datetime) -> Sample:
        """Look once."""
        parts: tuple[Part, ...] = ()
        members: tuple[Member, ...] = ()
        behind, sent, letters = 0.0, dict[tuple[str, str], int](), None
        try:
            await self._letters.refresh()
            parts = tuple(await self._broker.parts())
            members = tuple(await self._broker.members())
            oldest = await self._broker.oldest_waiting(parts)
            behind = max(0.0, (now - oldest).total_seconds()) if oldest else 0.0
        except Exception as error:
            _log.warning("Kafka can't be looked at for now.", error=str(error) or repr(error))
        with suppress(*UNREACHABLE):
            async with self._engine.connect() as connection:
                reader = Reader(connection, None, Mask())
                sent = await count_sent(reader, now - _SENT_SINCE)
                letters = self._letters.count(await read_states(reader))
        return Sample(now, parts, members, behind, sent, letters)

    def rates(self, count: Callable[[Sample], int]) -> list[float]:
        """Return by how much a count grew per second, sample by sample."""
        pairs = zip(self.taken, list(self.taken)[1:], strict=False)
        return [
            max(0, count(after) - count(before)) / (after.at - before.at).total_seconds() for before, after in pairs
        ]

    def last_minute(self, count: Callable[[Sample], int]) -> tuple[int, float]:
        """Return by how much a count grew in the last minute, and in how many seconds exactly."""
        if len(self.taken) < 2:
            return 0, 0.0
        newest = self.taken[-1]
        earlier = next(sample for sample in self.taken if newest.at - sample.at <= _MINUTE)
        return max(0, count(newest) - count(earlier)), (newest.at - earlier.at).total_seconds()

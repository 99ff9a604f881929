"""What a partition does unasked: fires due waits, holds those of paused journeys, sweeps archived journeys.

Marks are hints: a customer whose wait no longer stands gets an input that does nothing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from models.ids import CustomerKey
from models.journey import JourneyStatus
from streams.engine.inputs import Due, Sweep
from streams.partition.backlog import Backlog
from streams.partition.internal_rows import JOINED, read_joined
from streams.partition.isolation import Isolation
from streams.partition.processor import Processor
from streams.partition.transaction import Slice, Transaction
from streams.state.errors import StoreError
from streams.state.index import DueWait, hold, read_wait
from streams.state.store import Store

RELEASED_A_SECOND = 1000  # R29
_LOOK_AGAIN = timedelta(seconds=5)
_HELD_BACK = timedelta(milliseconds=50)  # until a wait that comes after unread input is looked at again
_PAGE = 5000

SeeTo = Callable[[Slice, bytes, DueWait, datetime], None]
"""What sees to one wait, given by its mark."""


class Timers:
    """The timers of one partition. `act` does a slice of them; `next` says when there is more to do."""

    def __init__(self, store: Store, processor: Processor, backlog: Backlog, now: datetime) -> None:
        """Look at a store; waits come after what the backlog holds (R32)."""
        self.backlog = backlog
        self._store = store
        self._processor = processor
        self._isolation = Isolation(processor)
        self._seen = b""  # waits up to this mark have been seen to
        self._look_again: datetime | None = None
        self._held = dict.fromkeys(store.held_journeys(), b"")
        self._resumed: dict[str, datetime] = {}  # when it was seen that their pause is over
        self._released_until: datetime | None = None
        self._sweeps: dict[str, bytes] = {}
        self.next = self._next_time(now)
        """When `act` has more to do, as of the last look."""

    def is_due(self, now: datetime) -> bool:
        """Say whether `act` has something to do."""
        return self.next is not None and self.next <= now

    def look(self, now: datetime) -> None:
        """Look when there is more to do."""
        self.next = self._next_time(now)

    async def review(self, transaction: Transaction, now: datetime) -> None:
        """Look at what the current journeys ask for; to be called with nothing uncommitted."""
        journeys = self._processor.journeys
        for journey_id in self._store.journeys():
            if journeys.status(journey_id) is JourneyStatus.ARCHIVED:
                self._sweeps.setdefault(journey_id, b"")
        row = transaction.row(JOINED)
        joined = read_joined(row) if row else frozenset()
        counts = {journey: await self._count(journey) for journey in sorted(journeys.limited - joined)}
        if counts:
            with transaction.slice() as slice_:
                for journey_id, active in counts.items():
                    self._processor.join(slice_, journey_id, active)
                slice_.put(JOINED, sorted(joined | counts.keys()))
            transaction.inputs += len(counts)
        self.next = now

    async def _count(self, journey_id: str) -> int:
        count, after = 0, b""
        while keys := self._store.enrolled(journey_id, after, _PAGE):
            count += len(keys)
            after = keys[-1]
            await asyncio.sleep(0)
        return count

    def act(self, transaction: Transaction, now: datetime, until: datetime | None, limit: int) -> None:
        """Do up to `limit` things that are due; of waits only those that were due by `until` (R32)."""
        if self._look_again is not None and now >= self._look_again:
            self._seen, self._look_again = b"", None  # what did not fire then may fire now
        if until is not None:
            due = self._store.due(until, self._seen, limit)
            if due:
                self._see_to_all(transaction, due, self._see_to_due, now)
                self._seen = due[-1]
            self._release(transaction, now, until, limit)
        self._sweep(transaction, now, limit)
        self.look(now)
        if self.next is not None and self.next <= now and not self._sweeps and until != now:
            self.next = now + _HELD_BACK

    def _see_to_all(self, transaction: Transaction, marks: Sequence[bytes], see_to: SeeTo, now: datetime) -> None:
        """See to waits in one slice; where something can't be written, to each in a slice of its own."""
        waits = [(mark, read_wait(mark)) for mark in marks]
        try:
            with transaction.slice([wait.key for _, wait in waits]) as slice_:
                for mark, wait in waits:
                    see_to(slice_, mark, wait, now)
        except StoreError:
            raise
        except Exception:
            for mark, wait in waits:
                self._see_to_one(transaction, mark, wait, see_to, now)
        transaction.inputs += len(waits)

    def _see_to_one(
        self, transaction: Transaction, mark: bytes, wait: DueWait, see_to: SeeTo, now: datetime
    ) -> None:
        try:
            with transaction.slice() as slice_:
                see_to(slice_, mark, wait, now)
        except StoreError:
            raise
        except Exception:
            self._isolation.fire(transaction, CustomerKey.read(wait.key), wait.enrollment_id, now)

    def _see_to_due(self, slice_: Slice, mark: bytes, wait: DueWait, now: datetime) -> None:
        if self._processor.journeys.holds(wait.journey_id, wait.due):
            slice_.mark(mark, stands=False)
            slice_.mark(hold(mark), stands=True)
            self._held.setdefault(wait.journey_id, b"")
        elif _stands(slice_, wait):
            self._fire(slice_, wait, now)
            if _stands(slice_, wait) and self._look_again is None:
                self._look_again = now + _LOOK_AGAIN
        else:
            slice_.drop_stale(mark)

    def _see_to_held(self, slice_: Slice, mark: bytes, wait: DueWait, now: datetime) -> None:
        slice_.mark(mark, stands=False)
        if _stands(slice_, wait):
            self._fire(slice_, wait, now)

    def _fire(self, slice_: Slice, wait: DueWait, now: datetime) -> None:
        self._processor.advance(slice_, CustomerKey.read(wait.key), Due(), now)
        slice_.fired.append(wait.due)

    def _release(self, transaction: Transaction, now: datetime, until: datetime, limit: int) -> None:
        """Fire what was held back by a pause that is over, oldest first, at most 1,000 a second (R29)."""
        for journey_id, after in tuple(self._held.items()):
            if self._processor.journeys.status(journey_id) is JourneyStatus.PAUSED:
                self._resumed.pop(journey_id, None)
                continue
            if self._resumed.setdefault(journey_id, now) > until:
                continue
            marks = self._store.held(journey_id, after, min(limit, self._allowance(now)))
            if marks:
                self._see_to_all(transaction, marks, self._see_to_held, now)
                self._spend(now, len(marks))
                self._held[journey_id] = marks[-1]
            if not self._store.held(journey_id, self._held[journey_id], 1):
                del self._held[journey_id], self._resumed[journey_id]

    def _allowance(self, now: datetime) -> int:
        """Return how many may be released by now, after a quiet time a tenth of a second's worth."""
        earliest = now - timedelta(milliseconds=100)
        if self._released_until is None or self._released_until < earliest:
            self._released_until = earliest
        return int((now - self._released_until) / timedelta(seconds=1) * RELEASED_A_SECOND)

    def _spend(self, now: datetime, count: int) -> None:
        self._released_until = (self._released_until or now) + count * timedelta(seconds=1) / RELEASED_A_SECOND

    def _sweep(self, transaction: Transaction, now: datetime, limit: int) -> None:
        """End the enrolments of archived journeys (R29)."""
        for journey_id, after in tuple(self._sweeps.items()):
            keys = self._store.enrolled(journey_id, after, limit)
            if keys:
                self._end_all(transaction, keys, Sweep(journey_id), now)
            if len(keys) < limit:
                del self._sweeps[journey_id]
            else:
                self._sweeps[journey_id] = keys[-1]

    def _end_all(self, transaction: Transaction, keys: Sequence[bytes], sweep: Sweep, now: datetime) -> None:
        try:
            with transaction.slice(keys) as slice_:
                for key in keys:
                    self._processor.advance(slice_, CustomerKey.read(key), sweep, now)
        except StoreError:
            raise
        except Exception:
            for key in keys:
                self._isolation.sweep(transaction, CustomerKey.read(key), sweep, now)
        transaction.inputs += len(keys)

    def _next_time(self, now: datetime) -> datetime | None:
        """Return when there is more to do: now or earlier if there is work already."""
        if self._sweeps:
            return now
        times = [self._store.next_due(self._seen), self._look_again]
        if any(self._processor.journeys.status(journey) is not JourneyStatus.PAUSED for journey in self._held):
            times.append(now + timedelta(milliseconds=20))
        return min((time for time in times if time is not None), default=None)

    def note_commit(self, marks: Mapping[bytes, bool]) -> None:
        """See to waits that were added behind those already seen to."""
        first = min([mark for mark, stands in marks.items() if stands and mark.startswith(b"w")], default=None)
        if first is not None and first <= self._seen:
            self._seen = first[:-1]


def _stands(slice_: Slice, wait: DueWait) -> bool:
    customer = slice_.customer(wait.key)
    enrollment = customer.enrollments.get(wait.enrollment_id) if customer else None
    return enrollment is not None and enrollment.waiting_until == wait.due

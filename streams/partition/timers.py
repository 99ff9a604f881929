"""What a partition does unasked: fires due waits, holds those of paused journeys, sweeps archived journeys.

Marks are hints: a customer whose wait no longer stands gets an input that does nothing.
"""

import asyncio
from datetime import datetime, timedelta

import msgspec

from models.journey import JourneyStatus
from streams.engine.inputs import Due, Sweep
from streams.partition.processor import Processor
from streams.partition.transaction import Transaction
from streams.state.index import DueWait, hold, read_wait
from streams.state.store import Store

JOINED = b":joined"
RELEASED_A_SECOND = 1000  # R29
_LOOK_AGAIN = timedelta(seconds=5)
_PAGE = 5000

_read_joined = msgspec.json.Decoder(frozenset[str]).decode


class Timers:
    """The duties of one partition. `act` does a slice of them; `next_time` says when there is more to do."""

    def __init__(self, store: Store, processor: Processor) -> None:
        self._store = store
        self._processor = processor
        self._seen = b""  # waits up to this mark have been seen to
        self._look_again: datetime | None = None
        self._held = dict.fromkeys(store.held_journeys(), b"")
        self._released_until: datetime | None = None
        self._sweeps: dict[str, bytes] = {}

    async def review(self, transaction: Transaction) -> None:
        """Look at what the current journeys ask for; to be called with nothing uncommitted."""
        journeys = self._processor.journeys
        for journey_id in self._store.journeys():
            if journeys.status(journey_id) is JourneyStatus.ARCHIVED:
                self._sweeps.setdefault(journey_id, b"")
        row = transaction.row(JOINED)
        joined = _read_joined(row) if row else frozenset()
        for journey_id in sorted(journeys.limited - joined):
            self._processor.join(transaction, journey_id, await self._count(journey_id))
            joined |= {journey_id}
            transaction.put(JOINED, sorted(joined))
            transaction.inputs += 1
        self._processor.flush(transaction)

    async def _count(self, journey_id: str) -> int:
        count, after = 0, b""
        while keys := self._store.enrolled(journey_id, after, _PAGE):
            count += len(keys)
            after = keys[-1]
            await asyncio.sleep(0)
        return count

    def act(self, transaction: Transaction, now: datetime, limit: int) -> None:
        """Do up to `limit` things that are due."""
        if self._look_again is not None and now >= self._look_again:
            self._seen, self._look_again = b"", None  # what did not fire then may fire now
        due = [(mark, read_wait(mark)) for mark in self._store.due(now, self._seen, limit)]
        transaction.look_up([wait.key for _, wait in due])
        for mark, wait in due:
            self._seen = mark
            self._see_to(transaction, mark, wait, now)
        self._release(transaction, now, limit)
        self._sweep(transaction, now, limit)
        self._processor.flush(transaction)

    def _see_to(self, transaction: Transaction, mark: bytes, wait: DueWait, now: datetime) -> None:
        transaction.inputs += 1
        if self._processor.journeys.holds(wait.journey_id, wait.due):
            transaction.marks |= {mark: False, hold(mark): True}
            self._held.setdefault(wait.journey_id, b"")
        elif self._stands(transaction, wait):
            self._fire(transaction, wait, now)
            if self._stands(transaction, wait) and self._look_again is None:
                self._look_again = now + _LOOK_AGAIN
        else:
            transaction.marks.setdefault(mark, False)

    def _stands(self, transaction: Transaction, wait: DueWait) -> bool:
        customer = transaction.customer(wait.key)
        enrollment = customer.enrollments.get(wait.enrollment_id) if customer else None
        return enrollment is not None and enrollment.waiting_until == wait.due

    def _fire(self, transaction: Transaction, wait: DueWait, now: datetime) -> None:
        tenant_id, _, customer_id = wait.key.decode().partition(":")
        self._processor.advance(transaction, wait.key, tenant_id, customer_id, Due(), now)

    def _release(self, transaction: Transaction, now: datetime, limit: int) -> None:
        """Fire what was held back by a pause that is over, oldest first, at most 1,000 a second (R29)."""
        for journey_id, after in tuple(self._held.items()):
            if self._processor.journeys.status(journey_id) is JourneyStatus.PAUSED:
                continue
            for mark in self._store.held(journey_id, after, min(limit, self._allowance(now))):
                self._held[journey_id] = mark
                self._spend(now)
                transaction.inputs += 1
                transaction.marks[mark] = False
                wait = read_wait(mark)
                if self._stands(transaction, wait):
                    self._fire(transaction, wait, now)
            if not self._store.held(journey_id, self._held[journey_id], 1):
                del self._held[journey_id]

    def _allowance(self, now: datetime) -> int:
        """Return how many may be released by now, after a quiet time a tenth of a second's worth."""
        earliest = now - timedelta(milliseconds=100)
        if self._released_until is None or self._released_until < earliest:
            self._released_until = earliest
        return int((now - self._released_until) / timedelta(seconds=1) * RELEASED_A_SECOND)

    def _spend(self, now: datetime) -> None:
        self._released_until = (self._released_until or now) + timedelta(seconds=1) / RELEASED_A_SECOND

    def _sweep(self, transaction: Transaction, now: datetime, limit: int) -> None:
        """End the enrolments of archived journeys (R29)."""
        for journey_id, after in tuple(self._sweeps.items()):
            keys = self._store.enrolled(journey_id, after, limit)
            for key in keys:
                transaction.inputs += 1
                tenant_id, _, customer_id = key.decode().partition(":")
                self._processor.advance(transaction, key, tenant_id, customer_id, Sweep(journey_id), now)
            if len(keys) < limit:
                del self._sweeps[journey_id]
            else:
                self._sweeps[journey_id] = keys[-1]

    def next_time(self, now: datetime) -> datetime | None:
        """Return when `act` has more to do: now or earlier if there is work already."""
        if self._sweeps:
            return now
        times = [self._store.next_due(self._seen), self._look_again]
        if any(self._processor.journeys.status(journey) is not JourneyStatus.PAUSED for journey in self._held):
            times.append(now + timedelta(milliseconds=20))
        return min((time for time in times if time is not None), default=None)

    def note_commit(self, marks: dict[bytes, bool]) -> None:
        """See to waits that were added behind those already seen to."""
        first = min((mark for mark, stands in marks.items() if stands and mark.startswith(b"w")), default=None)
        if first is not None and first <= self._seen:
            self._seen = first[:-1]

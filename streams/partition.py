"""PartitionTask: owns one partition's state, waits, transactions and positions; nothing else writes them.

Its life: fence, restore, then slices of input and commits in turn, until it is closed. A task that was fenced,
or whose commit has an unknown outcome, drops what is not committed and opens anew.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog

from models.customer import Customer
from streams.clock import now as read_clock
from streams.dispatch import Dispatch
from streams.duties import Duties
from streams.engine.journeys import Journeys
from streams.failpoints import reach
from streams.fetch import Fetch, Seek
from streams.ledger import FencedError, Ledger, LostError
from streams.restore import ForeignError, Progress, restore
from streams.rocks import CorruptError
from streams.store import OrderedMap, Store
from streams.transaction import POSITION, OversizeRowError, Transaction

SLICE = 200  # records, then as many duties: a slice holds the event loop for about 10 ms
QUEUE = 4000  # records waiting for the task, above which it asks for no more
MOST = 5000  # inputs a transaction
LARGEST = 8 * 1024 * 1024  # bytes emitted a transaction
_STRETCH = 10  # commit intervals that a transaction may last while input is waiting
_CLOSE_TIMEOUT = 10.0
_LOOK_UP = 0.5  # seconds until new journeys are noticed without input
# Longer than a heartbeat: by then a worker that lost the partition knows, and does not fence its new owner.
FENCED_SECONDS = 3.0
_RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0)

log = structlog.get_logger()
_read_positions = msgspec.json.Decoder(dict[str, int]).decode

Stage = Literal["fencing", "restoring", "open", "lost", "closed"]


class PartitionTask:
    """One partition's task. `take` gives it input, `run` does the work, `flush` and `close` end it in order."""

    def __init__(
        self,
        dispatch: Dispatch,
        ledger: Ledger,
        open_map: Callable[[], OrderedMap],
        journeys: Callable[[], Journeys],
        commit_interval: timedelta,
        customers_kept: int = 8192,
        clock: Callable[[], datetime] = read_clock,
    ) -> None:
        self.partition = dispatch.partition
        self.stage: Stage = "fencing"
        self.progress = Progress()
        self.inputs = self.commits = self.losses = 0  # for the metrics
        self.store: Store | None = None
        self.generation = -1
        self.seek: Seek | None = None
        self._dispatch = dispatch
        self._ledger = ledger
        self._open_map = open_map
        self._journeys = journeys
        self._interval = commit_interval
        self._customers_kept = customers_kept
        self._clock = clock
        self._known: dict[bytes, Customer | None] = {}
        self._positions: dict[str, int] = {}
        self._queue: deque[Fetch] = deque()
        self._queued = 0
        self._taken = 0  # records of the first fetch in the queue that are done
        self._seeks: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._flushed: asyncio.Future[None] | None = None
        self._commit_seconds = 0.01

    # --- from outside, between two awaits -------------------------------------------------------------------

    def wants(self) -> bool:
        """Say whether the task has room for another fetch."""
        return self.stage == "open" and self._queued < QUEUE

    def take(self, fetch: Fetch) -> None:
        """Queue a fetch; one from before the last rebalance is dropped, for it will be fetched again."""
        if fetch.generation == self.generation:
            self._queue.append(fetch)
            self._queued += len(fetch.records)
            self._wake.set()

    async def flush(self) -> None:
        """Drop what is queued, and commit what is done."""
        self._forget_queue()
        if self.stage == "open":
            self._flushed = self._flushed or asyncio.get_running_loop().create_future()
            self._wake.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._flushed), _CLOSE_TIMEOUT)

    async def close(self, running: "asyncio.Task[None] | None") -> None:
        """Commit, then end `running`, the transactions and the store."""
        await self.flush()
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        self.stage = "closed"
        await self._ledger.close()
        if self.store is not None:
            self.store.close()
            self.store = None

    # --- the task's own life --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open, work, and after a loss open anew, until cancelled; raises what is an error of ours."""
        losses = 0  # in a row
        while True:
            try:
                await self.open()
                losses = 0
                while True:
                    await self.step()
            except LostError as error:
                log.warning("Partition %s was lost: %s.", self.partition, error)
                delay = _RETRY_SECONDS[min(losses, len(_RETRY_SECONDS) - 1)]
                if isinstance(error, FencedError):
                    delay = FENCED_SECONDS
                losses += 1
                self.losses += 1
            except OversizeRowError as error:
                self._dispatch.careful.add(error.key)
                delay = 0.0
            except (CorruptError, ForeignError) as error:
                assert self.store is not None
                self.store.set_aside(str(error))
                self.store, delay = None, 0.0
            self.stage = "lost"
            self._end_flush()
            await asyncio.sleep(delay)

    async def open(self) -> None:
        """Fence the previous owner, and only then restore and learn the positions."""
        self.stage = "fencing"
        self._forget_queue()
        self._known.clear()
        self._seeks.clear()
        await self._ledger.fence()
        if self.store is None:
            self.store = Store(self._open_map())
        self.stage = "restoring"
        reach("restore.before")
        await restore(self.store, self._ledger, self.progress, self.partition)
        reach("restore.after")
        row = self.store.get(POSITION)
        self._positions = _read_positions(row) if row else {}
        self._duties = Duties(self.store, self._dispatch)
        self._dispatch.journeys = Journeys()
        self._begin()
        for topic, position in self._positions.items():
            await self._seek(topic, position)
        self.stage = "open"

    def _begin(self) -> None:
        assert self.store is not None
        self._transaction = Transaction(self.store, self._known, self._positions)
        self._begun = self._clock()
        self._due = self._duties.next_time(self._begun)

    async def step(self) -> None:
        """Do a slice of input and duties, or commit, or wait for something to do."""
        if self._dispatch.journeys is not self._journeys():
            await self.commit()
            self._dispatch.journeys = self._journeys()
            await self._duties.review(self._transaction)
            self._due = self._clock()
        now = self._clock()
        before = self._transaction.inputs
        await self._take_records(now)
        if self._due is not None and self._due <= now:
            self._duties.act(self._transaction, now, SLICE)
            self._due = self._duties.next_time(now)
        if self._is_time_to_commit(now):
            await self.commit()
        elif self._transaction.inputs > before:
            await asyncio.sleep(0)
        else:
            await self._rest(now)

    def _is_time_to_commit(self, now: datetime) -> bool:
        transaction = self._transaction
        if self._flushed is not None:
            return True
        if not transaction.inputs:
            return False
        if transaction.inputs >= MOST or transaction.size >= LARGEST:
            return True
        return now >= self._begun + self._pause(now)

    def _pause(self, now: datetime) -> timedelta:
        """Return how long after the last commit to begin the next: longer while there is more to do at once."""
        if self._queue or (self._due is not None and self._due <= now):
            return _STRETCH * self._interval
        return min(self._interval, 3 * timedelta(seconds=self._commit_seconds))

    async def _rest(self, now: datetime) -> None:
        """Wait for input, the next due wait, or the time to commit."""
        until = [self._due] if self._due is not None else []
        if self._transaction.inputs:
            until.append(self._begun + self._pause(now))
        self._wake.clear()
        if self._queue or self._flushed is not None or self._dispatch.journeys is not self._journeys():
            return
        with suppress(TimeoutError):
            seconds = max(0.0, (min(until) - now).total_seconds()) if until else _LOOK_UP
            await asyncio.wait_for(self._wake.wait(), min(seconds, _LOOK_UP))

    # --- input ----------------------------------------------------------------------------------------------

    async def _take_records(self, now: datetime) -> None:
        """Handle up to a slice of the first fetch in the queue."""
        if not self._queue:
            return
        fetch = self._queue[0]
        if not await self._follows(fetch):
            self._drop_first()
            return
        transaction, topic, take = self._transaction, fetch.topic, self._dispatch.take
        position = transaction.positions.get(topic, 0)
        last = min(self._taken + SLICE, len(fetch.records))
        for record in fetch.records[self._taken : last]:
            if record.offset >= position:  # below, it was delivered and committed before
                take(transaction, topic, record, now)
                transaction.inputs += 1
        if last == len(fetch.records):
            if fetch.end > position:
                transaction.positions[topic] = fetch.end
            self._drop_first()
        else:
            transaction.positions[topic] = max(position, fetch.records[last - 1].offset + 1)
            self._taken = last

    async def _follows(self, fetch: Fetch) -> bool:
        """Say whether a fetch goes on where the task stands; if not, seek there."""
        if self._taken:
            return True
        position = self._transaction.positions.get(fetch.topic, 0)
        if fetch.start > position and fetch.seeks >= self._seeks.get(fetch.topic, 0):
            await self._seek(fetch.topic, position)
        return fetch.start <= position < fetch.end

    async def _seek(self, topic: str, position: int) -> None:
        """Let the consumer go on at the position; what the topic no longer holds is passed over, and logged."""
        assert self.seek is not None, "Assign before input."
        place = await self.seek(topic, self.partition, position)
        self._seeks[topic] = place.seeks
        if place.offset > position:
            self._transaction.positions[topic] = place.offset
            log.warning("Records are gone from '%s': %s to %s.", topic, position, place.offset - 1)

    def _drop_first(self) -> None:
        if self._queue:
            self._queued -= len(self._queue.popleft().records)
        self._taken = 0

    def _forget_queue(self) -> None:
        self._queue.clear()
        self._queued = self._taken = 0

    # --- commit ---------------------------------------------------------------------------------------------

    async def commit(self) -> None:
        """Commit to the broker, and only then to the store."""
        transaction, store = self._transaction, self.store
        assert store is not None
        started = self._clock()
        if transaction.inputs or transaction.positions != self._positions:
            commit, marks = transaction.encode()
            offset = await self._ledger.commit(commit)
            reach("store.before")
            store.write(commit.rows, marks, offset)
            reach("store.after")
            self._duties.note_commit(marks)
            self._keep(transaction.customers)
            self._positions = transaction.positions
            self.inputs += transaction.inputs
            self.commits += 1
            seconds = (self._clock() - started).total_seconds()
            self._commit_seconds += (seconds - self._commit_seconds) / 8
        self._begin()
        self._begun = started
        self._end_flush()

    def _keep(self, customers: dict[bytes, Customer | None]) -> None:
        """Remember decoded customers for the next transactions, those seen last."""
        known = self._known
        known.update(customers)
        if len(known) > self._customers_kept:
            for key in list(known)[: len(known) - self._customers_kept // 2]:
                del known[key]

    def _end_flush(self) -> None:
        if self._flushed is not None and not self._flushed.done():
            self._flushed.set_result(None)
        self._flushed = None

"""PartitionTask: owns one partition's state, waits, transactions and positions; nothing else writes them.

Its life: fence, restore, then slices of input and commits in turn, until it is closed. A task that was fenced,
or whose commit has an unknown outcome, drops what is not committed and opens anew.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog

from models.customer import Customer
from streams.cancellation import end_tasks
from streams.clock import now as read_clock
from streams.engine.journeys import Journeys
from streams.failpoints import reach
from streams.kafka.changelog import Changelog
from streams.kafka.clients import started
from streams.kafka.errors import FencedError, MigratedError
from streams.kafka.fetch import Fetch
from streams.kafka.producer import Producer
from streams.partition.processor import Processor
from streams.partition.queue import RecordQueue
from streams.partition.restore import Progress, restore
from streams.partition.timers import Timers
from streams.partition.transaction import POSITION, OversizeKeyError, Transaction
from streams.state.errors import CorruptedError, FullError
from streams.state.ordered_map import OrderedMap
from streams.state.store import Store

SLICE = 50  # records after which a task looks at the clock
SLICE_TIME = timedelta(milliseconds=2)  # for which records may hold the event loop
DUTIES = 100  # then; to look for them costs as much as a few of them
MOST = 5000  # inputs a transaction
LARGEST = 8 * 1024 * 1024  # bytes emitted a transaction
OFFSETS_EVERY = timedelta(seconds=1)
_WORTH = 20  # inputs that cost as much as a commit, so that a few more are worth waiting for
_ENOUGH = 1000  # inputs of which a commit is a small part: with more waiting, a transaction goes on until then,
_STRETCH = 40  # but for as many commit intervals at most,
_PATIENCE = 3  # and for as many times at least as a commit lasts, in which the partition does nothing else
_CLOSE_TIMEOUT = 10.0
_LOOK_UP = 0.5  # seconds until new journeys are noticed without input
# Longer than a heartbeat: by then a worker that lost the partition knows, and does not fence its new owner.
FENCED_SECONDS = 3.0
_FULL_SECONDS = 5.0
_RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0)

log = structlog.get_logger()
_read_positions = msgspec.json.Decoder(dict[str, int]).decode

Stage = Literal["fencing", "restoring", "running", "lost", "closed"]


class PartitionTask:
    """One partition's task. `take` gives it input, `run` does the work, `flush` and `close` end it in order."""

    def __init__(
        self,
        processor: Processor,
        producer: Producer,
        changelog: Changelog,
        open_map: Callable[[], OrderedMap],
        journeys: Callable[[], Journeys],
        commit_interval: timedelta,
        customers_kept: int = 1024,
        clock: Callable[[], datetime] = read_clock,
        turn: asyncio.Lock | None = None,
    ) -> None:
        """Start closed; `turn` is what the tasks of a worker share, so that one at a time holds the event loop."""
        self.partition = processor.partition
        self.stage: Stage = "fencing"
        self.progress = Progress()
        self.inputs = self.commits = self.losses = 0  # for the metrics
        self.store: Store | None = None
        self.queue = RecordQueue(processor.partition, processor.partitions)
        self._processor = processor
        self._producer = producer
        self._changelog = changelog
        self._open_map = open_map
        self._journeys = journeys
        self._interval = commit_interval
        self._customers_kept = customers_kept
        self._clock = clock
        self._turn = turn or asyncio.Lock()
        self._known: dict[bytes, Customer | None] = {}
        self._positions: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._flushed: asyncio.Future[None] | None = None
        self._commit_seconds = 0.01
        self._uncommitted_since: datetime | None = None  # since when the group's offsets are behind the positions

    # --- from outside, between two awaits -------------------------------------------------------------------

    def wants(self) -> bool:
        """Say whether the task has room for another fetch."""
        return self.stage == "running" and self.queue.has_room()

    def take(self, fetch: Fetch) -> None:
        """Queue a fetch."""
        self.queue.add(fetch)
        self._wake.set()

    async def flush(self) -> None:
        """Drop what is queued, and commit what is done."""
        self.queue.forget()
        if self.stage == "running":
            self._flushed = self._flushed or asyncio.get_running_loop().create_future()
            self._wake.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await asyncio.shield(self._flushed)

    async def close(self, running: "asyncio.Task[None] | None") -> None:
        """Let `running` commit and end it, then end the transactions and the store."""
        if running is not None:
            await self.flush()
            await end_tasks(running)
        self.stage = "closed"
        await self._producer.close()
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
            except MigratedError as error:
                log.warning("Partition %s was lost: %s.", self.partition, error)
                delay = _RETRY_SECONDS[min(losses, len(_RETRY_SECONDS) - 1)]
                if isinstance(error, FencedError):
                    delay = FENCED_SECONDS
                losses += 1
                self.losses += 1
            except OversizeKeyError as error:
                self._processor.oversize_keys.add(error.key)
                delay = 0.0
            except CorruptedError as error:
                assert self.store is not None
                self.store.set_aside(str(error))
                self.store, delay = None, 0.0
            except FullError as error:
                log.warning("Partition %s waits: %s.", self.partition, error)
                if self.store is not None:  # RocksDB writes to it again only after it was opened anew
                    self.store.close()
                self.store, delay = None, _FULL_SECONDS
            self.stage = "lost"
            self._end_flush()
            await asyncio.sleep(delay)

    async def open(self) -> None:
        """Fence the previous owner, and only then restore and learn the positions."""
        self.stage = "fencing"
        self.queue.forget()
        self._known.clear()
        await self._producer.fence()
        if self.store is None:
            self.store = Store(self._open_map())
        self.stage = "restoring"
        reach("restore.before")
        async with started(self._changelog) as changelog:
            self.store.claim(await changelog.identity())
            await restore(self.store, changelog, self.progress, self.partition)
        reach("restore.after")
        row = self.store.get(POSITION)
        self._positions = _read_positions(row) if row else {}
        self._uncommitted_since = self._clock() if row else None  # the last owner may not have come to it
        self._timers = Timers(self.store, self._processor)
        self._processor.journeys = Journeys()
        self._begin()
        self._processor.claim(self._transaction)
        await self.queue.seek(self._transaction.positions)
        self.stage = "running"

    def _begin(self) -> None:
        assert self.store is not None
        self._transaction = Transaction(self.store, self._known, self._positions, self._producer.output)
        self._begun = self._committed = self._clock()
        self._due = self._timers.next_time(self._begun)

    async def step(self) -> None:
        """Do a slice of input and timers, or commit, or wait for something to do."""
        if self._processor.journeys is not self._journeys():
            await self.commit()
            self._processor.journeys = self._journeys()
            await self._timers.review(self._transaction)
            self._due = self._clock()
        now = self._clock()
        before = self._transaction.inputs
        await self._take_in(now)
        if self._due is not None and self._due <= now:
            self._timers.act(self._transaction, now, DUTIES)
            self._due = self._timers.next_time(now)
        if self._is_time_to_commit(now):
            await self.commit()
        elif self._transaction.inputs > before:
            await self._take_turns()
        else:
            await self._rest(now)

    async def _take_in(self, now: datetime) -> None:
        """Take in what waits, a slice of it."""
        while self.queue and self._transaction.inputs < MOST:
            await self.queue.take(self._transaction, self._processor, now, SLICE)
            if self._clock() - now >= SLICE_TIME:
                break

    async def _take_turns(self) -> None:
        """Let the network be served, and every other busy partition do a slice.

        Else the event loop goes round once in as many slices as partitions are busy, and a commit, which takes
        several rounds, lasts seconds.
        """
        async with self._turn:
            await asyncio.sleep(0)

    def _is_time_to_commit(self, now: datetime) -> bool:
        transaction = self._transaction
        if self._flushed is not None:
            return True
        if not transaction.inputs:
            return self._tells_offsets(now)
        if transaction.inputs >= MOST or transaction.size >= LARGEST:
            return True
        return now >= self._next_commit(now)

    def _next_commit(self, now: datetime) -> datetime:
        """Return when to commit what is done: later while there is more to do at once."""
        transaction, lasts = self._transaction, timedelta(seconds=self._commit_seconds)
        if self.queue or (self._due is not None and self._due <= now):
            goes_on = _PATIENCE * lasts if transaction.inputs >= _ENOUGH else _STRETCH * self._interval
            return self._begun + min(goes_on, _STRETCH * self._interval)
        if transaction.inputs >= _WORTH:
            return self._committed + self._interval
        return self._committed + min(self._interval, 2 * lasts)

    async def _rest(self, now: datetime) -> None:
        """Wait for input, the next due wait, or the time to commit."""
        until = [self._due] if self._due is not None else []
        if self._transaction.inputs:
            until.append(self._next_commit(now))
        elif self._uncommitted_since is not None:
            until.append(self._uncommitted_since + OFFSETS_EVERY)
        self._wake.clear()
        if self.queue or self._flushed is not None or self._processor.journeys is not self._journeys():
            return
        with suppress(TimeoutError):
            seconds = max(0.0, (min(until) - now).total_seconds()) if until else _LOOK_UP
            async with asyncio.timeout(min(seconds, _LOOK_UP)):
                await self._wake.wait()

    # --- commit ---------------------------------------------------------------------------------------------

    async def commit(self) -> None:
        """Commit to the broker, and only then to the store."""
        transaction, store = self._transaction, self.store
        assert store is not None
        started = self._clock()
        tells = self._tells_offsets(started)
        if transaction.inputs or transaction.positions != self._positions or tells:
            commit, marks = transaction.encode()
            offset = await self._producer.commit(commit._replace(positions=self._offsets() if tells else {}))
            self._uncommitted_since = None if tells else self._uncommitted_since or started
            reach("store.before")
            store.write(commit.rows, marks, offset)
            reach("store.after")
            self._timers.note_commit(marks)
            self._keep(transaction.customers)
            self._positions = transaction.positions
            self.inputs += transaction.inputs
            self.commits += 1
            seconds = (self._clock() - started).total_seconds()
            self._commit_seconds += (seconds - self._commit_seconds) / 8
        self._begin()
        self._committed = started
        self._end_flush()

    def _tells_offsets(self, now: datetime) -> bool:
        """Say whether this commit takes the group's offsets along.

        The positions are a row, and the task seeks to them; the group's offsets are for whoever watches its lag,
        and half of what a commit costs.
        """
        if self._flushed is not None:
            return self._uncommitted_since is not None or self._transaction.positions != self._positions
        return self._uncommitted_since is not None and now >= self._uncommitted_since + OFFSETS_EVERY

    def _offsets(self) -> dict[str, int]:
        """Return what the group is told: the positions in topics that it reads."""
        positions = self._transaction.positions
        return {topic: at for topic, at in positions.items() if topic not in self.queue.unread}

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

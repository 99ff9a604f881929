"""A partition while it is running: its open transaction and what it remembers; dropped whole when it is lost."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import NamedTuple

import structlog

from streams.failpoints import reach
from streams.kafka.producer import Producer
from streams.kafka.records import Commit
from streams.kafka.topics import INBOX
from streams.partition.backlog import Backlog
from streams.partition.context import Context, Counts
from streams.partition.internal_rows import POSITION, read_positions
from streams.partition.isolation import Isolation, tell_letter
from streams.partition.known import KnownCustomers
from streams.partition.opening import claim, go_on
from streams.partition.outputs import Router
from streams.partition.pacing import Load
from streams.partition.queue import RecordQueue
from streams.partition.timers import Timers
from streams.partition.transaction import NO_ROWS, Transaction, UnwritableRowError
from streams.state.store import Store

_LOOK_UP = 5.0  # seconds at most between two looks: whoever brings input or new journeys calls

log = structlog.get_logger()


class _InFlight(NamedTuple):
    """A transaction on its way to the broker, and the task that ends when the store has it, too."""

    rows: Mapping[bytes, bytes | None]
    arrival: "asyncio.Task[None]"


class Session:
    """One partition that runs: slices of input and timers, while the transaction before is being committed."""

    def __init__(
        self, store: Store, producer: Producer, queue: RecordQueue, router: Router, context: Context, counts: Counts
    ) -> None:
        row = store.get(POSITION)
        self._store = store
        self._producer = producer
        self._queue = queue
        self._context = context
        self._counts = counts
        self._processor = context.make_processor(router)
        self._isolation = Isolation(self._processor)
        self._known = KnownCustomers(context.customers_kept)
        self._round = context.pace.round  # of the worker's commits, when the transaction got its first input
        self._in_flight: _InFlight | None = None
        self._began = context.clock()  # the transaction at hand
        self._timers = self._look_at_timers(Backlog(self._began, {}))
        self._transaction = self._begin(read_positions(row) if row else {})
        self._flush: asyncio.Future[None] | None = None
        self._at_once = context.pace.pacing.slice_records

    def _look_at_timers(self, backlog: Backlog) -> Timers:
        return Timers(self._store, self._processor, backlog, self._context.clock())

    def _begin(self, positions: Mapping[str, int]) -> Transaction:
        tally = self._context.tracing.tally() if self._context.tracing else None
        pending = NO_ROWS if self._in_flight is None else self._in_flight.rows
        return Transaction(
            self._store, self._known, positions, self._processor.router, self._producer.output, tally, pending
        )

    async def start(self) -> None:
        """Claim the state for this number of partitions, and let the consumer go on at the positions.

        Raises FairwayError if the state is another number's, MigratedError if the consumer can't seek.
        """
        claim(self._transaction)
        await go_on(self._transaction, self._queue, self._context.topics)
        self._timers = self._look_at_timers(Backlog(self._context.clock(), self._queue.ends))

    # --- from outside, between two awaits -------------------------------------------------------------------

    @property
    def positions(self) -> Mapping[str, int]:
        """Return the offset in each topic up to which this session has taken in what came."""
        return self._transaction.positions

    def note_fetch(self) -> None:
        """Ask to come first if the fetch is of a topic of which nothing was waiting."""
        if self._queue.new:
            self._context.pace.turns.ask(self._is_urgent)

    async def flush(self) -> None:
        """Commit what is done, and return when it is committed or the session has ended."""
        self._flush = self._flush or asyncio.get_running_loop().create_future()
        self._queue.filled.set()
        await asyncio.shield(self._flush)

    def end(self) -> None:
        """Let go of whoever waits for a flush, and of what is on its way: the changelog tells its end."""
        if self._in_flight is not None:
            self._in_flight.arrival.cancel()
        self._end_flush()

    def _end_flush(self) -> None:
        if self._flush is not None and not self._flush.done():
            self._flush.set_result(None)
        self._flush = None

    async def run(self) -> None:
        """Work, and wait for something to do, until cancelled; raises MigratedError."""
        while True:
            if not await self.step():
                await self._rest()

    async def step(self) -> bool:
        """Do a slice of input and timers, or commit; say whether there was anything to do."""
        if self._processor.journeys is not self._context.journeys():
            await self._follow_journeys()
        if self._has_arrived:
            await self._end_commit()
        now, before = self._context.clock(), self._transaction.inputs
        if self._is_behind and not self._context.pace.pacing.goes_along(self._load(now), now):
            self._round = self._context.pace.round  # as if it had begun after the others' commit
        if self._is_behind or (not self._queue.new and self._is_time_to_commit(now)):
            await self._commit_and_line_up()
            return True
        if not before:
            self._round = self._context.pace.round
        await self._take_in(now)
        if self._timers.is_due(now):
            self._act(now)
        if self._flush is not None:
            await self.commit()
        elif self._is_time_to_commit(now):
            await self._commit_and_line_up()
        elif self._transaction.inputs > before:
            await self._line_up()
        else:
            return False
        return True

    async def _commit_and_line_up(self) -> None:
        await self._begin_commit()
        await self._line_up()

    async def _line_up(self) -> None:
        may_be_urgent = bool(self._queue.new) or self._transaction.is_fresh
        await self._context.pace.turns.wait(self._is_urgent, is_asked=may_be_urgent)

    def _is_urgent(self) -> bool:
        """Say whether somebody waits for this partition's turn who waits for no backlog."""
        if self._queue.new:
            return True
        is_fresh = self._transaction.is_fresh
        return is_fresh and (self._has_arrived or self._is_time_to_commit(self._context.clock()))

    async def _follow_journeys(self) -> None:
        await self.commit()
        self._processor.journeys = self._context.journeys()
        await self._timers.review(self._transaction, self._context.clock())

    async def _take_in(self, now: datetime) -> None:
        """Take in what waits, a slice of it."""
        pacing, transaction = self._context.pace.pacing, self._transaction
        before, was_new = transaction.inputs, bool(self._queue.new)
        while self._queue and transaction.inputs < pacing.most_inputs and bool(self._queue.new) is was_new:
            portion = await self._queue.next(transaction.positions, self._at_once)
            if portion is not None:
                self._isolation.take(transaction, portion, now)
                if self._queue.is_at_end(portion):
                    transaction.is_fresh = True
            lasted = self._context.clock() - now
            if lasted >= pacing.slice_time:
                self._at_once = pacing.records_at_once(transaction.inputs - before, lasted)
                break

    def _act(self, now: datetime) -> None:
        """Do a slice of what is due; a wait comes after what had arrived when it was due (R32)."""
        was_overtaken = self._timers.backlog.is_overtaken
        until = self._timers.backlog.fires_until(now, self._transaction.positions, self._queue.ends)
        if self._timers.backlog.is_overtaken and not was_overtaken:
            self._counts.overtaken += 1
            log.warning(
                "Waits of partition %s fire before what had arrived when they were due: it is not read after "
                "10 minutes. See fairway_consumer_lag.",
                self._processor.router.partition,
            )
        self._timers.act(self._transaction, now, until, self._context.pace.pacing.slice_timers)

    async def _rest(self) -> None:
        """Wait for input, the next due wait, the time to commit, or the end of a commit."""
        now = self._context.clock()
        until = min((moment for moment in (self._timers.next, self._next_commit(now)) if moment), default=None)
        self._queue.filled.clear()
        if self._queue or self._flush is not None or self._has_arrived:
            return
        if self._processor.journeys is not self._context.journeys():
            return
        if self._transaction.inputs:
            self._context.pace.wake(self._queue.filled)
        seconds = _LOOK_UP if until is None else max(0.0, (until - now).total_seconds())
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, _LOOK_UP)):
                await self._queue.filled.wait()

    def _load(self, now: datetime) -> Load:
        one = self._transaction
        has_more = bool(self._queue) or self._timers.is_due(now) or self._queue.lies_behind(one.positions)
        return self._context.pace.load(
            one.inputs, one.outputs.size, self._began, has_more=has_more, is_fresh=one.is_fresh
        )

    def _is_time_to_commit(self, now: datetime) -> bool:
        """Say whether to commit; while a commit is on its way only if nothing more fits."""
        if not self._transaction.inputs:
            return False
        pace, load = self._context.pace, self._load(now)
        if self._in_flight is not None:
            return pace.pacing.is_full(load)
        return self._is_behind or pace.pacing.is_time(load, now)

    @property
    def _is_behind(self) -> bool:
        """Say whether others have begun to commit since the transaction got its first input."""
        is_free = self._in_flight is None or self._has_arrived
        return is_free and self._round != self._context.pace.round and self._transaction.inputs > 0

    def _next_commit(self, now: datetime) -> datetime | None:
        if not self._transaction.inputs or self._in_flight is not None:
            return None
        return now if self._is_behind else self._context.pace.pacing.next_commit(self._load(now))

    @property
    def _has_arrived(self) -> bool:
        return self._in_flight is not None and self._in_flight.arrival.done()

    async def commit(self) -> None:
        """Commit what is done, and return when the store has it, too."""
        await self._begin_commit()
        await self._end_commit()
        self._end_flush()

    async def _begin_commit(self) -> None:
        """Let what is done be on its way, and begin the next transaction over it."""
        await self._end_commit()
        transaction, started = self._transaction, self._context.clock()
        if not (transaction.inputs or transaction.has_moved):
            return
        try:
            prepared = transaction.prepare()
        except UnwritableRowError as error:
            await self._rewind(error.key)
            return
        self._known.keep(transaction.customers, prepared.rows)
        commit = Commit(prepared.rows, prepared.outputs, self._offsets())
        arrival = asyncio.create_task(self._deliver(commit, transaction, prepared.marks, started))
        arrival.add_done_callback(partial(self._note_arrival, started))
        self._in_flight = _InFlight(prepared.rows, arrival)
        self._transaction, self._began = self._begin(transaction.positions), started
        if self._round == self._context.pace.round:
            self._context.pace.begin(started)

    async def _deliver(
        self, commit: Commit, transaction: Transaction, marks: Mapping[bytes, bool], started: datetime
    ) -> None:
        """Commit, and move the store to where the broker is then; after a crash before that, the changelog does.

        The partitions that commit together do the latter one after another: as a part of each one's next turn, with
        slices of others between, it would find nothing of what it needs in the processor's cache.
        """
        offset = await self._producer.commit(commit)
        reach("store.before")
        self._store.write(commit.rows, marks, offset)
        reach("store.after")
        self._timers.note_commit(marks)
        self._counts.inputs += transaction.inputs
        self._counts.commits += 1
        for letter in transaction.outputs.letters:
            tell_letter(letter, transaction.tally)
        transaction.tally.count(started, self._context.clock())

    def _note_arrival(self, started: datetime, arrival: "asyncio.Task[None]") -> None:
        """Wake the session; its error is raised where the commit ends, if the session has not ended before."""
        if not arrival.cancelled() and arrival.exception() is None:
            self._context.pace.note_commit(self._context.clock() - started)
        self._queue.filled.set()
        if self._is_behind:  # the others' commit waits for the next round only
            self._context.pace.turns.call(self._is_urgent)

    async def _end_commit(self) -> None:
        """Wait for what is on its way, if anything is."""
        if self._in_flight is None:
            return
        await self._in_flight.arrival
        self._in_flight = None
        self._timers.look(self._context.clock())

    def _offsets(self) -> dict[str, int]:
        """Return what the group is told: the positions in topics that it reads.

        There is always one, for it is by offsets that the broker looks at the generation.
        """
        positions = self._transaction.positions
        told = {topic: at for topic, at in positions.items() if topic not in self._queue.unread}
        return {INBOX: positions.get(INBOX, 0)} | told

    async def _rewind(self, key: bytes) -> None:
        """Drop the transaction, of which nothing was sent, and do its inputs again, this key's each for itself."""
        self._known.refuse(key)
        self._queue.clear()
        self._timers = self._look_at_timers(self._timers.backlog)
        self._transaction = self._begin(self._transaction.start)
        self._end_flush()
        await go_on(self._transaction, self._queue, self._context.topics)

"""A partition while it is running: its open transaction and what it remembers; dropped whole when it is lost."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

import structlog

from streams.errors import FairwayError
from streams.failpoints import reach
from streams.kafka.producer import Producer
from streams.kafka.records import Commit
from streams.partition.backlog import Backlog
from streams.partition.context import Context, Counts
from streams.partition.internal_rows import (
    MOVED_FROM,
    MOVED_TO,
    PARTITIONS,
    POSITION,
    TOPICS,
    read_partitions,
    read_positions,
    read_topic_ids,
)
from streams.partition.isolation import Isolation
from streams.partition.known import KnownCustomers
from streams.partition.outputs import Router
from streams.partition.pacing import Load, Pace
from streams.partition.queue import RecordQueue
from streams.partition.redistribution import check_move
from streams.partition.timers import Timers
from streams.partition.transaction import Letter, Prepared, Transaction, UnwritableRowError
from streams.state.store import Store

_KEY_SHOWN = 1200  # bytes of a dead letter's key in the log
_LOOK_UP = 0.5  # seconds until new journeys are noticed without input

log = structlog.get_logger()


class Session:
    """One partition that runs: slices of input and timers, and commits, in turn."""

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
        self._pace = Pace(context.pacing, context.clock(), owes_offsets=row is not None)
        self._timers = self._look_at_timers(Backlog(context.clock(), {}))
        self._transaction = self._begin(read_positions(row) if row else {})
        self._flush: asyncio.Future[None] | None = None
        self._at_once = context.pacing.slice_records

    def _look_at_timers(self, backlog: Backlog) -> Timers:
        return Timers(self._store, self._processor, backlog, self._context.clock())

    def _begin(self, positions: Mapping[str, int]) -> Transaction:
        tally = self._context.tracing.tally() if self._context.tracing else None
        return Transaction(
            self._store, self._known, positions, self._processor.router, self._producer.output, tally
        )

    async def start(self) -> None:
        """Claim the state for this number of partitions, and let the consumer go on at the positions.

        Raises FairwayError if the state is another number's, MigratedError if the consumer can't seek.
        """
        self._claim()
        await self._seek()
        self._timers = self._look_at_timers(Backlog(self._context.clock(), self._queue.ends))

    def _claim(self) -> None:
        check_move(self._transaction.row(MOVED_TO), self._transaction.row(MOVED_FROM))
        row, router = self._transaction.row(PARTITIONS), self._processor.router
        found = router.partitions if row is None else read_partitions(row)
        if found != router.partitions:
            raise FairwayError(
                f"The state of partition {router.partition} was made when there were {found} partitions, and "
                f"now there are {router.partitions}: most customers' events would come to one that does not "
                "know them. "
                "Where topics.yaml was changed, change it back; 'fairway state move' moves the state."
            )
        if row is None:
            with self._transaction.slice() as slice_:
                slice_.put(PARTITIONS, found)
            self._transaction.inputs += 1

    async def _seek(self) -> None:
        later = await self._queue.seek(self._transaction.positions, self._context.topics)
        for topic, position in later.items():
            self._transaction.advance(topic, position, 0)
        await self._recognize_topics()

    async def _recognize_topics(self) -> None:
        """Begin topics that were made anew at their beginning: the positions are those of others of the name."""
        transaction, row = self._transaction, self._transaction.row(TOPICS)
        known = read_topic_ids(row) if row else {}
        found = known | {topic: id_ for topic, id_ in self._queue.ids.items() if id_}
        if found == known:
            return
        with transaction.slice() as slice_:
            slice_.put(TOPICS, found)
        transaction.inputs += 1
        anew = {topic: 0 for topic in known if found[topic] != known[topic] and transaction.positions.get(topic)}
        for topic, position in (anew | await self._queue.seek(anew)).items():
            log.warning("'%s' was made anew: partition %s begins it.", topic, self._processor.router.partition)
            transaction.advance(topic, position, 0)

    # --- from outside, between two awaits -------------------------------------------------------------------

    @property
    def positions(self) -> Mapping[str, int]:
        """Return the offset in each topic up to which this session has taken in what came."""
        return self._transaction.positions

    async def flush(self) -> None:
        """Commit what is done, and return when it is committed or the session has ended."""
        self._flush = self._flush or asyncio.get_running_loop().create_future()
        self._queue.filled.set()
        await asyncio.shield(self._flush)

    def end(self) -> None:
        """Let go of whoever waits for a flush."""
        if self._flush is not None and not self._flush.done():
            self._flush.set_result(None)
        self._flush = None

    # --- slices ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Work, and wait for something to do, until cancelled; raises MigratedError."""
        while True:
            if not await self.step():
                await self._rest()

    async def step(self) -> bool:
        """Do a slice of input and timers, or commit; say whether there was anything to do."""
        if self._processor.journeys is not self._context.journeys():
            await self._follow_journeys()
        now = self._context.clock()
        before = self._transaction.inputs
        await self._take_in(now)
        if self._timers.is_due(now):
            self._act(now)
        if self._is_time_to_commit(now):
            await self.commit()
        elif self._transaction.inputs > before:
            await self._take_turns()
        else:
            return False
        return True

    async def _follow_journeys(self) -> None:
        await self.commit()
        self._processor.journeys = self._context.journeys()
        await self._timers.review(self._transaction, self._context.clock())

    async def _take_in(self, now: datetime) -> None:
        """Take in what waits, a slice of it."""
        pacing, transaction = self._context.pacing, self._transaction
        before = transaction.inputs
        while self._queue and transaction.inputs < pacing.most_inputs:
            portion = await self._queue.next(transaction.positions, self._at_once)
            if portion is not None:
                self._isolation.take(transaction, portion, now)
                if self._queue.is_at_end(portion):
                    self._pace.note_fresh()
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
        self._timers.act(self._transaction, now, until, self._context.pacing.slice_timers)

    async def _take_turns(self) -> None:
        """Let the network be served, and every other busy partition do a slice.

        Else the event loop goes round once in as many slices as partitions are busy, and a commit, which takes
        several rounds, lasts seconds.
        """
        async with self._context.turn:
            await asyncio.sleep(0)

    async def _rest(self) -> None:
        """Wait for input, the next due wait, or the time to commit."""
        now = self._context.clock()
        commit = (
            self._context.pacing.next_commit(self._load(now))
            if self._transaction.inputs
            else self._pace.offsets_due
        )
        until = min((moment for moment in (self._timers.next, commit) if moment is not None), default=None)
        self._queue.filled.clear()
        if self._queue or self._flush is not None or self._processor.journeys is not self._context.journeys():
            return
        seconds = _LOOK_UP if until is None else max(0.0, (until - now).total_seconds())
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, _LOOK_UP)):
                await self._queue.filled.wait()

    # --- commits --------------------------------------------------------------------------------------------

    def _load(self, now: datetime) -> Load:
        has_more = bool(self._queue) or self._timers.is_due(now)
        return self._pace.load(self._transaction.inputs, self._transaction.outputs.size, has_more=has_more)

    def _is_time_to_commit(self, now: datetime) -> bool:
        if self._flush is not None:
            return True
        if not self._transaction.inputs:
            return self._takes_offsets(now)
        return self._context.pacing.is_time(self._load(now), now)

    def _takes_offsets(self, now: datetime) -> bool:
        """Say whether this commit takes the group's offsets along.

        The positions are a row, and the task seeks to them; the group's offsets are for whoever watches its lag,
        and half of what a commit costs.
        """
        if self._flush is not None:
            return self._pace.owes_offsets or self._transaction.has_moved
        due = self._pace.offsets_due
        return due is not None and now >= due

    async def commit(self) -> None:
        """Commit to the broker, and only then to the store."""
        started = self._context.clock()
        takes_offsets = self._takes_offsets(started)
        if self._transaction.inputs or self._transaction.has_moved or takes_offsets:
            try:
                prepared = self._transaction.prepare()
            except UnwritableRowError as error:
                await self._rewind(error.key)
                return
            offsets = self._offsets() if takes_offsets else {}
            offset = await self._producer.commit(Commit(prepared.rows, prepared.outputs, offsets))
            self._post_commit(prepared, offset)
            committed = self._context.clock()
            self._transaction.tally.count(started, committed)
            self._pace.note_commit(started, committed, with_offsets=takes_offsets)
        self._transaction = self._begin(self._transaction.positions)
        self._pace.begin(started, self._context.clock())
        self._timers.look(self._context.clock())
        self.end()

    def _offsets(self) -> dict[str, int]:
        """Return what the group is told: the positions in topics that it reads."""
        positions = self._transaction.positions
        return {topic: at for topic, at in positions.items() if topic not in self._queue.unread}

    def _post_commit(self, prepared: Prepared, offset: int) -> None:
        """Move the store to where the broker is now; after a crash before this, the changelog does."""
        reach("store.before")
        self._store.write(prepared.rows, prepared.marks, offset)
        reach("store.after")
        self._timers.note_commit(prepared.marks)
        self._known.keep(self._transaction.customers, prepared.rows)
        self._counts.inputs += self._transaction.inputs
        self._counts.commits += 1
        for letter in self._transaction.outputs.letters:
            self._tell(letter)

    def _tell(self, letter: Letter) -> None:
        """Count what was put aside, and log it once: a key that is no customer's may be anything about a person."""
        code, raw = letter.problem.code, letter.record[1] or b""
        key = raw[:_KEY_SHOWN].decode(errors="replace") if b":" in raw else ""
        self._transaction.tally.note_letter(code, letter.record[3])
        log.warning("An input was put aside as a dead letter.", key=key, code=code, why=letter.problem.reason)

    async def _rewind(self, key: bytes) -> None:
        """Drop the transaction, of which nothing was sent, and do its inputs again, this key's each for itself."""
        self._known.refuse(key)
        self._queue.clear()
        self._timers = self._look_at_timers(self._timers.backlog)
        self._transaction = self._begin(self._transaction.start)
        self.end()
        await self._seek()

"""Reads the activity topic in a worker and hands it to the projector: the workers' journeys never wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from streams.cancellation import end_tasks
from streams.database import UNREACHABLE
from streams.history.projector import Projector
from streams.kafka.errors import FencedError, MigratedError
from streams.kafka.fetch import Fetch, Seek
from streams.kafka.topics import ACTIVITY

_log = structlog.get_logger()
_QUEUED = 4  # fetches a partition that wait to be written
_AT_ONCE = 2  # partitions written at the same time
_AGAIN = 1.0  # seconds until the broker is asked again
_PRUNE_EVERY = timedelta(hours=1)
_LOOK_EVERY = 10.0  # seconds until Postgres is asked where it stands: it may have been restored, or emptied

LAG = Gauge("fairway_history_lag_seconds", "Age of the oldest activity record that this worker has yet to project.")
PROJECTED = Counter("fairway_history_records_total", "Activity records written to Postgres.")


class _Partition:
    """What is known of one partition that this worker projects."""

    def __init__(self) -> None:
        self.queue: deque[Fetch] = deque()
        self.filled = asyncio.Event()
        self.sought = -1
        self.seeks: int | None = None
        self.is_first = True
        self.following = -1  # the offset that was to come next when Postgres was last written to or asked
        self.is_doubted = False  # whether Postgres stands before that, as was seen by a look at all partitions
        self.asked: datetime | None = None  # since when it is not known where to go on


class HistoryReader:
    """A reader of the activity topic: starts where Postgres says, and follows it when that changes."""

    topics: Sequence[str] = (ACTIVITY,)

    def __init__(
        self,
        projector: Projector,
        now: Callable[[], datetime],
        days: int | None = None,
        *,
        look_every: float = _LOOK_EVERY,
    ) -> None:
        self._projector = projector
        self._look_every = look_every
        self._now = now
        self._days = days
        self._partitions: dict[int, _Partition] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._keeping: asyncio.Task[None] | None = None
        self._turns = asyncio.Semaphore(_AT_ONCE)
        LAG.set_function(self.lag)

    def wants(self, topic: str, partition: int) -> bool:
        """Say whether there is room for another fetch."""
        state = self._partitions.get(partition)
        return state is not None and state.seeks is not None and len(state.queue) < _QUEUED

    def take(self, fetch: Fetch) -> None:
        """Take a fetch in, unless it was asked for before the consumer was told where to go on."""
        state = self._partitions.get(fetch.partition)
        if state is not None and fetch.seeks == state.seeks:
            state.queue.append(fetch)
            state.filled.set()

    async def assign(self, partitions: Sequence[int], assignment: int, seek: Seek) -> None:
        """Project these partitions from now on; returns at once, for Postgres may be away.

        Those that stay go on; what was not committed to Postgres of the others is projected by their next owner.
        """
        await end_tasks(*(self._tasks.pop(gone) for gone in self._partitions.keys() - set(partitions)))
        self._partitions = {partition: self._partitions.get(partition) or _Partition() for partition in partitions}
        for partition, state in self._partitions.items():
            if partition not in self._tasks:
                self._tasks[partition] = asyncio.create_task(self._keep_running(partition, state, seek))
        if partitions and self._keeping is None:
            self._keeping = asyncio.create_task(self._keep())
        elif not partitions and self._keeping is not None:
            await end_tasks(self._keeping)
            self._keeping = None

    async def close(self) -> None:
        """Stop and give the connections back."""
        await end_tasks(*self._tasks.values(), *([self._keeping] if self._keeping else ()))
        await self._projector.close()

    def lag(self) -> float:
        """Return the age of the oldest record that waits, in seconds; 0 if none does.

        A partition of which Postgres has yet to say where to go on is as old as that question.
        """
        states = self._partitions.values()
        waiting = [state.queue[0].records for state in states if state.queue]
        moments = [records[0].timestamp / 1000 for records in waiting if records]
        moments += [state.asked.timestamp() for state in states if state.asked is not None]
        return max(0.0, self._now().timestamp() - min(moments)) if moments else 0.0

    async def _keep_running(self, partition: int, state: _Partition, seek: Seek) -> None:
        """Project a partition for as long as it is assigned; what goes wrong begins anew where Postgres stands."""
        while True:
            try:
                await self._run(partition, state, seek)
            except Exception as error:
                _log.exception("the history of a partition begins anew", partition=partition, error=repr(error))
                await asyncio.sleep(_AGAIN)

    async def _run(self, partition: int, state: _Partition, seek: Seek) -> None:
        state.asked = state.asked or self._now()
        state.following = await self._projector.position(partition)
        await self._start(partition, state, seek)
        while True:
            await state.filled.wait()
            if state.is_doubted:
                await self._ask_again(partition, state, seek)
                continue
            fetch = state.queue[0]
            if state.is_first and fetch.start != state.sought:
                # Retention has passed the position, or the topic was made anew: go on with what there is.
                await self._projector.rewind(partition, fetch.start)
            state.is_first = False
            async with self._turns:
                state.following = await self._projector.project(partition, fetch.records, fetch.start, fetch.end)
            if state.following < fetch.start:  # the history is being rebuilt
                await self._start(partition, state, seek)
                continue
            PROJECTED.inc(len(fetch.records))
            state.queue.popleft()
            if not state.queue:
                state.filled.clear()

    async def _ask_again(self, partition: int, state: _Partition, seek: Seek) -> None:
        """Go on where Postgres stands, if it does stand before what comes next."""
        state.is_doubted = False
        if not state.queue:
            state.filled.clear()
        position = await self._projector.position(partition)
        if position < state.following:
            state.following = position
            await self._start(partition, state, seek)

    async def _start(self, partition: int, state: _Partition, seek: Seek) -> None:
        position = state.following
        state.seeks = None
        state.queue.clear()
        state.filled.clear()
        state.sought, state.is_first = position, True
        while state.seeks is None:
            try:
                state.seeks = (await seek(ACTIVITY, partition, position)).seeks
                state.asked = None
            except FencedError:
                return  # it belongs to another worker by now
            except MigratedError as error:
                _log.warning("the activity can't be read for now", partition=partition, error=str(error))
                await asyncio.sleep(_AGAIN)

    async def _keep(self) -> None:
        """Look where Postgres stands, and remove what is old, for as long as there are partitions."""
        pruned: datetime | None = None
        while True:
            try:
                if self._days and (pruned is None or self._now() >= pruned + _PRUNE_EVERY):
                    pruned = self._now()
                    await self._projector.prune(pruned - timedelta(days=self._days))
                await asyncio.sleep(self._look_every)
                await self._look()
            except UNREACHABLE as error:
                _log.warning("the history can't be looked at for now", error=str(error).partition("\n")[0])
                await asyncio.sleep(_AGAIN)
            except Exception as error:
                _log.exception("the history can't be looked at", error=repr(error))

    async def _look(self) -> None:
        """Let those partitions ask again of which Postgres stands before what comes next: one statement for all."""
        before = {state: (partition, state.following) for partition, state in self._partitions.items()}
        positions = await self._projector.positions()
        for state, (partition, following) in before.items():
            if positions.get(partition, 0) < following:
                state.is_doubted = True
                state.filled.set()

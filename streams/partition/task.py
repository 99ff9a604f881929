"""PartitionTask: the life of one partition on the worker that owns it.

It fences the previous owner, restores the state, and runs until it is closed. A partition that was taken over, or
whose commit has an unknown outcome, is lost: what is not committed is dropped, and the partition opened anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Literal

import structlog

from streams.cancellation import end_tasks
from streams.failpoints import reach
from streams.kafka.changelog import Changelog
from streams.kafka.clients import started
from streams.kafka.errors import FencedError, MigratedError, TooLargeError
from streams.kafka.fetch import Fetch
from streams.kafka.producer import Producer
from streams.partition.context import Context, Counts
from streams.partition.metrics import LOSSES
from streams.partition.outputs import Router
from streams.partition.queue import RecordQueue
from streams.partition.restore import Progress, restore
from streams.partition.session import Session
from streams.state.errors import CorruptedError, FullError
from streams.state.ordered_map import OrderedMap
from streams.state.store import Store

# Longer than a heartbeat: by then a worker that lost the partition knows, and does not fence its new owner.
FENCED_SECONDS = 1.0
_FLUSH_SECONDS = 10.0
_FULL_SECONDS = 5.0
_RETRY_SECONDS = (0.1, 0.5, 1.0, 2.0)

Stage = Literal["fencing", "restoring", "running", "lost", "closed"]

STAGES: Mapping[Stage, tuple[Stage, ...]] = {
    "fencing": ("restoring", "lost", "closed"),
    "restoring": ("running", "lost", "closed"),
    "running": ("lost", "closed"),
    "lost": ("fencing", "closed"),
    "closed": (),
}
"""Every stage of a task's life, from the first, and those that may follow it."""

log = structlog.get_logger()


class PartitionTask:
    """One partition. `take` gives it input, `run` does the work, `flush` and `close` end it in order."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        producer: Producer,
        changelog: Changelog,
        open_map: Callable[[], Awaitable[OrderedMap]],
        context: Context,
    ) -> None:
        self.partition = partition
        self.stage: Stage = "fencing"
        self.progress = Progress()
        self.counts = Counts()
        self.queue = RecordQueue(partition, partitions)
        self.store: Store | None = None
        self.session: Session | None = None
        self._partitions = partitions
        self._producer = producer
        self._changelog = changelog
        self._open_map = open_map
        self._context = context

    # --- from outside, between two awaits -------------------------------------------------------------------

    def wants(self, topic: str | None = None) -> bool:
        """Say whether the task has room for another fetch, of a topic or of any."""
        return self.stage == "running" and self.queue.has_room(topic)

    @property
    def has_to_restore(self) -> bool:
        """Say whether rows are missing, or may be, before the task can run."""
        if self.stage == "restoring":
            return not self.progress.end or self.progress.offset < self.progress.end
        return self.stage == "fencing" and self.store is None

    def take(self, fetch: Fetch) -> None:
        """Queue a fetch."""
        self.queue.add(fetch)
        if self.session is not None:
            self.session.note_fetch()

    async def flush(self) -> None:
        """Drop what is queued, and commit what is done."""
        self.queue.clear()
        if self.session is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await self.session.flush()

    async def finish(self, running: "asyncio.Task[None]") -> None:
        """Let `running` commit and end it; the store stays open."""
        await self.flush()
        await end_tasks(running)

    async def close(self, running: "asyncio.Task[None] | None") -> None:
        """Let `running` commit and end it, then end the transactions and the store."""
        if running is not None:
            await self.finish(running)
        self._end_session("closed")
        await self._producer.close()
        store, self.store = self.store, None
        if store is not None:
            await asyncio.to_thread(store.close)  # it may have 100 MiB to write, and other partitions go on

    # --- the task's own life --------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open, work, and after a loss open anew, until cancelled; raises what is an error of ours."""
        losses = 0  # in a row
        while True:
            try:
                session = await self.open()
                losses = 0
                await session.run()
            except MigratedError as error:
                log.warning("Partition %s was lost: %s.", self.partition, error)
                if isinstance(error, TooLargeError):
                    await self._context.limits.learn(error.topic)
                is_fenced = isinstance(error, FencedError)
                delay = FENCED_SECONDS if is_fenced else _RETRY_SECONDS[min(losses, len(_RETRY_SECONDS) - 1)]
                losses += 1
                self.counts.losses += 1
                LOSSES.labels("fenced" if is_fenced else "unknown").inc()
            except CorruptedError as error:
                LOSSES.labels("store").inc()
                self._set_store_aside(str(error))
                delay = 0.0
            except FullError as error:
                log.warning("Partition %s waits: %s.", self.partition, error)
                LOSSES.labels("store").inc()
                self._close_store()  # RocksDB writes to it again only after it was opened anew
                delay = _FULL_SECONDS
            self._end_session("lost")
            await asyncio.sleep(delay)

    async def open(self) -> Session:
        """Fence the previous owner, and only then restore and learn the positions."""
        self._enter("fencing")
        self.queue.clear()
        await self._producer.fence()
        self._enter("restoring")
        store = self.store = self.store or Store(await self._open_map())
        reach("restore.before")
        async with started(self._changelog) as changelog:
            store.claim(await changelog.identity())
            await restore(store, changelog, self.progress, self.partition)
        reach("restore.after")
        session = Session(store, self._producer, self.queue, self._make_router(), self._context, self.counts)
        await session.start()
        self.session = session
        self._enter("running")
        return session

    def _make_router(self) -> Router:
        context = self._context
        return Router(
            self.partition, self._partitions, context.changelog, context.limits, cloudevents=context.cloudevents
        )

    def _enter(self, stage: Stage) -> None:
        assert stage == self.stage or stage in STAGES[self.stage], f"from {self.stage} to {stage}"
        self.stage = stage

    def _end_session(self, stage: Stage) -> None:
        self._enter(stage)
        if self.session is not None:
            self.session.end()
            self.session = None

    def _close_store(self) -> None:
        if self.store is not None:
            self.store.close()
            self.store = None

    def _set_store_aside(self, reason: str) -> None:
        assert self.store is not None
        self.store.set_aside(reason)
        self.store = None

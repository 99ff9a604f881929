"""Wires a worker: Faust's app, the partition tasks, the definitions, and what else reads topics.

Held to a real broker by tests/broker/test_worker.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from aiokafka.errors import KafkaError

from streams.clock import now
from streams.engine.advance import advance
from streams.engine.journeys import Journeys
from streams.errors import FairwayError
from streams.kafka.changelog import ChangelogReader
from streams.kafka.fetch import Reader, share
from streams.kafka.limits import Limits
from streams.kafka.producer import Producers
from streams.kafka.topics import INBOX, Topics
from streams.partition.context import Context
from streams.partition.pacing import Pace, Pacing
from streams.partition.processor import Advance
from streams.partition.task import PartitionTask
from streams.partition.tracing import Tracing
from streams.settings import Settings
from streams.state.memory import MemoryMap
from streams.state.ordered_map import OrderedMap
from streams.state.rocksdb import open_rocks, open_when_free
from streams.worker import garbage
from streams.worker.address import name_worker
from streams.worker.agents import register
from streams.worker.assignment import Assignment
from streams.worker.disk import STORE, Disk
from streams.worker.faust_app import make_faust_app
from streams.worker.rebalancing import Rebalancing
from streams.worker.stalls import watch_loop
from streams.worker.standbys import Standbys
from streams.worker.table import Table

if TYPE_CHECKING:
    from streams.worker.telemetry import Telemetry

_CUSTOMERS_KEPT = 4_096  # decoded, in all partitions together
_STOP_SECONDS = 10.0

log = structlog.get_logger()


class Definitions(Protocol):
    """What follows the journeys' definitions; it calls `changed` when there are others."""

    changed: Callable[[Journeys], None]

    @property
    def journeys(self) -> Journeys:
        """Return the journeys as of now."""

    async def start(self) -> "asyncio.Task[None]":
        """Read to the end; return what follows from then on."""

    async def stop(self) -> None:
        """Follow no more."""


class Worker:
    """One worker: `run` until `stop` is set, or raise what went wrong."""

    def __init__(self, settings: Settings, topics: Topics, definitions: Definitions, address: str = "") -> None:
        """Wire a worker that the others find at this web address, if it has one; it does not run yet."""
        self.settings = settings
        self.definitions = definitions
        self.address = address
        self.is_stopping = False
        self._app = make_faust_app(settings, address)
        self._app.standbys = self._make_standbys(topics)
        self.assignment = Assignment(
            (*topics.events, INBOX), topics.partitions, self._make_task, self._crash, self._app.standbys
        )
        definitions.changed = self._tell_partitions
        self.table = Table(topics.changelog, topics.partitions, self.assignment.tasks)
        self._limits = Limits.of(topics, settings)
        self._producers = Producers(settings, topics.changelog, self._limits, settings.instance_id or token_hex(8))
        self._app.partitions = topics.partitions
        self._app.readers = [self.assignment]
        self._app.on_crash = self._note_crash
        self._telemetry = _make_telemetry(settings)
        self._context = self._make_context(topics.partitions)
        self._error: BaseException | None = None
        self._ended = asyncio.Event()

    def members(self) -> Mapping[str, frozenset[int]]:
        """Return the partitions of the table by the web address of the worker that has them."""
        found: Mapping[str, frozenset[int]] = self._app.assignor.members()
        return found

    @property
    def name(self) -> str:
        """Return what people call this worker."""
        return name_worker(self.settings, self.address)

    def add_reader(self, reader: Reader) -> None:
        """Let a reader take part, as the projection does; before `run`."""
        self._app.readers = [*self._app.readers, reader]

    def decide(self) -> Advance:
        """Return what decides about a customer's inputs."""
        return partial(advance, tell_refusals=self.settings.refusals == "all")

    def _make_context(self, partitions: int) -> Context:
        return Context(
            journeys=lambda: self.definitions.journeys,
            topics=self.assignment.topics,
            changelog=self.table.changelog,
            limits=self._limits,
            pace=Pace(Pacing(timedelta(milliseconds=self.settings.commit_interval_ms)), now()),
            customers_kept=share(_CUSTOMERS_KEPT, partitions),
            decide=self.decide(),
            rates=self.settings.rates,
            cloudevents=self.settings.cloudevents == "on",
            tracing=Tracing(self.settings.traces_ratio, self._telemetry.export) if self._telemetry else None,
        )

    def _make_standbys(self, topics: Topics) -> Standbys:
        settings = self.settings
        return Standbys(
            settings.standbys,
            ChangelogReader(settings, topics.changelog, 0),
            partial(_open_copy, settings),
            self._app,
            self.watch,
            Disk(None if settings.store == "memory" else settings.data_dir / settings.app_id),
        )

    def _make_task(self, partition: int) -> PartitionTask:
        settings, table = self.settings, self.table
        return PartitionTask(
            partition,
            table.partitions,
            self._producers.make(partition),
            ChangelogReader(settings, table.changelog, partition),
            _make_open_map(settings, partition),
            self._context,
        )

    def _tell_partitions(self, _: Journeys) -> None:
        """Let partitions that rest look at their waits by the journeys of now."""
        for task in self.assignment:
            task.queue.filled.set()

    def watch(self, task: "asyncio.Task[None]") -> None:
        """Let the worker end with the error of this task, should it end with one."""
        task.add_done_callback(self._look_at_end)

    def _look_at_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._crash(error)

    def _note_crash(self, error: BaseException) -> None:
        """End with an error that Faust or aiokafka met; the latter wraps those that are none of Kafka's."""
        if type(error) is KafkaError:
            wrapped, error = error, RuntimeError(str(error))
            error.__cause__ = wrapped.__cause__
        if not self.is_stopping:  # then its parts end in whatever order
            self._crash(error)

    def _crash(self, error: BaseException) -> None:
        self._error = self._error or error
        self._ended.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then commit and leave; raises the first error that is ours."""
        starting = asyncio.create_task(self._start())
        waiting = [asyncio.create_task(event.wait()) for event in (stop, self._ended)]
        try:
            await asyncio.wait((starting, *waiting), return_when=asyncio.FIRST_COMPLETED)
            if not any(task.done() for task in waiting):
                await starting  # for its error
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (starting, *waiting):
                task.cancel()
            await self._stop()
        if self._error is not None:
            raise self._error

    async def _start(self) -> None:
        await self._limits.ask()
        self.watch(await self.definitions.start())
        self.watch(asyncio.create_task(watch_loop()))
        garbage.settle()
        for reader in self._app.readers:
            register(self._app, reader)
        is_named = self.settings.instance_id is not None
        Rebalancing(self._app, self.table.partitions, is_named=is_named, join=self._join, crash=self._crash)
        self._producers.on_forward = self._app.consumer.fetch_soon
        await self._app.start()

    def _join(self, assigned: Iterable[Any]) -> None:
        """Let the producers commit as the member that the group has just made of this worker."""
        owned = frozenset(
            tp.partition % self.table.partitions for tp in assigned if tp.topic in self.assignment.topics
        )
        is_shared: bool = self._app.assignor.is_shared
        self._producers.standing.join(self._app.consumer.membership(owned, is_shared=is_shared))

    async def _stop(self) -> None:
        """Commit, then leave the group, so that the next owner finds all done and begins at once, then close."""
        self.is_stopping = True
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.assignment.finish()
                await self._producers.finish()
                await self._app.leave()
                await self.assignment.close()
                await self._producers.close()
                await self._app.stop()
                await self.definitions.stop()
            log.info("The worker has ended.")
        except TimeoutError:
            log.warning("The worker could not end in order within 10 seconds; what was not committed is redone.")
        if self._telemetry is not None:
            await self._telemetry.close()


def _make_telemetry(settings: Settings) -> "Telemetry | None":
    if settings.traces == "off":
        return None
    try:
        from streams.worker.telemetry import Telemetry
    except ImportError:
        raise FairwayError(
            "FAIRWAY_TRACES is on, which needs more: pip install 'fairway-journeys[otel]'."
        ) from None
    return Telemetry(settings.app_id)


def _make_open_map(settings: Settings, partition: int) -> Callable[[], Awaitable[OrderedMap]]:
    """Return what opens the store of a partition that is this worker's own."""
    if settings.store != "memory":
        return partial(open_when_free, *_name_store(settings, partition))
    entries = MemoryMap()

    async def keep() -> OrderedMap:
        return entries

    return keep


def _open_copy(settings: Settings, partition: int) -> OrderedMap:
    return MemoryMap() if settings.store == "memory" else open_rocks(*_name_store(settings, partition))


def _name_store(settings: Settings, partition: int) -> tuple[Path, str]:
    """Return the folder of a partition's store, and by what it is known to be that partition's."""
    folder = settings.data_dir / settings.app_id / f"{STORE}{partition}"
    return folder, f"{settings.app_id}, partition {partition}"

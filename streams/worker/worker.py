"""Wires a worker: Faust's app, the partition tasks, the definitions and, if wanted, a web application."""

import asyncio
import gc
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

import faust
import structlog
from faust.tables.manager import TableManager

from streams.engine.advance import advance
from streams.engine.journeys import Journeys
from streams.errors import FairwayError
from streams.kafka.changelog import ChangelogReader
from streams.kafka.fetch import Reader, share
from streams.kafka.producer import TransactionalProducer
from streams.kafka.topics import INBOX, Topics
from streams.partition.pacing import Pacing
from streams.partition.processor import Advance
from streams.partition.session import Context
from streams.partition.task import PartitionTask
from streams.settings import Settings
from streams.state.memory import MemoryMap
from streams.state.ordered_map import OrderedMap
from streams.state.rocksdb import open_rocks
from streams.worker.address import listen, tell_address
from streams.worker.agents import register
from streams.worker.assignment import Assignment
from streams.worker.assignor import Assignor
from streams.worker.table import Table
from streams.worker.transport import Transport

_CUSTOMERS_KEPT = 4_096  # decoded, in all partitions together
_SESSION_SECONDS = 10.0
_STOP_SECONDS = 10.0

log = structlog.get_logger()


class Definitions(Protocol):
    """Who follows the journeys' definitions."""

    @property
    def journeys(self) -> Journeys:
        """Return the journeys as of now."""

    async def start(self) -> "asyncio.Task[None]":
        """Read to the end; return what follows from then on."""

    async def stop(self) -> None:
        """Follow no more."""


class _Tables(TableManager):  # type: ignore[misc]
    """Faust's tables, of which there are none: without the second in which it waits for some to be declared."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class FaustApp(faust.App):  # type: ignore[misc]
    """Faust's app with our transport; `readers` take what it consumes."""

    readers: Sequence[Reader] = ()
    partitions: int
    on_crash: Callable[[BaseException], None]

    def wants(self, topic: str, partition: int) -> bool:
        """Say whether the topic's reader has room for another fetch of this partition."""
        return any(reader.wants(topic, partition) for reader in self.readers if topic in reader.topics)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    async def crash(self, reason: BaseException) -> None:
        """Let the worker end with this error."""
        self.on_crash(reason)
        await super().crash(reason)


class Worker:
    """One worker: `run` until `stop` is set, or raise what went wrong."""

    def __init__(self, settings: Settings, topics: Topics, definitions: Definitions) -> None:
        self.settings = settings
        self.definitions = definitions
        self.app = _make_app(settings)
        self.assignment = Assignment((*topics.events, INBOX), self._make_task, self._crash)
        self.table = Table(topics.changelog, topics.partitions, self.assignment.tasks)
        self.address = ""  # at which the other workers find this one's web application
        self._error: BaseException | None = None
        self._ended = asyncio.Event()
        self._context = Context(
            journeys=lambda: self.definitions.journeys,
            turn=asyncio.Lock(),
            pacing=Pacing(timedelta(milliseconds=settings.commit_interval_ms)),
            customers_kept=share(_CUSTOMERS_KEPT, topics.partitions),
            decide=self.decide(),
            cloudevents=settings.cloudevents == "on",
        )
        self._has_rejoined = False
        self.app.partitions = topics.partitions
        self.app.readers = [self.assignment]
        self.app.on_crash = self._crash

    def members(self) -> Mapping[str, frozenset[int]]:
        """Return the partitions of the table by the web address of the worker that has them."""
        found: Mapping[str, frozenset[int]] = self.app.assignor.members()
        return found

    def add_reader(self, reader: Reader) -> None:
        """Let a reader take part, as the projection does; before `run`."""
        self.app.readers = [*self.app.readers, reader]

    def decide(self) -> Advance:
        """Return what decides about a customer's inputs."""
        return partial(advance, tell_refusals=self.settings.refusals == "all")

    def _make_task(self, partition: int) -> PartitionTask:
        settings, table = self.settings, self.table
        return PartitionTask(
            partition,
            table.partitions,
            TransactionalProducer(settings.brokers, settings.app_id, table.changelog, partition),
            ChangelogReader(settings.brokers, table.changelog, partition),
            _make_open_map(settings, partition),
            self._context,
        )

    def watch(self, task: "asyncio.Task[None]") -> None:
        """Let the worker end with the error of this task, should it end with one."""
        task.add_done_callback(self._look_at_end)

    def _look_at_end(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
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
        self.watch(await self.definitions.start())
        _tune_gc()
        self._connect()
        await self.app.start()

    def listen(self) -> None:
        """Take a port for the web views, so that the group can be told where; to be called before `run`."""
        self._listening = listen(self.settings)
        self.address = self.app.conf.canonical_url = tell_address(self.settings, self._listening)

    async def serve(self, web: Any) -> None:
        """Serve the web application until cancelled, also while the partitions are being restored."""
        from streams.worker.web_server import make_server  # uvicorn takes its time

        server = make_server(web)
        serving = asyncio.create_task(server.serve([self._listening]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving

    def _connect(self) -> None:
        for reader in self.app.readers:
            register(self.app, reader)

        async def revoke(_app: Any, revoked: Any, **_: Any) -> None:
            await asyncio.gather(*(reader.revoke() for reader in self.app.readers))

        async def assign(_app: Any, assigned: Any, **_: Any) -> None:
            try:
                reads_all = self.app.assignor.check(self.table.partitions)
            except FairwayError as error:
                self._crash(error)
                return
            if not reads_all and self.settings.instance_id and not self._has_rejoined:
                # A worker with a name of its own was given what it had before, whatever it knows by now.
                self._has_rejoined = True
                await self.app.consumer.rejoin()
            generation = self.app.consumer_generation_id
            for reader in self.app.readers:
                partitions = sorted({tp.partition for tp in assigned if tp.topic in reader.topics})
                await reader.assign(partitions, generation, self.app.consumer.seek_to)

        self.app.on_partitions_revoked.connect(revoke, weak=False)
        self.app.on_partitions_assigned.connect(assign, weak=False)

    async def _stop(self) -> None:
        """Commit and close, then leave the group, so that the next owner finds all done."""
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.assignment.close()
                await self.app.stop()
                await self.definitions.stop()
        except TimeoutError:
            log.warning("The worker could not end in order within 10 seconds; what was not committed is redone.")


def _tune_gc() -> None:
    """Let Python look for cyclic garbage seldom: what journeys make holds none, and what was loaded stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def build_app(settings: Settings, topics: Topics, definitions: Definitions) -> Worker:
    """Return a worker that is not yet running."""
    return Worker(settings, topics, definitions)


def _make_open_map(settings: Settings, partition: int) -> Callable[[], OrderedMap]:
    if settings.store == "memory":
        entries = MemoryMap()
        return lambda: entries
    folder = settings.data_dir / settings.app_id / f"store-{partition}"
    return lambda: open_rocks(folder, f"{settings.app_id}, partition {partition}")


def _make_app(settings: Settings) -> FaustApp:
    for name in ("faust", "mode", "aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)  # aiokafka's debug records cost 17 % of the CPU
    # It warns several times a second of retries that are part of every transaction's end.
    logging.getLogger("aiokafka.producer.sender").setLevel(logging.ERROR)
    folder = settings.data_dir / settings.app_id
    folder.mkdir(parents=True, exist_ok=True)
    return FaustApp(
        settings.app_id,
        broker=[f"kafka://{broker}" for broker in settings.brokers.split(",")],
        store="memory://",
        TableManager=_Tables,
        datadir=str(folder / "faust"),
        value_serializer="raw",
        key_serializer="raw",
        PartitionAssignor=Assignor,
        web_enabled=False,  # it would bind 0.0.0.0 and show rows to anyone
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_group_instance_id=settings.instance_id,
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_SESSION_SECONDS / 4,
        broker_request_timeout=30.0,
        broker_rebalance_timeout=30.0,
        broker_max_poll_records=2000,
        broker_commit_interval=60.0,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=64,
    )

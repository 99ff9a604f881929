"""The stage of a benchmark: a broker of its own, topics filled before the clock runs, programs under measure."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka.admin import AdminClient

from models.journey import Journey, JourneyStatus
from streams.database import create_engine, upgrade
from streams.dev import broker as kafka_server
from streams.dev import postgres as postgres_server
from streams.dev import processes
from streams.journeys.records import JourneyState, status_record, version_record
from streams.kafka import provision
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import COMMANDS, DEFINITIONS, read_topics
from streams.settings import Settings
from tests import client
from tests.benchmarks.progress import PATIENCE, Broker
from tests.benchmarks.workloads import Event, make_events

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
FAIRWAY = (str(Path(sys.executable).with_name("fairway")), "worker", "--web-port", "0")
BARE = (sys.executable, "-m", "tests.benchmarks.bare")
STOCK = (sys.executable, "-m", "tests.benchmarks.stock", "worker", "-l", "warn")
_BATCHES = {"linger.ms": "50", "batch.size": "262144", "compression.type": "lz4"}
RUNTIME = (sys.executable, "-m", "tests.benchmarks.runtime")


class Stage:
    """One broker, whose topics have `partitions` each; what a run writes is deleted before the next."""

    def __init__(self, brokers: str, folder: Path) -> None:
        self.brokers = brokers
        self.folder = folder
        self.partitions = 4
        self._runs = 0
        self._numbers = self._topics = 0
        self._filled: dict[Any, str] = {}

    def fill(self, events: Callable[[int], Iterator[Event]], count: int) -> str:
        """Return a topic of the present number of partitions that holds these events; made once, then kept."""
        known = (events, count, self.partitions)
        if known not in self._filled:
            topic = self._filled[known] = self.make_topic()
            self.feed(topic, events(count))
        return self._filled[known]

    def make_topic(self) -> str:
        """Return a new topic of the present number of partitions, for events."""
        self._topics += 1
        topic = f"events.{self._topics}"
        client.create_topics(self.brokers, {topic: self.partitions})
        return topic

    def number(self) -> int:
        """Return a number that no event on this stage has had yet, for events made one by one."""
        self._numbers += 1
        return 10**9 + self._numbers

    def feed(self, topic: str, events: Iterable[Event]) -> None:
        """Write events to a topic."""
        records = (client.Record(topic, key, value) for key, value in events)
        client.produce(self.brokers, records, **_BATCHES)

    def set_up(self, topic: str, journeys: Iterable[Journey] = (), others: Iterable[str] = ()) -> "Setting":
        """Make fresh topics beside a topic of events that is there already, and `others`, with ACTIVE journeys."""
        self._runs += 1
        setting = Setting(self, f"bench-{self._runs}", topic, others)
        self._clear()
        wanted = read_topics(setting.topics_file, setting.app_id)
        asyncio.run(provision.apply(Settings(brokers=self.brokers), wanted))
        client.create_topics(self.brokers, {"bare.commands": self.partitions, "bare.changelog": self.partitions})
        client.produce(self.brokers, _define(journeys))
        return setting

    def _clear(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.brokers})
        old = [name for name in admin.list_topics().topics if not name.startswith(("__", "events."))]
        if old:
            client.delete_topics(self.brokers, old)
            client.wait_until(lambda: not set(old) & set(admin.list_topics().topics))

    @contextmanager
    def history(self) -> Iterator[str]:
        """Run a Postgres with Fairway's tables for as long as the context lasts; gives its URL."""
        folder = self.folder / "postgres"
        url = postgres_server.start(folder).url()
        try:
            asyncio.run(_upgrade(url))
            yield url
        finally:
            postgres_server.stop(folder)

    def time_first_command(self, setting: "Setting", start: int, **variables: str) -> float:
        """Return the seconds from a worker's start to its first command for a new event, numbered from `start`."""
        commands = Broker(self.brokers, self.partitions).records(COMMANDS)
        before = sum(commands())
        self.feed(setting.topic, make_events(self.partitions, start=start))
        begun = time.monotonic()
        with setting.running(FAIRWAY, **variables):
            processes.wait_until(lambda: sum(commands()) > before, PATIENCE)
            return time.monotonic() - begun


@contextmanager
def staged(jvm: str = kafka_server.JVM) -> Iterator[Stage]:
    """Have a stage with a broker of its own for as long as the context lasts; `jvm` is what its Java is told."""
    with tempfile.TemporaryDirectory(prefix="fairway-bench-") as name:
        folder = Path(name)
        try:
            yield Stage(kafka_server.start(folder / "kafka", jvm=jvm).address, folder)
        finally:
            kafka_server.stop(folder / "kafka")


class Setting:
    """One run's topics and names."""

    def __init__(self, stage: Stage, app_id: str, topic: str, others: Iterable[str] = ()) -> None:
        self.stage = stage
        self.brokers = stage.brokers
        self.app_id = app_id
        self.topic = topic
        self.changelog = f"{app_id}-customers-changelog"
        self.topics_file = stage.folder / f"{app_id}.yaml"
        content = yaml.safe_load(Path("topics.yaml").read_text())
        own = {name: spec for name, spec in content["topics"].items() if spec["role"] != "events"}
        content["topics"] = {name: {"role": "events"} for name in (topic, *others)} | own
        content["defaults"]["partitions"] = stage.partitions
        self.topics_file.write_text(yaml.safe_dump(content))

    def fill_rows(self, rows: Iterable[Event]) -> None:
        """Write rows of customers to the changelog, as a worker had written them before."""
        partitions = self.stage.partitions
        records = (
            client.Record(self.changelog, key, row, partition=partition_of(key, partitions)) for key, row in rows
        )
        client.produce(self.brokers, records, **_BATCHES)

    def start(self, program: tuple[str, ...], **variables: str) -> "subprocess.Popen[bytes]":
        """Start a program under this setting."""
        environment = os.environ | {
            "FAIRWAY_BROKERS": self.brokers,
            "FAIRWAY_APP_ID": self.app_id,
            "FAIRWAY_TOPICS_FILE": str(self.topics_file),
            "FAIRWAY_DATA_DIR": str(self.stage.folder / "data"),
            "BENCH_TOPIC": self.topic,
            "BENCH_PARTITIONS": str(self.stage.partitions),
            **variables,
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(program, env=environment, stdout=log, stderr=log)

    @property
    def log(self) -> Path:
        """Return where its programs write what they say."""
        return self.stage.folder / f"{self.app_id}.log"

    @contextmanager
    def running(self, program: tuple[str, ...], **variables: str) -> Iterator[int]:
        """Run a program under this setting for as long as the context lasts; gives its process id."""
        process = self.start(program, **variables)
        try:
            yield process.pid
            assert process.poll() is None, f"{program} ended; read why in '{self.log}'"
        finally:
            end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a program to end, and kill one that does not."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


async def _upgrade(url: str) -> None:
    engine = create_engine(url)
    try:
        await upgrade(engine)
    finally:
        await engine.dispose()


def _define(journeys: Iterable[Journey]) -> Iterator[client.Record]:
    for journey in journeys:
        state = JourneyState(
            journey.tenant_id, journey.id, journey.name, JourneyStatus.ACTIVE, journey.version, LONG_AGO, 1
        )
        for key, value in (version_record(journey), status_record(state)):
            yield client.Record(DEFINITIONS, key.encode(), value)


def wait_for(moment: float) -> None:
    """Return at this moment, in seconds since 1970."""
    processes.wait_until(lambda: time.time() >= moment, patience=moment - time.time() + 1)

"""Waits by the million in one worker: restore, memory, restart, punctuality and a burst."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import psutil
import yaml
from confluent_kafka import TopicPartition

from models.customer import Customer, Enrollment, EntryHistory, encode
from models.ids import customer_key, enrollment_id
from models.journey import Journey
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import COMMANDS
from tests import client
from tests.faults.cluster import Cluster
from tests.faults.feed import Feed
from tests.faults.load import Sent, now
from tests.faults.witness import _consumer
from tests.faults.workers import Workers, wait

TENANT = "pinehurst"
_START = datetime(2026, 1, 1, tzinfo=UTC)

_JOURNEYS = """
- name: Waiting
  triggerType: teetime.booked
  steps:
    - {id: start, type: TRIGGER, config: {eventType: teetime.booked, conditions: []}}
    - {id: wait, type: WAIT, config: {until: {field: trigger.at}}}
    - {id: send, type: SEND, config: {channel: EMAIL, templateId: waited}}
    - {id: end, type: END, config: {}}
- name: At once
  triggerType: payment.failed
  allowReentry: true
  steps:
    - {id: start, type: TRIGGER, config: {eventType: payment.failed, conditions: []}}
    - {id: send, type: SEND, config: {channel: EMAIL, templateId: at-once}}
    - {id: end, type: END, config: {}}
"""


class Sizes(NamedTuple):
    waiting: int
    burst: int
    partitions: int = 8


class Arrival(NamedTuple):
    """A command: for an event of when or a wait due when, and when the broker received it."""

    wanted: float
    at: float


class _Command(msgspec.Struct, rename="camel"):
    template_id: str
    data: dict[str, str]


class Ear:
    """Hears commands as they come."""

    def __init__(self, address: str, partitions: int) -> None:
        self.arrivals: defaultdict[str, list[Arrival]] = defaultdict(list)  # by template
        self.partitions: set[int] = set()
        self._consumer = _consumer(address, "ear")
        self._consumer.assign([TopicPartition(COMMANDS, number, 0) for number in range(partitions)])
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        read = msgspec.json.Decoder(_Command).decode
        while not self._ending.is_set():
            for message in self._consumer.consume(5000, 0.1):
                if message.error() is None:
                    command = read(message.value())
                    self.partitions.add(message.partition())
                    wanted = datetime.fromisoformat(command.data["at"]).timestamp()
                    self.arrivals[command.template_id].append(Arrival(wanted, message.timestamp()[1] / 1000))

    def of(self, template: str) -> list[Arrival]:
        return self.arrivals[template]

    def close(self) -> None:
        self._ending.set()
        self._thread.join(10)
        self._consumer.close()


def fill(cluster: Cluster, journey: Journey, count: int) -> None:
    """Write rows of waiting customers to the changelog, as a worker had written them over a year."""
    client.produce(
        cluster.address, _rows(cluster, journey, count), **{"linger.ms": "50", "compression.type": "lz4"}
    )


def _rows(cluster: Cluster, journey: Journey, count: int) -> Iterator[client.Record]:
    due = now() + timedelta(days=30)
    at = due.isoformat()
    for number in range(count):
        customer = f"w-{number}"
        id_ = enrollment_id(journey.id, customer, "", 1)
        enrollment = Enrollment(
            id_, journey.id, 1, _START, "wait", data={"at": at}, entered_at=_START, visits={"start": 1, "wait": 1},
            waiting_until=due + timedelta(milliseconds=number % 86_400_000), wait={"waitingUntil": at},
        )  # fmt: skip
        history = {journey.id: {"": EntryHistory(1, _START)}}
        row = Customer(TENANT, customer, {"city": "Pinehurst"}, {id_: enrollment}, {}, history, b"", 1)
        key = customer_key(TENANT, customer)
        yield client.Record(cluster.changelog, key, encode(row), (), partition_of(key, cluster.partitions))


def _event(cluster: Cluster, type_: str, customer: str, at: datetime, number: int) -> Sent:
    key = customer_key(TENANT, customer)
    value = {
        "eventId": f"{type_}-{number}", "tenantId": TENANT, "customerId": customer, "occurredAt": now(),
        "data": {"at": at.isoformat()},
    }  # fmt: skip
    partition = partition_of(key, cluster.partitions)
    return Sent(client.Record(type_, key, msgspec.json.encode(value), (), partition), None, now())


class Memory:
    """The most that a process ever held, in bytes, looked at four times a second."""

    def __init__(self, pid: int) -> None:
        self.most = 0
        self._process = psutil.Process(pid)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ending.wait(0.25):
            try:
                self.most = max(self.most, self._process.memory_info().rss)
            except psutil.NoSuchProcess:
                return


def run(sizes: Sizes, folder: Path, tell: Callable[[str], None] = print) -> dict[str, float]:
    """Return the figures by name."""
    figures: dict[str, float] = {}

    def note(name: str, value: float) -> None:
        figures[name] = value
        tell(f"{name}: {value:,.1f}")

    cluster = Cluster(folder / "kafka", sizes.partitions)
    workers = Workers(cluster, folder / "workers")
    journeys = [Journey.model_validate(given | {"tenantId": TENANT}) for given in yaml.safe_load(_JOURNEYS)]
    try:
        cluster.publish(journeys)
        ear = Ear(cluster.address, sizes.partitions)
        empty, memory = _first_events(cluster, workers, ear, 0)
        wait(3)
        note("empty worker: MiB", memory.most / 2**20)
        note("empty worker: seconds to first event of every partition", empty)
        workers.stop(0)
        workers.remove_data(0)
        started = time.monotonic()
        fill(cluster, journeys[0], sizes.waiting)
        note("rows written to the changelog a second", sizes.waiting / (time.monotonic() - started))
        seconds, held = _first_events(cluster, workers, ear, 1)
        times = psutil.Process(workers.pid(0)).cpu_times()
        note("restore from an empty disk: seconds", seconds)
        note("restore from an empty disk: rows a second", sizes.waiting / max(0.1, seconds - empty))
        note("restore from an empty disk: CPU seconds of the worker", times.user + times.system)
        wait(5)
        note("memory after restore, beyond the empty worker: MiB", (held.most - memory.most) / 2**20)
        workers.stop(0)
        seconds, held = _first_events(cluster, workers, ear, 2)
        note("restart: seconds to first event of every partition", seconds)
        _be_punctual(cluster, ear, note)
        _burst(cluster, ear, sizes.burst, note)
        note("memory at most, beyond the empty worker: MiB", (held.most - memory.most) / 2**20)
        ear.close()
        return figures
    finally:
        workers.close()
        cluster.close()


def _first_events(cluster: Cluster, workers: Workers, ear: Ear, turn: int) -> tuple[float, Memory]:
    """Start the worker; return the seconds until it has handled an event of every partition, and its memory."""
    probes = [
        _event(cluster, "payment.failed", f"p-{number}", now(), turn * 1000 + number) for number in range(200)
    ]
    client.produce(cluster.address, [probe.record for probe in probes])
    ear.partitions.clear()
    started = time.monotonic()
    workers.start(0)
    memory = Memory(workers.pid(0))
    client.wait_until(lambda: len(ear.partitions) == cluster.partitions, 900)
    return time.monotonic() - started, memory


def _be_punctual(cluster: Cluster, ear: Ear, note: Callable[[str, float], None]) -> None:
    """Let 1,000 waits fall due within 20 seconds."""
    start, before = now() + timedelta(seconds=8), len(ear.of("waited"))
    waits = [
        _event(cluster, "teetime.booked", f"o-{number}", start + timedelta(milliseconds=20 * number), number)
        for number in range(1000)
    ]
    client.produce(cluster.address, [one.record for one in waits])
    client.wait_until(lambda: len(ear.of("waited")) >= before + 1000, 60)
    late = sorted(arrival.at - arrival.wanted for arrival in ear.of("waited")[before:])
    note("wait after its due time, p50: ms", late[500] * 1000)
    note("wait after its due time, p99: ms", late[990] * 1000)
    note("wait after its due time, most: ms", late[-1] * 1000)
    note("wait before its due time: count", sum(seconds < -0.001 for seconds in late))


def _burst(cluster: Cluster, ear: Ear, count: int, note: Callable[[str, float], None]) -> None:
    """Let many waits fall due in the same second, while events go on."""
    due, before = now() + timedelta(seconds=15 + count / 4000), len(ear.of("waited"))
    waits = (_event(cluster, "teetime.booked", f"b-{number}", due, 10_000 + number) for number in range(count))
    client.produce(cluster.address, [one.record for one in waits])
    wait((due - now()).total_seconds() - 3)
    quiet = len(ear.of("at-once"))
    stream = (
        _event(cluster, "payment.failed", f"s-{number % 500}", now(), 100_000 + number) for number in range(5000)
    )
    feed = Feed(cluster.address, stream, 250)
    client.wait_until(lambda: len(ear.of("waited")) >= before + count, 300)
    feed.join()
    fired = sorted(arrival.at for arrival in ear.of("waited")[before:])
    note("burst: waits fired a second", count / (fired[-1] - due.timestamp()))
    client.wait_until(lambda: len(ear.of("at-once")) >= quiet + 5000, 60)
    during = sorted(
        arrival.at - arrival.wanted for arrival in ear.of("at-once")[quiet:]
        if due.timestamp() <= arrival.wanted <= fired[-1]
    )  # fmt: skip
    note("burst: events meanwhile", len(during))
    if during:
        note("burst: latency of events meanwhile, p50: ms", during[len(during) // 2] * 1000)
        note("burst: latency of events meanwhile, most: ms", during[-1] * 1000)

"""How long events wait for their commands while workers come, go and die: the worst in each phase.

Partitions are told apart by whether they have the same worker after a phase as before it.
"""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from tests import client
from tests.benchmarks import workloads
from tests.benchmarks.latency import Feed, Seen, middle_and_late, reading, warm_up
from tests.benchmarks.loads import USUAL, Pace, partitions
from tests.benchmarks.stage import FAIRWAY, Setting, Stage, end

WORKERS = 3
_LAST = 2.0  # seconds of a phase that do not count: what was sent by then may wait for the next one's change
_TOGETHER = 3600.0  # seconds for which events may be sent at most; a phase ends the sending

Owners = dict[int, str]
"""Which member of the group has which partition."""


class Waits(NamedTuple):
    """How long events waited in a phase, in milliseconds; of partitions that moved and of those that stayed."""

    phase: str
    late: float
    moved: int
    worst_moved: float
    stayed: int
    worst_stayed: float


class Phase(NamedTuple):
    """What is done to workers; when each partition has its worker, the phase lasts as long as the calm after it."""

    name: str
    change: Callable[["Workers"], None]


class Lap(NamedTuple):
    """A phase that is over: from when to when, in seconds since 1970, and which partitions moved."""

    name: str
    begun: float
    ended: float
    moved: frozenset[int]
    stayed: frozenset[int]


class Workers:
    """Workers of one group by number, each with a folder of its own; `variables` are those of their settings."""

    def __init__(self, setting: Setting, calm: float, variables: Mapping[str, str]) -> None:
        self._setting = setting
        self._variables = variables
        self._calm = calm
        self._admin = AdminClient({"bootstrap.servers": setting.brokers})
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._has_ended = False  # one of them, since they settled
        self.settled: Owners = {}

    @property
    def numbers(self) -> Sequence[int]:
        """Return the numbers of those that run."""
        return tuple(self._running)

    def start(self, number: int) -> None:
        """Start a worker."""
        folder = str(self._setting.stage.folder / f"data-{number}")
        self._running[number] = self._setting.start(FAIRWAY, FAIRWAY_DATA_DIR=folder, **self._variables)

    def stop(self, number: int, by: signal.Signals = signal.SIGTERM) -> None:
        """End a worker, in order or not, and wait for its end."""
        self._has_ended = True
        process = self._running.pop(number)
        process.send_signal(by)
        assert process.wait(client.PATIENCE) in (0, -by), f"read why it ended so in '{self._setting.log}'"

    def settle(self) -> None:
        """Return when every partition has a worker, and every worker a partition, for as long as the calm."""
        client.wait_until(self._is_settled)
        time.sleep(self._calm)

    def close(self) -> None:
        """End all that run."""
        for process in self._running.values():
            end(process)

    def _is_settled(self) -> bool:
        owners = self._find_owners()
        members = set(owners.values())
        if self._has_ended and members.issuperset(self.settled.values()):
            return False  # the group does not know yet that it has ended
        if len(owners) < self._setting.stage.partitions or len(members) != len(self._running):
            return False
        self.settled, self._has_ended = owners, False
        return True

    def _find_owners(self) -> Owners:
        """Return what the group's members have; nothing while it is about to change."""
        group = self._admin.describe_consumer_groups([self._setting.app_id])[self._setting.app_id].result()
        return {
            place.partition: member.member_id
            for member in group.members if group.state == ConsumerGroupState.STABLE
            for place in member.assignment.topic_partitions if place.topic == self._setting.topic
        }  # fmt: skip


def _add(workers: Workers) -> None:
    workers.start(max(workers.numbers) + 1)


def _remove(workers: Workers) -> None:
    workers.stop(workers.numbers[-1])


def _restart(workers: Workers) -> None:
    for number in workers.numbers:
        workers.stop(number)
        workers.start(number)
        workers.settle()


def _kill(workers: Workers) -> None:
    workers.stop(workers.numbers[-1], signal.SIGKILL)


def _kill_and_start(workers: Workers) -> None:
    number = workers.numbers[-1]
    workers.stop(number, signal.SIGKILL)
    workers.start(number)


PHASES = (
    Phase("quiet", lambda _: None),
    Phase("a worker added", _add),
    Phase("a worker removed (SIGTERM)", _remove),
    Phase("rolling restart", _restart),
    Phase("kill -9, started again", _kill_and_start),
    Phase("kill -9", _kill),
)
WITH_COPIES = (Phase("kill -9, another has a copy", _kill),)


def run_standstill(
    stage: Stage,
    pace: Pace,
    phases: Sequence[Phase] = PHASES,
    workers: int = WORKERS,
    rate: float = USUAL,
    standbys: int = 0,
) -> list[Waits]:
    """Go through the phases while `rate` events come in each second; fails if an event is never commanded."""
    with partitions(stage), stage.history() as url:
        topic = stage.make_topic()
        setting, feed = stage.set_up(topic, (workloads.SENDING,)), Feed(stage, topic)
        variables = {"FAIRWAY_DATABASE_URL": url, "FAIRWAY_STANDBYS": str(standbys)}
        group = Workers(setting, pace.warm + _LAST, variables)
        with reading(stage) as seen, _working(group, workers):
            warm_up(feed, seen, pace.calm)
            group.settle()
            with _feeding(feed, rate):
                laps = [_go_through(phase, group) for phase in phases]
            client.wait_until(lambda: len(seen) >= feed.sent)
    return [judge(lap, seen) for lap in laps]


@contextmanager
def _working(workers: Workers, count: int) -> Iterator[None]:
    try:
        for number in range(count):
            workers.start(number)
        yield
    finally:
        workers.close()


@contextmanager
def _feeding(feed: Feed, rate: float) -> Iterator[None]:
    done = threading.Event()
    thread = threading.Thread(target=feed.run, args=(rate, _TOGETHER, done.is_set), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _go_through(phase: Phase, workers: Workers) -> Lap:
    before, begun = workers.settled, time.time()
    phase.change(workers)
    workers.settle()
    ended, after = time.time(), workers.settled
    stayed = frozenset(place for place, owner in before.items() if after.get(place) == owner)
    return Lap(phase.name, begun, ended, frozenset(after) - stayed, stayed)


def judge(lap: Lap, seen: Sequence[Seen]) -> Waits:
    """Return what a phase came to, but for its last seconds."""
    during = [one for one in seen if lap.begun <= one.sent_at < lap.ended - _LAST]
    worst = _worst_by_partition(during)
    moved, stayed = (
        max((worst.get(place, 0.0) for place in places), default=0.0) for places in (lap.moved, lap.stayed)
    )
    return Waits(lap.name, middle_and_late(during)[1], len(lap.moved), moved, len(lap.stayed), stayed)


def _worst_by_partition(seen: Sequence[Seen]) -> Mapping[int, float]:
    worst: dict[int, float] = {}
    for one in seen:
        worst[one.partition] = max(worst.get(one.partition, 0.0), one.age * 1000)
    return worst

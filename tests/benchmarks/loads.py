"""Loads that clubs have: some events a second, evenly, and what they cost the worker and the broker."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from streams.dev import broker as kafka_server
from tests import client
from tests.benchmarks import workloads
from tests.benchmarks.latency import CALM, Feed, Seen, middle_and_late, reading, warm_up
from tests.benchmarks.progress import Broker, Transactions, processor_time
from tests.benchmarks.stage import BARE, FAIRWAY, Stage

PARTITIONS = 8
RATES = (20.0, 300.0, 1500.0)
USUAL = 300.0
FOREIGN = "consistent_random"  # librdkafka's own way, which takes another partition for a key than Java's


class Pace(NamedTuple):
    """Seconds: calm ones first, those at the rate that do not count, and those that do."""

    calm: float = CALM
    warm: float = 5.0
    counted: float = 20.0


class Load(NamedTuple):
    """What a load came to: milliseconds from event to command, cores, and transactions committed a second."""

    rate: float
    broker: float
    programs: float = 0.0
    commits: float = 0.0
    middle: float = 0.0
    late: float = 0.0

    @property
    def cost(self) -> float:
        """Return the programs' processor time for an event, in microseconds."""
        return self.programs / self.rate * 1e6


@contextmanager
def partitions(stage: Stage, count: int = PARTITIONS) -> Iterator[None]:
    """Have so many partitions a topic for as long as the context lasts."""
    usual, stage.partitions = stage.partitions, count
    try:
        yield
    finally:
        stage.partitions = usual


def run_load(
    stage: Stage, rate: float, pace: Pace, workers: int = 1, partitioner: str = "", **variables: str
) -> Load:
    """Measure workers under a load, sent by our own partitioner or by another."""
    with partitions(stage), ExitStack() as running:
        topic = stage.make_topic()
        setting = stage.set_up(topic, (workloads.SENDING,))
        feed = Feed(stage, topic, partitioner or "murmur2_random")
        seen = running.enter_context(reading(stage))
        folders = [str(stage.folder / f"data-{number}") for number in range(workers)]
        pids = [
            running.enter_context(setting.running(FAIRWAY, FAIRWAY_DATA_DIR=folder, **variables))
            for folder in folders
        ]
        warm_up(feed, seen, pace.calm)
        return _measure(stage, feed, rate, pace, pids, seen)


def run_bare_load(stage: Stage, rate: float, pace: Pace) -> Load:
    """Measure the bare loop under a load; how late its commands are is not."""
    with partitions(stage), ExitStack() as running:
        topic = stage.make_topic()
        setting = stage.set_up(topic)
        feed = Feed(stage, topic)
        running.enter_context(reading(stage))
        pids = [running.enter_context(setting.running(BARE))]
        commands = Broker(stage.brokers, stage.partitions).records("bare.commands")
        feed.run(rate, 1)
        client.wait_until(lambda: sum(commands()) > 0)
        return _measure(stage, feed, rate, pace, pids)


def run_alone(stage: Stage, rate: float, pace: Pace) -> Load:
    """Measure the broker with the same producer and reader, and no worker."""
    with partitions(stage):
        topic = stage.make_topic()
        stage.set_up(topic)
        with reading(stage):
            return _measure(stage, Feed(stage, topic), rate, pace)


def _measure(
    stage: Stage, feed: Feed, rate: float, pace: Pace, pids: Sequence[int] = (), seen: Sequence[Seen] = ()
) -> Load:
    feed.run(rate, pace.warm)
    broker, transactions = _find_broker(stage), Transactions(stage.brokers)
    before, begun = _spent(broker, pids), time.time()
    feed.run(rate, pace.counted)
    after, ended = _spent(broker, pids), time.time()
    cores = [(then - now) / (ended - begun) for then, now in zip(after, before, strict=True)]
    if not seen:
        return Load(rate, *cores, transactions.count() / (ended - begun))
    client.wait_until(lambda: len(seen) >= feed.sent)
    times = middle_and_late([one for one in seen if begun <= one.sent_at < ended])
    return Load(rate, *cores, transactions.count() / (ended - begun), *times)


def _spent(broker: int, pids: Sequence[int]) -> tuple[float, float]:
    return processor_time(broker), sum(map(processor_time, pids))


def _find_broker(stage: Stage) -> int:
    found = kafka_server.find(stage.folder / "kafka")
    assert found is not None
    assert found.process is not None, "the broker's processor time is that of a process of this machine"
    return found.process.pid

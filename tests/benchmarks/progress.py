"""How fast a program is, seen from the broker: committed offsets, never what the program says of itself."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import asyncpg
import psutil
from confluent_kafka import Consumer, KafkaException, TopicPartition

LOOK_EVERY = 0.02  # seconds
PATIENCE = 120.0

Count = Callable[[], int]


class Broker:
    """Counts what is committed on the broker."""

    def __init__(self, brokers: str, partitions: int) -> None:
        self._brokers = brokers
        self._partitions = range(partitions)
        self._watcher = self._reader("reader")

    def records(self, topic: str) -> Count:
        """Return what counts a topic's committed records; the end of each transaction counts as one too."""
        return _patient(lambda: sum(self.ends(topic)))

    def ends(self, topic: str) -> list[int]:
        """Return where the committed records of each partition end."""
        return [self._watcher.get_watermark_offsets(place, PATIENCE)[1] for place in self._places(topic)]

    def inputs(self, group: str, topic: str) -> Count:
        """Return what counts the inputs that a consumer group has committed."""
        reader, places = self._reader(group), self._places(topic)
        return _patient(lambda: sum(max(0, place.offset) for place in reader.committed(places, PATIENCE)))

    def _reader(self, group: str) -> Consumer:
        return Consumer({
            "bootstrap.servers": self._brokers, "group.id": group, "isolation.level": "read_committed",
            "enable.auto.commit": False,
        })  # fmt: skip

    def _places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for partition in self._partitions]


class History:
    """Counts what is in the database."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(asyncpg.connect(url))

    def records(self) -> int:
        """Return how many records of activity were projected, and the ends of their transactions with them."""
        asked = 'SELECT coalesce(sum("offset"), 0)::bigint FROM projection_positions'
        return int(self._loop.run_until_complete(self._connection.fetchval(asked)))


def _patient(count: Count) -> Count:
    def patient() -> int:
        try:
            return count()
        except KafkaException:  # the topic or the group is so new that nobody answers for it yet
            return 0

    return patient


class Figure(NamedTuple):
    """What a run came to: counts a second, microseconds of processor time for each, MiB of memory at its end."""

    rate: float
    cost: float
    memory: float = 0.0


def measure(count: Count, end: int, pids: Sequence[int], patience: float = PATIENCE) -> Figure:
    """Return how fast programs go, from half to nine tenths of the way.

    Their start is not part of it, while a worker still loads web and history beside its work, nor is their end: a
    worker commits the offsets that are counted once a second, each partition for itself, so of those that have
    nothing left to do some tell it late. Of a run too short to show a quarter of it between, and that over a second
    or more, the whole is taken.
    """
    start = _Mark(0, time.monotonic(), sum(map(processor_time, pids)))
    marks = list(_watch(count, end, pids, patience))
    between = [mark for mark in marks if end * 0.5 <= mark.count <= end * 0.9]
    steady = bool(between) and between[-1].count - between[0].count > end / 4 and between[-1].at > between[0].at + 1
    first, last = (between[0], between[-1]) if steady else (start, marks[-1])
    counted = max(1, last.count - first.count)
    held = sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20
    return Figure(counted / (last.at - first.at), (last.spent - first.spent) / counted * 1e6, held)


class _Mark(NamedTuple):
    count: int
    at: float
    spent: float


def _watch(count: Count, end: int, pids: Sequence[int], patience: float) -> Iterator[_Mark]:
    """Yield every count that shows, up to `end`, with the time and the processor time that programs had used."""
    before, deadline = 0, time.monotonic() + patience
    while before < end:
        assert time.monotonic() < deadline, f"{before} of {end} after {patience} s"
        assert all(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids), "the program has ended"
        seen = count()
        if seen > before:
            yield _Mark(seen, time.monotonic(), sum(map(processor_time, pids)))
            before = seen
        else:
            time.sleep(LOOK_EVERY)


def processor_time(pid: int) -> float:
    """Return the processor seconds that a program has used, in user and system mode."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system

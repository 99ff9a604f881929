"""How fast a program is, seen from the broker: committed offsets, never what the program says of itself."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from operator import lt
from typing import NamedTuple

import asyncpg
import psutil
from confluent_kafka import Consumer, KafkaException, TopicPartition

LOOK_EVERY = 0.02  # seconds
PATIENCE = 120.0
_OFFSETS = "__consumer_offsets"  # consumers see no marks there, but their numbers are taken
_AT_LEAST = 1.0  # second for which a partition must have moved

Count = Callable[[], Sequence[int]]
"""Says how much is committed by now: of each partition, in order."""


class Broker:
    """Counts what is committed on the broker."""

    def __init__(self, brokers: str, partitions: int) -> None:
        self._brokers = brokers
        self._partitions = range(partitions)
        self._watcher = self._reader("reader")

    def records(self, topic: str) -> Count:
        """Return what counts a topic's committed records; the end of each transaction counts as one too."""
        return _patient(lambda: self.ends(topic))

    def ends(self, topic: str) -> list[int]:
        """Return where the committed records of each partition end."""
        return [self._watcher.get_watermark_offsets(place, PATIENCE)[1] for place in self._places(topic)]

    def inputs(self, group: str, topic: str) -> Count:
        """Return what counts the inputs that a consumer group has committed."""
        reader, places = self._reader(group), self._places(topic)
        return _patient(lambda: [max(0, place.offset) for place in reader.committed(places, PATIENCE)])

    def _reader(self, group: str) -> Consumer:
        return Consumer({
            "bootstrap.servers": self._brokers, "group.id": group, "isolation.level": "read_committed",
            "enable.auto.commit": False,
        })  # fmt: skip

    def _places(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, partition) for partition in self._partitions]


class Transactions:
    """Counts transactions by the marks with which they end, among the offsets of consumer groups."""

    def __init__(self, brokers: str) -> None:
        self._reader = Consumer({
            "bootstrap.servers": brokers, "group.id": "reader", "enable.auto.commit": False,
            "enable.partition.eof": True,
        })  # fmt: skip
        numbers = self._reader.list_topics(_OFFSETS, PATIENCE).topics[_OFFSETS].partitions
        self._begun = {number: self._end(number) for number in numbers}

    def count(self) -> int:
        """Return how many of those that committed offsets have ended since this was made."""
        ends = {number: self._end(number) for number in self._begun}
        open_ = {number for number, end in ends.items() if end > self._begun[number]}
        self._reader.assign([TopicPartition(_OFFSETS, number, self._begun[number]) for number in open_])
        marks = sum(ends.values()) - sum(self._begun.values())
        while open_:
            message = self._reader.poll(PATIENCE)
            assert message is not None, f"no end of {open_} within {PATIENCE} s"
            if message.error():
                open_.discard(message.partition())
            elif message.offset() < ends[message.partition()]:
                marks -= 1
        return marks

    def _end(self, number: int) -> int:
        return self._reader.get_watermark_offsets(TopicPartition(_OFFSETS, number), PATIENCE)[1]


class History:
    """Counts what is in the database."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._loop.run_until_complete(asyncpg.connect(url))

    def records(self) -> Sequence[int]:
        """Return how many records of activity were projected, and the ends of their transactions with them."""
        asked = 'SELECT coalesce(sum("offset"), 0)::bigint FROM projection_positions'
        return (int(self._loop.run_until_complete(self._connection.fetchval(asked))),)


def _patient(count: Count) -> Count:
    def patient() -> Sequence[int]:
        try:
            return count()
        except KafkaException:  # the topic or the group is so new that nobody answers for it yet
            return ()

    return patient


class Figure(NamedTuple):
    """What a run came to: counts a second, microseconds of processor time for each, MiB of memory at its end."""

    rate: float
    cost: float
    memory: float = 0.0


class Mark(NamedTuple):
    """What was committed when, and the processor time that the programs had used by then."""

    counts: Sequence[int]
    at: float
    spent: float


def measure(count: Count, end: int, pids: Sequence[int], patience: float = PATIENCE) -> Figure:
    """Return how fast programs go from half of the way on, or all of it where that is too short."""
    start = Mark((), time.monotonic(), sum(map(processor_time, pids)))
    marks = list(_watch(count, end, pids, patience))
    last = marks[-1]
    done = max(1, sum(last.counts))
    whole = done / (last.at - start.at), (last.spent - start.spent) / done * 1e6
    rate, cost = judge(marks) or whole
    held = sum(psutil.Process(pid).memory_info().rss for pid in pids) / 2**20
    return Figure(rate, cost, held)


def judge(marks: Sequence[Mark]) -> tuple[float, float] | None:
    """Return counts a second and microseconds of processor time for each; None of a run too short to tell.

    Before half of the way a worker still loads web and history beside its work, and once the first partition is
    through, the others go faster. Each partition is judged by when it moved, for only then is its count true: a
    worker tells it once a second, of several partitions at once, and until then it is behind by all that was done.
    """
    ends = marks[-1].counts
    between = [mark for mark in marks if 2 * sum(mark.counts) >= sum(ends) and all(map(lt, mark.counts, ends))]
    each = [_judge_one([(mark.counts[place], mark.at) for mark in between]) for place in range(len(ends))]
    rates = [rate for rate in each if rate is not None]
    if len(rates) < len(ends):
        return None
    rate = sum(rates)
    first, last = between[0], between[-1]
    return rate, (last.spent - first.spent) / (last.at - first.at) / rate * 1e6


def _judge_one(seen: Sequence[tuple[int, float]]) -> float | None:
    moves = [later for before, later in pairwise(seen) if later[0] > before[0]]
    if len(moves) < 2 or moves[-1][1] < moves[0][1] + _AT_LEAST:
        return None
    (first, begun), (last, ended) = moves[0], moves[-1]
    return (last - first) / (ended - begun)


def _watch(count: Count, end: int, pids: Sequence[int], patience: float) -> Iterator[Mark]:
    """Yield every count that shows, up to `end`, with the time and the processor time that programs had used."""
    before, deadline = 0, time.monotonic() + patience
    while before < end:
        assert time.monotonic() < deadline, f"{before} of {end} after {patience} s"
        assert all(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE for pid in pids), "the program has ended"
        seen = count()
        if sum(seen) > before:
            yield Mark(seen, time.monotonic(), sum(map(processor_time, pids)))
            before = sum(seen)
        else:
            time.sleep(LOOK_EVERY)


def processor_time(pid: int) -> float:
    """Return the processor seconds that a program has used, in user and system mode."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system

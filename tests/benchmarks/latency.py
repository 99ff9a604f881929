"""How long from an event's way in to its command's being visible to a consumer of committed records."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.kafka.topics import COMMANDS
from tests import client
from tests.benchmarks import workloads
from tests.benchmarks.stage import FAIRWAY, Stage

_NUMBER, _TIME = 8_400_000_001, 8_400_000_002.5  # stand for those of an event
CALM, CALM_RATE = 12.0, 100.0  # seconds and events a second until the worker has loaded what it needs later
_WARM_UP = 3.0  # seconds at the rate, not counted


class Seen(NamedTuple):
    """A command: when its event was sent, in seconds since 1970, how much later it was seen, and its partition."""

    sent_at: float
    age: float
    partition: int


class _Data(msgspec.Struct, rename="camel"):
    sent_at: float


class _Command(msgspec.Struct):
    data: _Data


class Feed:
    """Sends events evenly, as producers do by default, in batches of 5 ms; each carries when it was sent."""

    def __init__(self, stage: Stage, topic: str, partitioner: str = "murmur2_random") -> None:
        self.sent = 0
        self._stage = stage
        self._topic = topic
        self._producer = Producer({
            "bootstrap.servers": stage.brokers, "linger.ms": 5, "partitioner": partitioner,
        })  # fmt: skip
        self._make = _event_maker()

    def run(self, rate: float, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        """Send for some seconds, or until it is done."""
        begun, sent = time.monotonic(), 0
        while (passed := time.monotonic() - begun) < seconds and not done():
            while sent < passed * rate:
                sent += 1
                self.send_one()
            self._producer.poll(0)
            time.sleep(min(0.002, 1 / rate))
        assert self._producer.flush(client.PATIENCE) == 0

    def send_one(self) -> None:
        """Send one event."""
        key, value = self._make(self._stage.number(), time.time())
        self._producer.produce(self._topic, value, key)
        self.sent += 1


def run_latency(stage: Stage, rate: float, seconds: float) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds while `rate` events come in each second."""
    topic = stage.make_topic()  # of its own: events of an earlier run would be old at once
    setting = stage.set_up(topic, (workloads.SENDING,))
    feed = Feed(stage, topic)
    with reading(stage) as seen, setting.running(FAIRWAY):
        warm_up(feed, seen)
        feed.run(rate, _WARM_UP + seconds)
        client.wait_until(lambda: len(seen) >= feed.sent)
    return middle_and_late(seen[-int(rate * seconds) :])


def warm_up(feed: Feed, seen: Sequence[Seen], calm: float = CALM) -> None:
    """Return when a worker has sent its first command, and has loaded what it needs later."""
    feed.send_one()
    feed.run(1, 0)
    client.wait_until(lambda: bool(seen))
    feed.run(CALM_RATE, calm)


def middle_and_late(seen: Sequence[Seen]) -> tuple[float, float]:
    """Return the median and the 99th percentile of the ages, in milliseconds."""
    ages = sorted(one.age for one in seen)
    return ages[len(ages) // 2] * 1000, ages[len(ages) * 99 // 100] * 1000


def _event_maker() -> Callable[[int, float], workloads.Event]:
    """Return what makes an event of a number and a time, at a cost that leaves the machine to the worker."""
    [(key, value)] = workloads.make_events(1, start=_NUMBER, sentAt=_TIME)
    marks = ((b"%", b"%%"), (str(_NUMBER).encode(), b"%(number)d"), (str(_TIME).encode(), b"%(time)f"))
    for mark, place in marks:
        key, value = key.replace(mark, place), value.replace(mark, place)
    return lambda number, moment: (key % {b"number": number}, value % {b"number": number, b"time": moment})


@contextmanager
def reading(stage: Stage, holding: bytes = b"") -> Iterator[list[Seen]]:
    """Note each command that holds these bytes as it becomes visible, until the context ends and no more come."""
    seen: list[Seen] = []
    done = threading.Event()
    thread = threading.Thread(target=_read, args=(stage, seen, done, holding), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _read(stage: Stage, seen: list[Seen], done: threading.Event, holding: bytes) -> None:
    reader = Consumer({
        "bootstrap.servers": stage.brokers, "group.id": "latency", "isolation.level": "read_committed",
        "enable.auto.commit": False, "fetch.wait.max.ms": 10,
    })  # fmt: skip
    read = msgspec.json.Decoder(_Command).decode
    reader.assign([TopicPartition(COMMANDS, partition, 0) for partition in range(stage.partitions)])
    while True:
        first = reader.poll(0.05)  # `consume` would wait for more of them
        now = time.time()
        found = [first, *reader.consume(1000, 0)] if first else []
        for message in found:
            if holding in (value := message.value()):
                sent_at = read(value).data.sent_at
                seen.append(Seen(sent_at, now - sent_at, message.partition()))
        if not found and done.is_set():
            break
    reader.close()

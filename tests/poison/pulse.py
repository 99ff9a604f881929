"""Good events in a steady beat to all partitions of a running worker, and how late what comes of each is."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from statistics import mean
from time import monotonic, sleep, thread_time

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from models.ids import customer_key
from models.journey import Journey
from streams.kafka.topics import COMMANDS
from tests.broker.workers import TENANT, TOPIC, journey

LATEST = 5.0  # seconds after its time by which every good one is handled, where nothing else slows the machine down
_WORK = 0.01  # seconds of processor time, to see how long they take
_BEAT = 0.02
_CUSTOMERS = 40  # on all partitions


def pulse_journey() -> Journey:
    """Return what sends a command for each good event, and for nothing else."""
    rule = {"field": "pulse", "operator": "isTrue"}
    return journey("Pulse", triggerConfig={"conditions": [rule]})


def measure_slowness() -> float:
    """Return how many times as long as where nothing else runs work takes on this machine now."""
    started, used = monotonic(), thread_time()
    while thread_time() - used < _WORK:
        pass
    return (monotonic() - started) / (thread_time() - used)


class Pulse:
    """The beat: what was sent and when, and by how many seconds later each was handled."""

    def __init__(self, brokers: str, partitions: int) -> None:
        self.sent: dict[int, float] = {}
        self.late: dict[int, float] = {}
        self.slowness: dict[float, float] = {}
        self.doubled = 0
        self._brokers, self._partitions = brokers, partitions
        self._end = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (self._send, self._read)]

    def _send(self) -> None:
        producer = Producer({"bootstrap.servers": self._brokers, "partitioner": "murmur2_random", "linger.ms": 0})
        while not self._end.is_set():
            number = len(self.sent)
            if number % 25 == 0:
                self.slowness[monotonic()] = measure_slowness()
            ids = {
                "eventId": f"pulse-{number}",
                "tenantId": TENANT,
                "customerId": f"pulse-{number % _CUSTOMERS}",
            }
            value = ids | {"occurredAt": datetime.now(UTC).isoformat(), "data": {"pulse": True, "beat": number}}
            self.sent[number] = monotonic()
            producer.produce(TOPIC, json.dumps(value).encode(), customer_key(TENANT, ids["customerId"]))
            producer.poll(0)
            sleep(_BEAT)
        producer.flush(LATEST)

    def _read(self) -> None:
        consumer = Consumer({
            "bootstrap.servers": self._brokers, "group.id": "pulse", "enable.auto.commit": False,
            "isolation.level": "read_committed", "fetch.wait.max.ms": 20,
        })  # fmt: skip
        consumer.assign([TopicPartition(COMMANDS, number, 0) for number in range(self._partitions)])
        while not (self._end.is_set() and self._is_over()):
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                self._note(msgspec.json.decode(message.value() or b"{}")["data"].get("beat"))
        consumer.close()

    def _note(self, number: int | None) -> None:
        if number is not None:
            self.doubled += number in self.late
            self.late.setdefault(number, monotonic() - self.sent[number])

    def _is_over(self) -> bool:
        return len(self.late) >= len(self.sent) or monotonic() > max(self.sent.values()) + 12 * LATEST

    def wait_for(self, beats: int) -> None:
        """Return when so many good events that are sent from now on were handled; fail if that takes too long."""
        first = len(self.sent)
        until = monotonic() + beats * _BEAT + 12 * LATEST
        while not all(number in self.late for number in range(first, first + beats)):
            assert monotonic() < until, f"{len(self.late)} of {len(self.sent)} good events were handled"
            sleep(_BEAT)

    def latest(self, since: float = 0.0) -> float:
        """Return how late the latest was of those sent since a moment; one not yet handled is so late as it is."""
        now = monotonic()
        sent = self.sent.copy()  # at once, for more are sent meanwhile
        return max((self.late.get(number, now - at) for number, at in sent.items() if at >= since), default=0.0)

    def latest_alone(self, since: float) -> float:
        """Return how late the latest would have been if the machine had done nothing else meanwhile."""
        slowness = mean(factor for at, factor in self.slowness.copy().items() if at >= since)
        return self.latest(since) / max(1.0, slowness)

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def beating(brokers: str, partitions: int) -> Iterator[Pulse]:
    """Let good events come for as long as this lasts, and see that each was handled, and once."""
    pulse = Pulse(brokers, partitions)
    pulse.start()
    try:
        yield pulse
    finally:
        pulse.stop()
    assert set(pulse.late) == set(pulse.sent)
    assert pulse.doubled == 0

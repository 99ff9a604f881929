"""How long from an event's way in to its command's being visible to a consumer of committed records."""

import threading
import time
from collections.abc import Callable

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.kafka.topics import COMMANDS
from tests import client
from tests.benchmarks import workloads
from tests.benchmarks.stage import FAIRWAY, Stage

_NUMBER, _TIME = 8_400_000_001, 8_400_000_002.5  # stand for those of an event
_CALM, _CALM_RATE = 12.0, 100.0  # seconds and events a second until the worker has loaded what it needs later
_WARM_UP = 3.0  # seconds at the rate, not counted


class _Data(msgspec.Struct, rename="camel"):
    sent_at: float


class _Command(msgspec.Struct):
    data: _Data


def run_latency(stage: Stage, rate: float, seconds: float) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds while `rate` events come in each second."""
    topic = stage.make_topic()  # of its own: events of an earlier run would be old at once
    setting = stage.set_up(topic, (workloads.SENDING,))
    latencies: list[float] = []
    done = threading.Event()
    reader = threading.Thread(target=read_latencies, args=(stage, latencies, done), daemon=True)
    with setting.running(FAIRWAY):
        reader.start()
        _send(stage, topic, 1, 1)
        client.wait_until(lambda: bool(latencies))  # the worker is there
        _send(stage, topic, _CALM_RATE, _CALM)
        _send(stage, topic, rate, _WARM_UP + seconds)
        done.set()
        reader.join()
    kept = sorted(latencies[-int(rate * seconds) :])
    return kept[len(kept) // 2], kept[len(kept) * 99 // 100]


def _send(stage: Stage, topic: str, rate: float, seconds: float) -> None:
    """Send events evenly, as producers do by default, in batches of 5 ms; each carries when it was sent."""
    producer = Producer({"bootstrap.servers": stage.brokers, "linger.ms": 5, "partitioner": "murmur2_random"})
    make = _event_maker()
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        while sent < passed * rate:
            sent += 1
            key, value = make(stage.number(), time.time())
            producer.produce(topic, value, key)
        producer.poll(0)
        time.sleep(min(0.002, 1 / rate))
    producer.flush(client.PATIENCE)


def _event_maker() -> Callable[[int, float], workloads.Event]:
    """Return what makes an event of a number and a time, at a cost that leaves the machine to the worker."""
    [(key, value)] = workloads.make_events(1, start=_NUMBER, sentAt=_TIME)
    marks = ((b"%", b"%%"), (str(_NUMBER).encode(), b"%(number)d"), (str(_TIME).encode(), b"%(time)f"))
    for mark, place in marks:
        key, value = key.replace(mark, place), value.replace(mark, place)
    return lambda number, moment: (key % {b"number": number}, value % {b"number": number, b"time": moment})


def read_latencies(stage: Stage, latencies: list[float], done: threading.Event, holding: bytes = b"") -> None:
    """Note how old each command is that holds these bytes, in milliseconds, until it is done and no more come."""
    reader = Consumer({
        "bootstrap.servers": stage.brokers, "group.id": "latency", "isolation.level": "read_committed",
        "enable.auto.commit": False, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    read = msgspec.json.Decoder(_Command).decode
    reader.assign([TopicPartition(COMMANDS, partition, 0) for partition in range(stage.partitions)])
    while True:
        first = reader.poll(0.05)  # `consume` would wait for more of them
        now = time.time()
        found = [first, *reader.consume(1000, 0)] if first else []
        values = [value for message in found if holding in (value := message.value())]
        latencies.extend((now - read(value).data.sent_at) * 1000 for value in values)
        if not found and done.is_set():
            break
    reader.close()

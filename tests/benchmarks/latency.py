"""How long from an event's way in to its command's being visible to a consumer of committed records."""

import threading
import time

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from streams.topics import COMMANDS
from tests import kafka
from tests.benchmarks import workloads
from tests.benchmarks.stage import FAIRWAY, Stage

_WARM_UP = 3.0  # seconds at the rate, not counted


def run_latency(stage: Stage, rate: float, seconds: float) -> tuple[float, float]:
    """Return p50 and p99 in milliseconds while `rate` events come in each second."""
    topic = stage.fill(workloads.make_events, 0)
    setting = stage.set_up(topic, (workloads.SENDING,))
    latencies: list[float] = []
    done = threading.Event()
    reader = threading.Thread(target=_read, args=(stage, latencies, done))
    with setting.running(FAIRWAY):
        reader.start()
        _send(stage, topic, 1, 1)
        kafka.wait_until(lambda: bool(latencies))  # the worker is there
        _send(stage, topic, rate, _WARM_UP + seconds)
        done.set()
        reader.join()
    kept = sorted(latencies[int(len(latencies) * _WARM_UP / (_WARM_UP + seconds)) :])
    return kept[len(kept) // 2], kept[len(kept) * 99 // 100]


def _send(stage: Stage, topic: str, rate: float, seconds: float) -> None:
    """Send events evenly; each carries when it was sent."""
    producer = Producer({"bootstrap.servers": stage.brokers, "linger.ms": 0, "partitioner": "murmur2_random"})
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        while sent < passed * rate:
            sent += 1
            for key, value in workloads.make_events(1, start=stage.number(), sentAt=time.time()):
                producer.produce(topic, value, key)
        producer.poll(0)
        time.sleep(min(0.002, 1 / rate))
    producer.flush(kafka.PATIENCE)


def _read(stage: Stage, latencies: list[float], done: threading.Event) -> None:
    reader = Consumer({
        "bootstrap.servers": stage.brokers, "group.id": "latency", "isolation.level": "read_committed",
        "enable.auto.commit": False, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    reader.assign([TopicPartition(COMMANDS, partition, 0) for partition in range(stage.partitions)])
    while True:
        first = reader.poll(0.05)  # `consume` would wait for more of them
        now = time.time()
        found = [first, *reader.consume(1000, 0)] if first else []
        sent = [msgspec.json.decode(message.value())["data"]["sentAt"] for message in found]
        latencies.extend((now - moment) * 1000 for moment in sent)
        if not found and done.is_set():
            break
    reader.close()

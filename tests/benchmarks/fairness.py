"""How long quiet customers wait while others flood: `make fairness`.

A hundred events a second of one tenant go in, evenly, and beside them as many of another tenant as a worker can't
take: by another topic, by one hot customer, or by the quiet tenant's own topic and one partition of it.
"""

import time
from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple

import typer
from confluent_kafka import Producer

from streams.kafka.partitioner import partition_of
from tests import client
from tests.benchmarks.latency import middle_and_late, reading
from tests.benchmarks.progress import Broker
from tests.benchmarks.stage import FAIRWAY, Setting, Stage, staged
from tests.benchmarks.workloads import Event, make_events, make_journey

QUIET = make_journey("Quiet", {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}})
FLOODED = QUIET.model_copy(update={"tenant_id": "t1", "id": "6f0f3f1e-0000-4000-8000-000000000001"})
_RATE = 100.0  # events a second of the quiet tenant
_CALM, _WARM_UP = 12.0, 2.0  # seconds until a worker has loaded what it needs later; of the flood, not counted
_QUIET_TENANT = b'"tenantId":"t0"'  # of whose commands the age is measured
Flood = Callable[[int], Iterator[Event]]


class Latency(NamedTuple):
    """How long the quiet tenant's events took in milliseconds, and how much of the flood was left at the end."""

    middle: float
    late: float
    left: int


def main(
    seconds: Annotated[float, typer.Option(help="How long each is measured.")] = 30.0,
    flood: Annotated[int, typer.Option(help="Events of each flood.")] = 1_000_000,
) -> None:
    """Start a broker, measure quiet hours and floods in turn, and stop it."""
    with staged() as stage:
        quiet = _show("quiet", measure(stage, seconds), None)
        for name, events, is_own in _SCENES:
            _show(name, measure(stage, seconds, events, flood, is_own=is_own), quiet)
        _show("quiet again", measure(stage, seconds), quiet)


def _many(count: int) -> Iterator[Event]:
    return _of_another_tenant(make_events(count))


def _hot(count: int) -> Iterator[Event]:
    return _of_another_tenant(make_events(count, customer_of=lambda _: 7))


def _of_another_tenant(events: Iterator[Event]) -> Iterator[Event]:
    return ((key.replace(b"t0", b"t1"), value.replace(b'"t0"', b'"t1"')) for key, value in events)


_SCENES: tuple[tuple[str, Flood, bool], ...] = (
    ("a tenant's flood by another topic", _many, False),
    ("a hot customer by another topic", _hot, False),
    ("a hot customer by the same topic, others' partitions", _hot, True),
)


def _show(name: str, found: Latency, quiet: Latency | None) -> Latency:
    times = f", {found.late / quiet.late:.1f} times as quiet" if quiet else ""
    left = f", {found.left:,} events of the flood left" if found.left else ""
    typer.echo(f"{name}: p50 {found.middle:.0f} ms, p99 {found.late:.0f} ms{times}{left}")
    return found


def measure(
    stage: Stage, seconds: float, flood: Flood | None = None, count: int = 0, *, is_own: bool = False
) -> Latency:
    """Return the latency of the quiet tenant's events beside a flood of so many."""
    topic, other = stage.make_topic(), stage.make_topic()
    setting = stage.set_up(topic, (QUIET, FLOODED), (other,))
    flooded = topic if is_own else other
    hot = {partition_of(key, stage.partitions) for key, _ in flood(1)} if flood and is_own else set()
    with reading(stage, _QUIET_TENANT) as seen, setting.running(FAIRWAY):
        _send(stage, topic, 1, 1, hot)
        client.wait_until(lambda: bool(seen))  # the worker is there
        _send(stage, topic, _RATE, _CALM, hot)
        if flood is not None:
            stage.feed(flooded, flood(count))
        _send(stage, topic, _RATE, _WARM_UP + seconds, hot)
        left = _left(stage, setting, flooded)
    return Latency(*middle_and_late(seen[-round(_RATE * seconds) :]), left)


def _left(stage: Stage, setting: Setting, topic: str) -> int:
    broker = Broker(stage.brokers, stage.partitions)
    return max(0, sum(broker.ends(topic)) - sum(broker.inputs(setting.app_id, topic)()))


def _send(stage: Stage, topic: str, rate: float, seconds: float, without: set[int]) -> None:
    """Send events evenly, to all partitions but some; each carries when it was sent."""
    producer = Producer({"bootstrap.servers": stage.brokers, "linger.ms": 5, "partitioner": "murmur2_random"})
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < seconds:
        while sent < passed * rate:
            [(key, value)] = make_events(1, start=stage.number(), sentAt=time.time())
            if partition_of(key, stage.partitions) not in without:
                sent += 1
                producer.produce(topic, value, key)
        producer.poll(0)
        time.sleep(0.002)
    producer.flush(client.PATIENCE)


if __name__ == "__main__":
    typer.run(main)

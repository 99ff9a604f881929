"""Three times the load that a worker can take, for minutes: `make overload`.

Its memory stays bounded, its lag grows, and nothing ends. The load is what the worker took of a backlog before,
times three, by several topics; memory is looked at every second. It may grow by what RocksDB may hold, which takes
minutes to fill on a slow machine.
"""

import threading
import time
from collections.abc import Sequence
from typing import Annotated

import psutil
import typer
from confluent_kafka import Producer

from tests import client
from tests.benchmarks.progress import Broker
from tests.benchmarks.stage import FAIRWAY, Setting, Stage, staged
from tests.benchmarks.workloads import SENDING, make_events

_BACKLOG = 100_000  # events, from which the speed is found
_TIMES = 3
_MIB = 1024 * 1024
_STORE = (160 + 128) * _MIB  # the block cache and memtables of all partitions (streams/state/rocksdb.py)
_REST = 64 * _MIB  # customers kept decoded, and what the allocator keeps of memtables that were written out


def main(seconds: Annotated[float, typer.Option(help="How long the load lasts.")] = 600.0) -> None:
    """Start a broker, find how fast a worker is, and load it with three times as much."""
    with staged() as stage:
        _run(stage, seconds)


def _run(stage: Stage, seconds: float) -> None:
    topics = [stage.make_topic() for _ in range(3)]
    setting = stage.set_up(topics[0], (SENDING,), topics[1:])
    stage.feed(topics[0], make_events(_BACKLOG))
    with setting.running(FAIRWAY) as pid:
        speed = _find_speed(stage, setting, topics[0])
        typer.echo(f"It takes {speed:,.0f} events a second, and gets {_TIMES * speed:,.0f}.")
        memory, lags = list[int](), list[int]()
        done = threading.Event()
        load = threading.Thread(target=_load, args=(stage, topics, _TIMES * speed, done), daemon=True)
        load.start()
        _watch(stage, setting, topics, psutil.Process(pid), seconds, memory, lags)
        done.set()
        load.join()
    losses = (stage.folder / f"{setting.app_id}.log").read_text().count("was lost")
    _judge(memory, lags, losses)


def _find_speed(stage: Stage, setting: Setting, topic: str) -> float:
    handled = Broker(stage.brokers, stage.partitions).inputs(setting.app_id, topic)
    client.wait_until(lambda: sum(handled()) > _BACKLOG // 4, 120)
    first, begun = sum(handled()), time.monotonic()
    client.wait_until(lambda: sum(handled()) > _BACKLOG * 3 // 4, 120)
    return (sum(handled()) - first) / (time.monotonic() - begun)


def _load(stage: Stage, topics: Sequence[str], rate: float, done: threading.Event) -> None:
    """Write events evenly, to each topic in turn; they are made before, so that this costs little."""
    batches = {"linger.ms": 50, "batch.size": 262144, "compression.type": "lz4"}
    producer = Producer({"bootstrap.servers": stage.brokers, "partitioner": "murmur2_random"} | batches)
    events, sent, begun = list(make_events(50_000, start=_BACKLOG)), 0, time.monotonic()
    while not done.is_set():
        while sent < (time.monotonic() - begun) * rate and not done.is_set():
            key, value = events[sent % len(events)]
            try:
                mark = b'"eventId":"%d-' % sent
                producer.produce(topics[sent % len(topics)], value.replace(b'"eventId":"', mark, 1), key)
                sent += 1
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        done.wait(0.005)
    producer.purge()
    producer.flush(client.PATIENCE)


def _watch(
    stage: Stage,
    setting: Setting,
    topics: Sequence[str],
    process: psutil.Process,
    seconds: float,
    memory: list[int],
    lags: list[int],
) -> None:
    broker = Broker(stage.brokers, stage.partitions)
    handled = [broker.inputs(setting.app_id, topic) for topic in topics]
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        memory.append(process.memory_info().rss)
        ends = sum(sum(broker.ends(topic)) for topic in topics)
        lags.append(ends - sum(sum(count()) for count in handled))
        if len(memory) % 20 == 1:
            typer.echo(f"{time.monotonic() - begun:4.0f} s: {memory[-1] // _MIB:,} MiB, {lags[-1]:,} events behind")
        time.sleep(1)


def _judge(memory: list[int], lags: list[int], losses: int) -> None:
    quarter = len(memory) // 4
    peaks = [max(memory[number * quarter : (number + 1) * quarter]) // _MIB for number in range(4)]
    typer.echo(f"Memory: {memory[0] // _MIB:,} MiB at first; in each quarter at most {peaks} MiB.")
    typer.echo(f"Behind at the end: {lags[-1]:,} events. Partitions that were lost and opened anew: {losses}.")
    assert lags[-1] > lags[quarter], "the lag did not grow: it was no overload"
    assert max(memory) < memory[0] + _STORE + _REST, "the memory grew"
    assert not losses, "partitions were lost"


if __name__ == "__main__":
    typer.run(main)

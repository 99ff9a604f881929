"""Batches of a few kilobytes that hold hundreds of megabytes: each is a dead letter, and holds nobody up."""

import re
from pathlib import Path

import pytest

from streams.kafka.topics import COMMANDS, DEAD_LETTERS
from streams.settings import Settings
from tests import client
from tests.broker.workers import TOPIC, Worker, event, journey, publish, running
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

HELD = 150_000_000  # bytes in each batch
ROOM = 300_000_000  # bytes of memory for a worker that needs 150 million by itself


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd"])
def test_a_worker_passes_over_a_batch_that_would_fill_its_memory(settings: Settings, codec: str) -> None:
    publish(settings, journey())
    with running(settings) as (worker,):
        send(settings, event(1, "ann"), codec)
        send(settings, Record(TOPIC, event(1, "ann").key, bytes(HELD)), codec)
        send(settings, event(2, "ann"), codec)
        wait_for(settings, commands=2, letters=1)
        assert worker.process.poll() is None
        assert largest(worker) < ROOM


def send(settings: Settings, record: Record, codec: str) -> None:
    config = {"compression.codec": codec, "compression.level": "1", "message.max.bytes": "1000000000"}
    client.produce(settings.brokers, [record], **config)


def read(settings: Settings, topic: str) -> list[Record]:
    return client.read_committed(settings.brokers, topic)


def wait_for(settings: Settings, *, commands: int, letters: int) -> None:
    """Return when so many are committed in both topics; a transaction may be over in one before the other."""
    for topic, count in ((COMMANDS, commands), (DEAD_LETTERS, letters)):
        client.wait_until(lambda topic=topic, count=count: len(read(settings, topic)) == count, 2 * client.PATIENCE)


def largest(worker: Worker) -> int:
    """Return how much memory the worker had at most, in bytes."""
    told = Path(f"/proc/{worker.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", told)
    assert found
    return int(found[1]) * 1024


def test_a_worker_holds_few_at_once_of_many_batches_that_are_just_small_enough(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as (worker,):
        large = Record(TOPIC, event(1, "ann").key, bytes(30_000_000))
        for _ in range(80):
            send(settings, large, "zstd")
        send(settings, event(2, "ann"), "zstd")
        wait_for(settings, commands=1, letters=80)
        assert largest(worker) < 2 * ROOM

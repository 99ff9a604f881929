"""Who takes a partition over from a worker that is gone has its state already, and so has who comes anew."""

import re
import signal
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Consumer, TopicPartition

from streams.dev.processes import free_port
from streams.settings import Settings
from streams.state.errors import CorruptedError
from streams.state.rocksdb import RocksReader
from streams.state.store import Store
from tests import client
from tests.broker.workers import Worker, events, expected, journey, publish, running, wait_for_commands

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]

# It is killed just when it has written to its stores for the sixth time, in the midst of copying.
_DIES = """
import os, signal
from streams.state.rocksdb import RocksMap

def write(self, changes, put=RocksMap.write, writes=iter(range(5))):
    put(self, changes)
    if next(writes, None) is None:
        os.kill(os.getpid(), signal.SIGKILL)

RocksMap.write = write
"""
# It takes a second to close a store, as where much is to be written.
_CLOSES_LATE = """
import time
from streams.state.rocksdb import RocksMap

def close(self, close=RocksMap.close):
    time.sleep(1)
    close(self)

RocksMap.close = close
"""
_METRIC = re.compile(r'^fairway_(partition_open|restore_rows){partition="(\d+)"} (\d+)', re.MULTILINE)


class Keeper(Worker):
    """A worker on a disk of its own that keeps so many copies of each partition."""

    def __init__(self, settings: Settings, name: str, patch: str = "", standbys: int = 1) -> None:
        self.data = settings.data_dir / name / settings.app_id
        self.port = free_port()
        super().__init__(
            settings, name, patch, FAIRWAY_DATA_DIR=str(self.data.parent), FAIRWAY_WEB_PORT=str(self.port),
            FAIRWAY_STANDBYS=str(standbys),
        )  # fmt: skip

    def ask(self, metric: str) -> dict[int, int]:
        """Return the values of a metric by partition; none while it is not served."""
        try:
            text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=20, trust_env=False).text
        except httpx.TransportError:
            return {}
        return {int(partition): int(value) for name, partition, value in _METRIC.findall(text) if name == metric}

    def works_on(self, count: int) -> bool:
        return list(self.ask("partition_open").values()) == [1] * count

    def has_all(self, ends: dict[int, int]) -> bool:
        """Say whether the copies on disk stand at these ends of the changelog."""
        copies = ends.keys() - self.ask("partition_open").keys()
        return bool(copies) and all(_offset(self.data / f"store-{number}") == ends[number] for number in copies)


def _offset(folder: Path) -> int:
    try:
        reader = RocksReader(folder)
    except CorruptedError:  # not there yet, or written just now
        return -1
    try:
        return Store(reader).offset
    finally:
        reader.close()


def find_ends(settings: Settings) -> dict[int, int]:
    """Return where each partition of the changelog ends, marks of transactions that are on their way included."""
    topic = f"{settings.app_id}-customers-changelog"
    asking = Consumer(
        {"bootstrap.servers": settings.brokers, "group.id": "ends", "isolation.level": "read_uncommitted"}
    )
    try:
        return {
            number: asking.get_watermark_offsets(TopicPartition(topic, number), client.PATIENCE)[1]
            for number in range(4)
        }
    finally:
        asking.close()


def test_a_worker_that_is_killed_or_comes_anew_costs_no_restore_though_it_died_while_it_copied(
    settings: Settings,
) -> None:
    publish(settings, journey())
    with running(settings, count=0) as workers:
        first = Keeper(settings, "first")
        workers.append(first)
        client.produce(settings.brokers, events(range(300), 50))
        wait_for_commands(settings, expected(300, 50))
        assert Keeper(settings, "second", _DIES).wait() == -signal.SIGKILL
        second = Keeper(settings, "second")
        workers.append(second)
        client.wait_until(lambda: second.works_on(2) and first.works_on(2))
        assert set(second.ask("restore_rows").values()) == {0}, "it warmed up before it got any"
        client.produce(settings.brokers, events(range(300, 600), 50))
        wait_for_commands(settings, expected(600, 50))
        assert min(find_ends(settings).values()) > 20
        client.wait_until(lambda: second.has_all(find_ends(settings)))
        first.end(signal.SIGKILL)
        client.wait_until(lambda: second.works_on(4))
        assert second.ask("restore_rows") == dict.fromkeys(range(4), 0)
        client.produce(settings.brokers, events(range(600, 900), 50))
        wait_for_commands(settings, expected(900, 50))
        assert "can't be used" not in second.log.read_text()


def test_without_standbys_who_comes_anew_warms_up_and_who_comes_back_gets_what_it_had(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings, count=0) as workers:
        first = Keeper(settings, "first", standbys=0)
        workers.append(first)
        client.produce(settings.brokers, events(range(300), 50))
        wait_for_commands(settings, expected(300, 50))
        second = Keeper(settings, "second", standbys=0)
        workers.append(second)
        client.wait_until(lambda: second.works_on(2) and first.works_on(2))
        assert set(second.ask("restore_rows").values()) == {0}
        had = second.ask("partition_open").keys()
        second.end(signal.SIGKILL)
        client.wait_until(lambda: first.works_on(4))
        client.produce(settings.brokers, events(range(300, 600), 50))
        wait_for_commands(settings, expected(600, 50))
        back = Keeper(settings, "second", standbys=0)
        workers.append(back)
        client.wait_until(lambda: back.works_on(2) and first.works_on(2))
        assert back.ask("restore_rows") == dict.fromkeys(had, 0)
        client.produce(settings.brokers, events(range(600, 900), 50))
        wait_for_commands(settings, expected(900, 50))


def test_workers_on_one_disk_hand_their_stores_on(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings, count=0) as workers:
        first = Keeper(settings, "both", _CLOSES_LATE, standbys=0)
        workers.append(first)
        client.produce(settings.brokers, events(range(300), 50))
        wait_for_commands(settings, expected(300, 50))
        second = Keeper(settings, "both", _CLOSES_LATE, standbys=0)
        workers.append(second)
        client.wait_until(lambda: second.works_on(2) and first.works_on(2))
        assert set(second.ask("restore_rows").values()) == {0}
        client.produce(settings.brokers, events(range(300, 600), 50))
        wait_for_commands(settings, expected(600, 50))
        second.end(signal.SIGTERM)
        client.wait_until(lambda: first.works_on(4))
        assert set(first.ask("restore_rows").values()) == {0}
        assert {place.name for place in first.data.glob("store-*")} == {f"store-{number}" for number in range(4)}

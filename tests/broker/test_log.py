"""What a worker writes into its log while brokers come and go, and how it ends then: no line that is none."""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.kafka import provision
from streams.kafka.topics import read_topics
from streams.settings import Settings
from tests import client
from tests.broker.workers import Worker, events, expected, journey, publish, running, wait_for_commands
from tests.brokers import Brokers

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
KILLS = 3


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    found = Brokers(tmp_path_factory.mktemp("cluster"))
    yield found
    found.close()


@pytest.fixture
def settings(one: Brokers, tmp_path: Path, prefix: str) -> Settings:
    file = tmp_path / "topics.yaml"
    content = yaml.safe_load(Path("topics.yaml").read_text())
    content["defaults"]["partitions"] = 4
    file.write_text(yaml.safe_dump(content))
    made = Settings(brokers=one.address, app_id=prefix, topics_file=file, data_dir=tmp_path / "data")
    asyncio.run(provision.apply(made, read_topics(file, prefix)))
    return made


def lines(worker: Worker) -> list[dict[str, Any]]:
    """Return the lines that are whole; the last may be on its way while the worker runs."""
    whole, _, _ = worker.log.read_text().rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def wait_for(worker: Worker, sentence: str) -> dict[str, Any]:
    client.wait_until(lambda: any(line["event"].startswith(sentence) for line in lines(worker)))
    return next(line for line in lines(worker) if line["event"].startswith(sentence))


def test_broker_faults_are_told_in_few_lines_each_of_them_json(one: Brokers, settings: Settings) -> None:
    publish(settings, journey())
    with running(settings, FAIRWAY_LOG_FORMAT="json", FAIRWAY_WEB_PORT="0") as (worker,):
        ready = wait_for(worker, "The worker is ready.")
        assert (ready["app_id"], ready["brokers"]) == (settings.app_id, settings.brokers)
        assert ready["partitions"] == "0, 1, 2, 3"
        assert ready["web"].startswith("http://127.0.0.1:")
        for kill in range(KILLS):
            one.kill(0)
            wait_for(worker, "Unable connect to node")
            one.start(0)
            client.produce(settings.brokers, events(range(kill * 20, kill * 20 + 20), 20))
            wait_for_commands(settings, expected(kill * 20 + 20, 20))
        assert worker.end(signal.SIGTERM) == 0
        written = lines(worker)
    assert all({"timestamp", "level", "event", "logger"} <= line.keys() for line in written)
    assert len(written) < 60, "300 in ten minutes of faults"
    assert sum(line.get("repeated", 0) for line in written) > 20, "aiokafka alone writes hundreds"
    assert not [line for line in written if "exception" in line or "Traceback" in line["event"]]
    assert "faust-" not in worker.log.read_text()


@pytest.mark.parametrize("is_up", [True, False], ids=["broker up", "broker down"])
def test_a_worker_that_is_told_to_end_says_nothing_of_it(one: Brokers, settings: Settings, is_up: bool) -> None:
    with running(settings, 2, FAIRWAY_LOG_FORMAT="json", FAIRWAY_WEB_PORT="0") as workers:
        for worker in workers:
            wait_for(worker, "The worker is ready.")
        if not is_up:
            one.kill(0)
        try:
            for worker, by in zip(workers, (signal.SIGTERM, signal.SIGINT), strict=True):
                assert worker.end(by) == 0
        finally:
            if not is_up:
                one.start(0)
    written = [line for worker in workers for line in lines(worker)]
    assert not [line for line in written if "exception" in line or "Traceback" in line["event"]]
    assert not [line for line in written if is_up and line["logger"] == "asyncio"]


def test_a_port_that_was_asked_for_and_is_taken_ends_a_worker_with_a_sentence(settings: Settings) -> None:
    with running(settings, FAIRWAY_LOG_FORMAT="json", FAIRWAY_WEB_PORT="0") as (worker,):
        port = wait_for(worker, "The worker is ready.")["web"].rpartition(":")[2]
        second = Worker(settings, "second", FAIRWAY_LOG_FORMAT="json", FAIRWAY_WEB_PORT=port)
        assert second.wait() == 1
        (line,) = lines(second)
        assert line["level"] == "error"
        assert line["event"].startswith(f"Port {port} of '127.0.0.1' is taken by another program: name another one")

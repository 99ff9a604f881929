"""Three brokers, one of them down: commands and workers go on, or say in a sentence why they can't."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app
from streams.kafka.topics import COMMANDS
from streams.settings import Settings, environment
from tests import client
from tests.broker import workers
from tests.brokers import Brokers

pytestmark = [pytest.mark.broker, pytest.mark.timeout(480)]
APP = "three"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    found = Brokers(tmp_path_factory.mktemp("cluster"), 3)
    yield found
    found.close()


@pytest.fixture(scope="module")
def settings(three: Brokers, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("settings")
    file = folder / "topics.yaml"
    content = yaml.safe_load(Path("topics.yaml").read_text())
    content["defaults"] |= {"partitions": 4, "replication": three.copies}
    content["defaults"]["configs"]["min.insync.replicas"] = 2
    file.write_text(yaml.safe_dump(content))
    return Settings(brokers=three.address, app_id=APP, topics_file=file, data_dir=folder / "data")


def variables(settings: Settings) -> dict[str, str]:
    return {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    start = "from streams.cli import main; main()"
    command = [sys.executable, "-c", start, *words]
    env = environment() | variables(settings)
    return subprocess.run(command, capture_output=True, text=True, timeout=200, env=env)


def succeed(settings: Settings, *words: str) -> str:
    done = run(settings, *words)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_one_of_three_brokers_down_every_command_and_a_worker_do_their_work(
    three: Brokers, settings: Settings, tmp_path: Path
) -> None:
    succeed(settings, "topics", "apply")
    one = workers.journey()
    workers.publish(settings, one)
    events = tmp_path / "events.jsonl"
    events.write_bytes(
        b"\n".join(record.value or b"" for record in workers.events(range(20), 20, eventType=workers.TOPIC))
    )
    three.kill(0)
    try:
        for _ in range(8):  # which broker is asked is left to chance
            planned = CliRunner().invoke(app, ["topics", "plan"], env=variables(settings))
            assert planned.output == "The broker's topics are as the file says.\n"
        content = yaml.safe_load(settings.topics_file.read_text())
        content["topics"]["one.more"] = {"role": "events"}
        settings.topics_file.write_text(yaml.safe_dump(content))
        succeed(settings, "topics", "apply")
        with workers.running(settings):
            assert "20 events published." in succeed(settings, "publish", str(events))
            client.wait_until(lambda: len(client.read_committed(settings.brokers, COMMANDS)) == 20, 60)
            to = ["--tenant", workers.TENANT, "--journey", one.name, "--customer", "by-hand"]
            assert "has entered" in succeed(settings, "enroll", *to, "--wait", "--within", "60")
            succeed(settings, "exit", *to)
        sent = [json.loads(line) for line in succeed(settings, "commands").splitlines()]
        assert len({command["commandId"] for command in sent}) == len(sent) == 21
    finally:
        three.start(0)


def test_with_two_of_three_brokers_down_each_command_ends_with_a_sentence(
    three: Brokers, settings: Settings, tmp_path: Path
) -> None:
    content = yaml.safe_load(settings.topics_file.read_text())
    content["topics"]["another"] = {"role": "events"}
    settings.topics_file.write_text(yaml.safe_dump(content))
    events = tmp_path / "events.jsonl"
    events.write_bytes(workers.event(1, "c-1", eventType=workers.TOPIC).value or b"")
    three.kill(1, 2)
    try:
        commands = ["topics", "apply"], ["publish", str(events)]
        with ThreadPoolExecutor() as threads:  # both wait for half a minute
            ended = list(threads.map(lambda words: run(settings, *words), commands))
        for done in ended:
            assert done.returncode == 1
            assert done.stderr.startswith(
                f"fairway: Kafka at '{settings.brokers}' (FAIRWAY_BROKERS) gave no answer"
            )
            assert len(done.stderr.splitlines()) == 1
    finally:
        three.start(1, 2)

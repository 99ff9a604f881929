"""From the wheel, in an empty folder: a first journey, from `fairway init` to its commands."""

import json
import zipfile
from pathlib import Path

import pytest

from streams.kafka.topics import COMMANDS
from tests import client
from tests.demo.conftest import ROOT, Fairway


def test_the_wheel_carries_what_the_project_lists_once(wheel: Path) -> None:
    packed = zipfile.ZipFile(wheel)
    names = set(packed.namelist())
    assert packed.read("streams/demo/files/topics.yaml") == (ROOT / "topics.yaml").read_bytes()
    for file in (ROOT / "examples").glob("*/*.yaml"):
        assert packed.read(f"streams/demo/files/{file.parent.name}/{file.name}") == file.read_bytes()
    for folder in ("streams/web/pages/templates", "streams/web/pages/static", "models/migrations"):
        files = [file.relative_to(ROOT) for file in (ROOT / folder).rglob("*") if file.is_file()]
        assert {str(file) for file in files if "__pycache__" not in file.parts} <= names
    assert {"streams/dev/kafka.lock", "streams/py.typed", "models/migrations/env.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "docs/"))]


@pytest.mark.broker
@pytest.mark.database
@pytest.mark.timeout(240)
def test_a_first_journey_runs_from_init_to_its_commands(fairway: Fairway) -> None:
    run(fairway, "init")
    try:
        run(fairway, "dev up --detach")
        lines = run(fairway, "dev env").splitlines()
        fairway.variables.update(line.removeprefix("export ").split("=", 1) for line in lines)
        run(fairway, "topics apply")
        run(fairway, "db upgrade")
        assert run(fairway, "journeys validate journeys") == "1 journey, no problems.\n"
        foretold = read_commands(run(fairway, "simulate --journeys journeys --events events.jsonl"))
        run(fairway, "journeys apply journeys --activate")
        worker = fairway.start("worker", FAIRWAY_WEB_PORT="0")
        try:
            assert run(fairway, "publish events.jsonl") == "2 events published.\n"
            client.wait_until(lambda: run(fairway, "commands").count("\n") == 2)
            commands = [json.loads(line) for line in run(fairway, "commands").splitlines()]
            assert [(one["customerId"], one["templateId"]) for one in commands] == foretold
        finally:
            worker.terminate()
        assert worker.wait(client.PATIENCE) == 0
    finally:
        run(fairway, "dev down")


def run(fairway: Fairway, command: str) -> str:
    done = fairway.run(*command.split())
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def read_commands(simulated: str) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in simulated.splitlines()]
    sent = [line["value"] for line in lines if line["topic"] == COMMANDS]
    return [(command["customerId"], command["templateId"]) for command in sent]

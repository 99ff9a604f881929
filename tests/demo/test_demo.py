"""`fairway demo`, as a user starts it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from streams.dev import servers
from streams.settings import environment

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(240)]


def test_the_demo_plays_the_whole_sample_once_and_stops_what_it_started(tmp_path: Path) -> None:
    fairway = Path(sys.executable).with_name("fairway")
    done = subprocess.run(
        [fairway, "demo", "--exit", "--json"],
        env={**environment(), "FAIRWAY_DATA_DIR": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    expected = {
        "events": 486, "entered": 417, "refused": 64, "commands": 552, "duplicateCommands": 0, "deadLetters": 5,
        "finished": True,
    }  # fmt: skip
    assert expected.items() <= summary.items()
    assert summary["latencyMs"]["p50"] > 0
    assert not servers.are_running(tmp_path)

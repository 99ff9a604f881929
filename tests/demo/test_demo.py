"""`fairway demo`, as a user starts it: from a wheel, in an empty folder."""

import json

import pytest

from streams.dev import servers
from tests.demo.conftest import Fairway

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(240)]


def test_the_demo_plays_the_whole_sample_once_and_stops_what_it_started(fairway: Fairway) -> None:
    done = fairway.run("demo", "--exit", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    expected = {
        "events": 486, "entered": 417, "refused": 64, "commands": 552, "duplicateCommands": 0, "deadLetters": 5,
        "finished": True,
    }  # fmt: skip
    assert expected.items() <= summary.items()
    assert summary["latencyMs"]["p50"] > 0
    assert not servers.are_running(fairway.folder / ".fairway")

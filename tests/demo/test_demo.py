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
        "events": 609, "entered": 424, "refused": 64, "commands": 591, "duplicateCommands": 0, "deadLetters": 6,
        "goals": {"played": 20, "paid": 15, "booked again": 11}, "moved": 10, "finished": True,
    }  # fmt: skip
    assert {name: summary[name] for name in expected} == expected
    assert summary["latencyMs"]["p50"] > 0
    assert not servers.are_running(fairway.folder / ".fairway")

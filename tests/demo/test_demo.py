"""`fairway demo`, as a user starts it: from a wheel, in an empty folder."""

import json
import signal

import pytest

from streams.dev import servers
from tests import client
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


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=lambda by: by.name)
@pytest.mark.parametrize("moment", ["Starting Kafka", "Kafka answers at", "the worker's log is"])
def test_the_demo_ends_alike_at_whatever_moment_it_is_told_to(
    fairway: Fairway, by: signal.Signals, moment: str
) -> None:
    log = fairway.folder.parent / "log"
    running = fairway.start("demo", PYTHONUNBUFFERED="1")
    client.wait_until(lambda: moment in log.read_text(), 120)
    running.send_signal(by)
    assert (running.wait(60), log.read_text().splitlines()[-1]) == (0, "Stopped.")
    assert not servers.are_running(fairway.folder / ".fairway")

"""`fairway demo`, as a user starts it: from a wheel, in an empty folder."""

import json
import signal
from pathlib import Path

import httpx
import pytest

from streams.dev import servers
from tests import client, ports
from tests.alerts.dashboard import read_queries
from tests.alerts.promtool import evaluate, has_data, needs_promtool
from tests.alerts.recording import Recording
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


@pytest.mark.parametrize(
    ("by", "moment"),
    [
        (signal.SIGTERM, "Starting Kafka"),
        (signal.SIGINT, "Kafka answers at"),
        (signal.SIGTERM, "the worker's log is"),
    ],
    ids=lambda one: one.name if isinstance(one, signal.Signals) else one,
)
def test_the_demo_ends_alike_at_whatever_moment_it_is_told_to(
    fairway: Fairway, by: signal.Signals, moment: str
) -> None:
    """While it is plain code both ways, and while a loop of asyncio runs; below, when all is played."""
    log = fairway.folder.parent / "log"
    running = fairway.start("demo", PYTHONUNBUFFERED="1")
    client.wait_until(lambda: moment in log.read_text(), 120)
    running.send_signal(by)
    assert (running.wait(2 * client.PATIENCE), log.read_text().splitlines()[-1]) == (0, "Stopped.")
    assert not servers.are_running(fairway.folder / ".fairway")


@needs_promtool
def test_every_query_of_the_dashboard_has_data_after_the_demo_which_stands_until_ctrl_c(
    fairway: Fairway, tmp_path: Path
) -> None:
    log, port, recording = fairway.folder.parent / "log", ports.free_port(), Recording()
    running = fairway.start("demo", PYTHONUNBUFFERED="1", FAIRWAY_WEB_PORT=str(port))
    try:
        client.wait_until(lambda: _tell(port) is not None, 120)
        recording.show(5, {"w": _tell(port)})  # its Prometheus comes along before the play is over
        client.wait_until(lambda: "The worker goes on until Ctrl-C." in log.read_text(), 120)
        played = recording.show(5, {"w": _tell(port)})
        assert f"Look at it: http://127.0.0.1:{port}" in log.read_text()
    finally:
        running.send_signal(signal.SIGINT)
    assert (running.wait(2 * client.PATIENCE), log.read_text().splitlines()[-1]) == (0, "Stopped.")
    assert not evaluate(tmp_path, recording.series(), [has_data(played, query) for query in read_queries()])


def _tell(port: int) -> str | None:
    """Return what the demo's worker tells Prometheus, None while it does not answer."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.text if answer.is_success else None

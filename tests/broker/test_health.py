"""Three workers, of which one leaves in order and one is stopped: all doors say the same of it."""

import asyncio
import re
import signal
from html import unescape

import httpx
import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.database import create_engine, upgrade
from streams.health.wording import name_partitions
from streams.settings import Settings
from tests import client
from tests.broker.workers import (
    Worker,
    events,
    expected,
    journey,
    long_session,
    publish,
    running,
    wait_for_commands,
)
from tests.ports import free_ports

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(360)]

_DURATION = re.compile(r"\d+ (s|min)\b( \d+ s)?")


def strip(line: str) -> str:
    """Return a line without how long it has been so, which differs from moment to moment."""
    return _DURATION.sub("…", line)


def ask(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=20, trust_env=False)


async def make_tables(url: str) -> None:
    engine = create_engine(url)
    await upgrade(engine)
    await engine.dispose()


def line_of(port: int) -> str:
    """Return what `/readyz` of a worker says of all of them; nothing while it is not served."""
    try:
        return str(ask(port, "/readyz").json()["health"]["line"])
    except httpx.TransportError:
        return ""


def wait_for_line(port: int, pattern: str) -> str:
    """Return the line once it is such, and show those that came before, for whom it may help."""
    lines = [""]

    def fits() -> bool:
        if (line := line_of(port)) != lines[-1]:
            lines.append(line)
            print(line)
        return re.fullmatch(pattern, line) is not None

    client.wait_until(fits, 120)
    return lines[-1]


def owners(port: int) -> list[str]:
    """Return the ports of the workers in the rows of the overview's table: one for each partition, or none."""
    rows = re.findall(r'data-label="Worker">(?:<span[^>]*>)?([^<]+?)\s*<', ask(port, "/").text)
    return [row.rpartition(":")[2] for row in rows]


def line_on_page(port: int) -> str:
    (line,) = re.findall(r'data-live="health.line">([^<]+)<', ask(port, "/").text)
    return unescape(line)


def doctor(settings: Settings, url: str) -> str:
    variables = {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id, "FAIRWAY_DATABASE_URL": url,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip
    output = CliRunner().invoke(app, ["doctor"], env=variables).output
    return next(line[15:] for line in output.splitlines() if line[2:8] == "health")


def test_pages_readiness_and_doctor_say_the_same_of_workers_that_leave_and_that_are_stopped(
    settings: Settings, database_url: str
) -> None:
    asyncio.run(make_tables(database_url))
    publish(settings, journey())
    ports = free_ports(3)
    with running(settings, 0) as workers:
        for number, port in enumerate(ports):
            own = {"FAIRWAY_WEB_PORT": str(port), "FAIRWAY_DATA_DIR": str(settings.data_dir / str(number))}
            own |= {"FAIRWAY_DATABASE_URL": database_url, "FAIRWAY_HEALTH_SILENT_SECONDS": "1"}
            workers.append(Worker(settings, str(number), long_session(12), **own))
        wait_for_line(ports[0], "Well: 3 workers, 4 partitions running, 0 events waiting.")

        assert workers[2].end(signal.SIGTERM) == 0
        wait_for_line(ports[0], "Well: 2 workers, 4 partitions running, 0 events waiting.")
        client.wait_until(lambda: sorted(owners(ports[0])) == sorted(map(str, ports[:2] * 2)))
        some = name_partitions(map(int, ask(ports[1], "/readyz").json()["partitions"]))

        workers[1].process.send_signal(signal.SIGSTOP)
        client.produce(settings.brokers, events(range(400), 40))
        name = re.escape(f":{ports[1]}")
        wait_for_line(ports[0], rf".*worker \S+{name} silent for \d+ s, {some} (hold .+ events?|stand still).*")
        taken = rf"its {some} went to worker \S+:{ports[0]}"
        gone = rf"Degraded: worker \S+{name} gone for .+ without having been stopped; {taken}\."
        wait_for_line(ports[0], gone)
        wait_for_commands(settings, expected(400, 40))

        def agree() -> bool:
            """Say whether all three doors say the same; each is asked at its own moment."""
            said = strip(line_of(ports[0]))
            return said == strip(line_on_page(ports[0])) == strip(doctor(settings, database_url))

        client.wait_until(agree, 90)
        assert owners(ports[0]) == [str(ports[0])] * 4 + [str(ports[1])]
        assert 'class="mark gone"' in ask(ports[0], "/").text

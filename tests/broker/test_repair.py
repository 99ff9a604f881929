"""A damaged row of the changelog at a real broker: its customer is told as damaged, all others are served."""

import subprocess
import sys
from typing import Any

import httpx
import pytest

from models.ids import customer_key
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import DEAD_LETTERS, read_topics
from streams.settings import Settings, environment
from tests import client
from tests.broker.workers import (
    TENANT,
    TOPIC,
    Worker,
    command_ids,
    event,
    events,
    expected,
    journey,
    publish,
    running,
    wait_for_commands,
)
from tests.client import Record
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
KEY = customer_key(TENANT, "broken")
ROW = b'{"tenantId":"pinehurst","customerId":"broken","profile":{"tier":"Gold"},"records":"many"}'
_RUN = "from streams.cli import main; main()"


def fairway(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file),
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", _RUN, *arguments], env=environment() | variables, capture_output=True, text=True,
        check=False, timeout=2 * client.PATIENCE,
    )  # fmt: skip


def write_row(settings: Settings, key: bytes, row: bytes) -> None:
    changelog = read_topics(settings.topics_file, settings.app_id).changelog
    client.produce(settings.brokers, [Record(changelog, key, row, partition=partition_of(key, 4))])


def letters(settings: Settings) -> list[tuple[str, bytes | None]]:
    found = client.read_committed(settings.brokers, DEAD_LETTERS)
    return [(dict(one.headers)["dlq.code"].decode(), one.value) for one in found]


def ask(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=20, trust_env=False)


def is_up(port: int) -> bool:
    try:
        return ask(port, "/readyz").is_success
    except httpx.TransportError:
        return False


def is_counted(metrics: str) -> bool:
    """Say whether one customer is damaged and one dead letter written for that; it is counted after the commit."""
    told = [line for line in metrics.splitlines() if line.startswith("fairway_damaged_customers{")]
    letters = 'fairway_dead_letters_total{code="damaged"} 1.0' in metrics
    return letters and sum(float(line.split()[-1]) for line in told) == 1


def profile(port: int) -> Any:
    """Return the customer's profile, None while their row is damaged."""
    state: Any = ask(port, f"/api/v1/customers/{TENANT}/broken/state").json()["state"]
    return state and state["profile"]


def test_a_damaged_row_harms_its_own_customer_alone_until_it_is_repaired(settings: Settings) -> None:
    publish(settings, journey())
    write_row(settings, KEY, ROW)
    write_row(settings, b":position", b'"nonsense"')
    port = free_port()
    broken = event(9_000, "broken")
    with running(settings, 0) as workers:
        workers.append(Worker(settings, "first", FAIRWAY_WEB_PORT=str(port)))
        client.produce(settings.brokers, [*events(range(100), 20), broken])
        wait_for_commands(settings, expected(100, 20))
        client.wait_until(lambda: letters(settings) == [("damaged", broken.value)])
        client.wait_until(lambda: is_up(port))
        told = ask(port, f"/api/v1/customers/{TENANT}/broken/state").json()
        assert (told["damaged"], told["state"]) == (True, None)
        client.wait_until(lambda: is_counted(ask(port, "/metrics").text))

        repaired = fairway(settings, "state", "repair", "--tenant", TENANT, "--customer", "broken")
        assert repaired.returncode == 0, repaired.stderr
        assert repaired.stdout.startswith(
            "The damaged state of 'pinehurst:broken' was repaired, lost: records. This is the row as it was. "
            "It is dead letter "
        )
        client.wait_until(lambda: ("repaired", ROW) in letters(settings))
        client.wait_until(lambda: profile(port) == {"tier": "Gold"})
        client.produce(settings.brokers, [Record(TOPIC, KEY, broken.value)])
        client.wait_until(lambda: len(command_ids(settings)) == 101)

        again = fairway(settings, "state", "repair", "--tenant", TENANT, "--customer", "broken", "--discard")
        assert (again.returncode, again.stderr) == (1, "fairway: The state of 'pinehurst:broken' is not damaged.\n")

"""Live state: asked of any worker, answered by the one that has the partition, shown to those who may see."""

import asyncio
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from models.ids import customer_key
from streams.database import create_engine, upgrade
from streams.kafka.partitioner import partition_of
from streams.settings import Settings
from streams.web.access.tokens import grant
from tests import client
from tests.broker.workers import (
    TENANT,
    Worker,
    events,
    expected,
    journey,
    long_session,
    publish,
    running,
    wait_for_commands,
)
from tests.http import connect
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(300)]

CUSTOMERS = 20
PARTITION = {f"c-{number}": partition_of(customer_key(TENANT, f"c-{number}"), 4) for number in range(CUSTOMERS)}


@pytest.fixture
def content(tables: str) -> str:
    return tables


@pytest.fixture
def tokens(database_url: str) -> dict[str, str]:
    async def prepare() -> dict[str, str]:
        engine = create_engine(database_url)
        await upgrade(engine)
        async with engine.begin() as connection:
            at = datetime(2026, 11, 23, tzinfo=UTC)
            given = {name: await grant(connection, name, name, "read", at) for name in (TENANT, "augusta")}
        await engine.dispose()
        return given

    return asyncio.run(prepare())


@pytest.fixture
def workers(
    settings: Settings, database_url: str, tokens: dict[str, str]
) -> Iterator[list[tuple[Worker, httpx.Client]]]:
    """Two workers that share four partitions, each with a client that asks it."""
    publish(settings, journey(wait="900 weeks"), journey("Greeting"))
    ports = free_port(), free_port()
    common = {"FAIRWAY_ACCESS": "token", "FAIRWAY_DATABASE_URL": database_url, "FAIRWAY_PERSONAL_FIELDS": "n"}
    with running(settings, 0) as started:
        for number, port in enumerate(ports):
            variables = {"FAIRWAY_WEB_PORT": str(port), "FAIRWAY_DATA_DIR": str(settings.data_dir / str(number))}
            started.append(Worker(settings, f"web-{number}", long_session(20), **common | variables))
        clients = [connect(f"http://127.0.0.1:{port}") for port in ports]
        client.wait_until(lambda: all(len(partitions(web)) == 2 for web in clients))
        client.produce(settings.brokers, events(range(2 * CUSTOMERS), CUSTOMERS))
        wait_for_commands(settings, expected(2 * CUSTOMERS, CUSTOMERS, "Greeting"))
        yield list(zip(started, clients, strict=True))
        for web in clients:
            web.close()


def partitions(web: httpx.Client) -> set[int]:
    """Return the partitions that are open at a worker, if it is ready."""
    try:
        answer = web.get("/readyz")
    except httpx.TransportError:
        return set()
    return {int(name) for name in answer.json()["partitions"]} if answer.is_success else set()


def ask(web: httpx.Client, token: str, customer: str, tenant: str = TENANT) -> httpx.Response:
    path = f"/api/v1/customers/{tenant}/{customer}/state"
    return web.get(path, headers={"authorization": f"Bearer {token}"})


def list_all(web: httpx.Client, token: str, **query: Any) -> tuple[list[Any], dict[str, Any]]:
    found: list[Any] = []
    while True:
        answer = web.get(
            f"/api/v1/tenants/{TENANT}/states", params=query, headers={"authorization": f"Bearer {token}"}
        )
        page = answer.json()
        found += page.pop("items")
        query["cursor"] = page.pop("next")
        if query["cursor"] is None:
            return found, page


def test_any_worker_tells_how_any_customer_stands(
    workers: list[tuple[Worker, httpx.Client]], tokens: dict[str, str]
) -> None:
    (_, one), (other, two) = workers
    for customer, partition in PARTITION.items():
        first, second = (ask(web, tokens[TENANT], customer).json() for web in (one, two))
        state = first["state"]
        assert (state, state["customerId"]) == (second["state"], customer)
        assert first["asOf"]["partition"] == second["asOf"]["partition"] == partition
        assert 0 < first["asOf"]["offset"] <= second["asOf"]["offset"]
        assert len(state["enrollments"]) == 1
        assert {each["data"]["n"] for each in state["enrollments"].values()} == {"•••"}
        assert ask(one, tokens["augusta"], customer).status_code == 404
        assert ask(two, "nonsense", customer).status_code == 401
    assert ask(one, tokens[TENANT], "nobody").json()["state"] is None
    everyone, told = list_all(one, tokens[TENANT], limit=7)
    assert [row["customerId"] for row in everyone] == sorted(PARTITION)
    assert [row["state"] for row in everyone] == [row["state"] for row in list_all(two, tokens[TENANT])[0]]
    assert told == {"workers": 2, "answered": 2, "partitions": 4, "open": 4}
    theirs = partitions(two)
    other.end(signal.SIGKILL)
    gone = next(customer for customer, partition in PARTITION.items() if partition in theirs)
    answer = ask(one, tokens[TENANT], gone)
    detail = f"Partition {PARTITION[gone]} is on a worker that does not answer at '{two.base_url}'"
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert answer.json()["detail"] == f"{detail}; ask again in a moment."
    remaining, told = list_all(one, tokens[TENANT])
    assert {row["asOf"]["partition"] for row in remaining}.isdisjoint(theirs)
    assert told == {"workers": 2, "answered": 1, "partitions": 4, "open": 2}
    client.wait_until(lambda: ask(one, tokens[TENANT], gone).is_success)

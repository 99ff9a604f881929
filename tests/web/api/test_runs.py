"""Runs over many customers: begun by the API, done by whichever worker is free, whatever becomes of the others."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import RunRow
from streams.control.publishing import send
from streams.control.runs import advance
from streams.engine.inputs import Enroll
from streams.kafka.topics import INBOX
from streams.settings import Settings
from tests import client as kafka
from tests.web.story import welcome

pytestmark = [pytest.mark.broker, pytest.mark.database]

EVERYONE = [f"c-{number}" for number in range(1200)]


async def start(client: httpx.AsyncClient, key: str = "k", **changes: Any) -> httpx.Response:
    path = f"/journeys/{(await welcome(client))['id']}/runs"
    body = {"action": "enroll", "customerIds": EVERYONE, "data": {"tier": "Gold"}} | changes
    return await client.post(path, json=body, headers={"idempotency-key": key})


async def test_a_run_goes_on_where_a_worker_that_died_left_it(
    client: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    run = (await start(client)).json()
    assert (run["total"], run["done"]) == (1200, 0)
    assert await advance(engine, partial(send, settings))
    dying = asyncio.create_task(advance(engine, partial(send, settings)))
    await asyncio.to_thread(kafka.wait_until, lambda: len(kafka.read_committed(settings.brokers, INBOX)) >= 500)
    dying.cancel()
    await asyncio.wait([dying])
    done = (await client.get(f"/runs/{run['id']}")).json()["done"]
    assert done in (500, 1000)
    while await advance(engine, partial(send, settings)):
        pass
    told = (await client.get(f"/runs/{run['id']}")).json()
    assert told["done"] == 1200
    assert told["finishedAt"] is not None
    found = kafka.read_committed(settings.brokers, INBOX)
    counted = Counter((record.key or b"").decode() for record in found)
    assert set(counted) == {f"pinehurst:{customer}" for customer in EVERYONE}
    assert sum(count - 1 for count in counted.values()) <= 500
    message = msgspec.json.decode(found[0].value or b"", type=Enroll)
    assert (message.journey_id, message.data) == (run["journeyId"], {"tier": "Gold"})
    async with engine.connect() as connection:
        assert (await connection.execute(select(RunRow.customer_ids, RunRow.data))).one() == (None, None)


async def test_workers_at_the_same_time_do_each_part_once(
    client: httpx.AsyncClient, engine: AsyncEngine, settings: Settings
) -> None:
    for key in ("one", "two"):
        await start(client, key, action="exit", customerIds=EVERYONE[:600])

    async def work() -> None:
        while await advance(engine, partial(send, settings)):
            pass

    await asyncio.gather(work(), work(), work())
    counted = Counter(record.key for record in kafka.read_committed(settings.brokers, INBOX))
    assert set(counted.values()) == {2}
    assert len(counted) == 600


async def test_a_run_is_begun_once_for_each_key(client: httpx.AsyncClient) -> None:
    first, again = await start(client), await start(client)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    other = await start(client, customerIds=["c-1"])
    assert (other.status_code, other.json()["detail"]) == (
        409, "The Idempotency-Key 'k' was used for another run; take a new one.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r'"\ud800"', "The data can't be written as UTF-8 JSON."),
        ("1" + "0" * 30, "The data holds an integer that does not fit 64 bits."),
        (r'"\u0000"', "The data holds the character U+0000, which is not allowed anywhere."),
        ("[" * 32 + "]" * 32, "The JSON is nested deeper than 32 levels."),
    ],
    ids=["surrogate", "wide", "NUL", "deep"],
)
async def test_data_that_no_event_could_bring_is_refused(client: httpx.AsyncClient, raw: str, text: str) -> None:
    path = f"/journeys/{(await welcome(client))['id']}"
    for route, who in (("enrollments", '"customerId": "c"'), ("runs", '"action": "exit", "customerIds": ["c"]')):
        body = f'{{{who}, "data": {{"a": {raw}}}}}'
        headers = {"content-type": "application/json", "idempotency-key": "k"}
        answer = await client.post(f"{path}/{route}", content=body, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"] == [{"where": "body.data", "text": f"Value error, {text}"}]

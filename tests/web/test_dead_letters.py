"""Page, API and overview say the same of dead letters, and what is done about one changes what it is."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
from confluent_kafka import Producer
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.kafka.topics import DEAD_LETTERS, read_topics
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from streams.web.api import make_api
from streams.web.pages.application import make_pages
from streams.web.sources.sources import Sources, make_sources
from streams.worker.table import Table
from tests import client
from tests.web.alone import Alone
from tests.web.pages.browsing import send, text_of

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(120)]

TOPIC = "teetime.booked"
CODES = ("schema", "schema", "not-json", "too-deep", "schema")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
async def sources(engine: AsyncEngine, settings: Settings, database_url: str) -> AsyncIterator[Sources]:
    """Five dead letters of pinehurst and one of augusta, each in a transaction, whose marks are no letters."""
    producer = Producer({"bootstrap.servers": settings.brokers, "transactional.id": settings.app_id})
    producer.init_transactions()
    for number, code in enumerate((*CODES, "schema")):
        tenant = b"augusta" if number == len(CODES) else b"pinehurst"
        headers = [("dlq.code", code.encode()), ("dlq.reason", b"Why."), ("dlq.topic", TOPIC.encode())]
        producer.begin_transaction()
        producer.produce(DEAD_LETTERS, b"letter %d" % number, tenant + b":c-%d" % number, headers=headers)
        producer.commit_transaction()
    client.await_marks(settings.brokers, settings.app_id)
    topics = read_topics(settings.topics_file, settings.app_id)
    table = Table(topics.changelog, topics.partitions, {})
    given = settings.model_copy(update={"database_url": database_url})
    made = make_sources(given, topics, engine, table, Alone(), "test")
    yield made
    await made.close()


@pytest.fixture
async def both(sources: Sources) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Clients of the pages and of the API, for a writer of pinehurst."""

    async def writer(_: object) -> Visitor:
        return Visitor("ann", frozenset({"pinehurst"}), "write")

    def connect(app: FastAPI | object, base: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://127.0.0.1{base}", timeout=30)  # type: ignore[arg-type]

    pages, api = connect(make_pages(sources, writer), ""), connect(make_api(sources, writer), "/api/v1")
    async with pages, api:
        yield pages, api


async def count(sources: Sources, pages: httpx.AsyncClient, api: httpx.AsyncClient) -> dict[str, int]:
    """Return how many are in each state, as all three say."""
    said: dict[str, int] = (await api.get("/dead-letters")).json()["counts"]
    shown = dict(
        re.findall(r">(open|replayed|resolved|discarded) (\d+)</a>", (await pages.get("/dead-letters")).text)
    )
    assert {state: int(number) for state, number in shown.items()} == said
    for state, number in said.items():
        listed = (await api.get("/dead-letters", params={"state": state})).json()
        page = (await pages.get("/dead-letters", params={"state": state})).text
        assert len(listed["items"]) == page.count(">open</a></td>") == sum(listed["codes"].values()) == number
    sources.samples.taken.clear()
    sources.samples.taken.append(await sources.samples.take(NOW))
    overview = (await pages.get("/")).text
    assert re.findall(r'data-live="dead">(\d+)<', overview) == [str(said["open"])]
    return said


async def test_page_api_and_overview_count_alike_whatever_is_done(
    sources: Sources, both: tuple[httpx.AsyncClient, httpx.AsyncClient], settings: Settings
) -> None:
    pages, api = both
    assert await count(sources, pages, api) == {"open": 5, "replayed": 0, "resolved": 0, "discarded": 0}
    items = (await api.get("/dead-letters")).json()["items"]
    places = [f"/dead-letters/{one['partition']}/{one['offset']}" for one in items]
    done = await api.post(f"{places[0]}/replay")
    assert (done.status_code, done.json()["state"]) == (200, "replayed")
    assert (await api.get(places[0])).json()["state"] == "replayed"
    assert (await api.post(f"{places[1]}/resolve")).json()["state"] == "resolved"
    partition, offset = places[2].split("/")[-2:]
    await send(pages, f"/dead-letters/discard?partition={partition}&offset={offset}")
    assert await count(sources, pages, api) == {"open": 2, "replayed": 1, "resolved": 1, "discarded": 1}
    await api.post(f"{places[1]}/reopen")
    await send(pages, "/dead-letters/replay")
    assert await count(sources, pages, api) == {"open": 0, "replayed": 4, "resolved": 0, "discarded": 1}
    sent = client.read_committed(settings.brokers, TOPIC)
    assert sorted(record.value or b"" for record in sent) == sorted(
        one["value"].encode() for one in items if one["value"] != items[2]["value"]
    )


async def test_another_tenant_s_letter_is_neither_seen_nor_moved(
    sources: Sources, both: tuple[httpx.AsyncClient, httpx.AsyncClient]
) -> None:
    pages, api = both
    everything = await sources.dead_letters.page(Visitor(), sources.mask_for(Visitor()), lambda _: True)
    theirs = next(one.place for one in everything.found if one.tenant == "augusta")
    path = f"/dead-letters/{theirs.partition}/{theirs.offset}"
    assert (await api.get(path)).status_code == (await api.post(f"{path}/replay")).status_code == 404
    assert (await pages.get(path)).status_code == 404
    assert "augusta" not in text_of(await pages.get("/dead-letters?state=all"))


async def test_a_move_that_there_is_not_is_refused(both: tuple[httpx.AsyncClient, httpx.AsyncClient]) -> None:
    pages, api = both
    assert (await pages.get("/dead-letters/burn")).status_code == 404
    assert (await api.post("/dead-letters/0/0/burn")).status_code == 422


async def test_those_of_the_last_day_are_counted_listed_and_dealt_with_apart(
    sources: Sources, both: tuple[httpx.AsyncClient, httpx.AsyncClient], settings: Settings
) -> None:
    pages, _ = both
    old = int((datetime.now(UTC).timestamp() - 3 * 86_400) * 1000)
    headers = [("dlq.code", b"schema"), ("dlq.reason", b"Why."), ("dlq.topic", TOPIC.encode())]
    producer = Producer({"bootstrap.servers": settings.brokers})
    producer.produce(DEAD_LETTERS, b"old", b"pinehurst:c-9", headers=headers, timestamp=old)
    producer.flush()
    shown = {
        word: text_of(await pages.get("/dead-letters", params={"within": word})) for word in ("day", "week", "")
    }
    assert [f"open {number} " in shown[word] for word, number in (("day", 5), ("week", 6), ("", 6))] == [True] * 3
    page = (await pages.get("/dead-letters", params={"within": "day", "code": "schema"})).text
    assert page.count(">open</a></td>") == 3
    assert "A field is missing or has the wrong type" in page
    assert "Discard: these" in page
    asked = text_of(await pages.get("/dead-letters/discard", params={"within": "day"}))
    assert "5 records of 5 people" in asked

"""Every number on a page is the API's count of the same, after loops, splits, merges, duplicates and replays."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from models.customer import encode
from models.journey import Journey
from models.rows import ParkedRow
from streams.history.projector import Projector
from streams.history.wording import REFUSALS
from streams.settings import Settings
from streams.web.access.identity import make_identify
from streams.web.access.visitor import Visitor
from streams.web.api import make_api
from streams.web.pages import journeys as journeys_page
from streams.web.pages import waits as waits_page
from streams.web.pages.application import make_pages
from streams.web.sources.sources import Sources
from tests.history.activity import Message
from tests.history.story import JOURNEYS, START, TENANT, customers, story
from tests.web.conftest import make_open_table, make_test_sources
from tests.web.pages.browsing import live_numbers, text_of

pytestmark = pytest.mark.database

DAY, ERASED = timedelta(days=1), "c-3"
Pages = httpx.AsyncClient
Api = httpx.AsyncClient


@pytest.fixture
def content(told: str) -> str:
    return told


@pytest.fixture
def sources(engine: AsyncEngine, web_settings: Settings) -> Sources:
    """A worker that has all partitions, with the customers as the story leaves them."""
    rows = {key: encode(customer) for key, customer in customers().items()}
    return make_test_sources(engine, web_settings, make_open_table(web_settings, rows))


@pytest.fixture
def api(sources: Sources, engine: AsyncEngine, web_settings: Settings) -> FastAPI:
    return make_api(sources, make_identify(web_settings, engine))


@pytest.fixture
async def pages(sources: Sources) -> AsyncIterator[httpx.AsyncClient]:
    async def everyone(_: object) -> Visitor:
        return Visitor("tester")

    transport = httpx.ASGITransport(make_pages(sources, everyone))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=30) as client:
        yield client


async def ask(client: Api, path: str, **query: Any) -> Any:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def list_all(client: Api, path: str, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list of the API's."""
    found: list[dict[str, Any]] = []
    while True:
        page = await ask(client, path, limit=200, **query)
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


async def walk(pages: Pages, path: str, **query: Any) -> str:
    """All pages of a list, one after another."""
    answer, whole = await pages.get(path, params=query), ""
    while True:
        assert answer.status_code == 200, answer.text
        whole += answer.text
        older = re.search(r'href="([^"]+)" rel="next"', answer.text)
        if older is None:
            return whole
        answer = await pages.get(older[1].replace("&amp;", "&"))


async def list_enrollments(client: Api, **query: Any) -> list[dict[str, Any]]:
    lists = [await list_all(client, f"/journeys/{journey.id}/enrollments", **query) for journey in JOURNEYS]
    return [one for each in lists for one in each]


def at(text: str | None) -> datetime:
    return datetime.fromisoformat(text) if text else datetime.max.replace(tzinfo=START.tzinfo)


def list_erased(journey: Journey) -> list[dict[str, Any]]:
    """The activity in a journey of the one who was erased: totals keep it, lists do not."""
    records = [json.loads(message.value or b"") for message in story()]
    mine = [record for record in records if record["customerId"] == ERASED]
    entries = [{"at": record["at"], **entry} for record in mine for entry in record["entries"]]
    return [entry for entry in entries if entry.get("journeyId") == journey.id]


def count_rows(page: str) -> int:
    return page.count('data-label="Enrolment"')


def tiles(page: str) -> dict[str, str]:
    """The large numbers of a page, by their word."""
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {re.sub("<[^>]*>", "", word): re.sub("<[^>]*>", "", value).strip() for word, value in found}


@pytest.mark.parametrize("day", [1, 4, 8])
async def test_the_list_of_journeys(pages: Pages, client: Api, monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    midnight = START + day * DAY
    monkeypatch.setattr(journeys_page, "read_clock", lambda: midnight + timedelta(hours=13))
    shown = live_numbers((await pages.get("/journeys")).text)
    for journey in JOURNEYS:
        row = await ask(client, f"/journeys/{journey.id}")
        active = row["totalEnrolled"] - row["totalCompleted"] - row["totalExited"] - row["totalFailed"]
        assert shown[f"active.{journey.id}"] == f"{active:,}"
        mine = await list_all(client, f"/journeys/{journey.id}/enrollments")
        for word, column, kind in (
            ("enrolled", "enrolledAt", "started"),
            ("completed", "completedAt", "completed"),
        ):
            since = [at(one[column]) for one in mine if one[column]]
            since += [at(one["at"]) for one in list_erased(journey) if one["type"] == f"enrollment.{kind}"]
            assert shown[f"{word}.{journey.id}"] == str(sum(moment >= midnight for moment in since)), word


async def test_the_enrolments_that_a_number_leads_to(pages: Pages, client: Api) -> None:
    for journey in JOURNEYS:
        path = f"/journeys/{journey.id}/enrollments"
        numbers = live_numbers((await pages.get(f"/journeys/{journey.id}")).text)
        for word, status in (
            ("active", "ACTIVE"),
            ("completed", "COMPLETED"),
            ("exited", "EXITED"),
            ("failed", "FAILED"),
        ):
            listed = len(await list_all(client, path, status=status))
            assert count_rows(await walk(pages, path, status=status)) == listed
            erased = sum(one["type"] == f"enrollment.{word}" for one in list_erased(journey))
            assert numbers[word] == f"{listed + erased:,}", (journey.name, word)
        for step in (await ask(client, f"/journeys/{journey.id}/statistics"))["steps"]:
            id_ = step["stepId"]
            assert count_rows(await walk(pages, path, step=id_)) == step["inside"]
            assert len(await list_all(client, path, step=id_)) == step["inside"]
            came = {
                one["enrollmentId"] for one in list_erased(journey) if one.get("stepId") == id_ and one.get("visit")
            }
            assert count_rows(await walk(pages, path, step=id_, ended="ENTERED")) == step["enrollments"] - len(came)


async def test_customers_and_what_happened_to_them(pages: Pages, client: Api) -> None:
    listed = set(re.findall(r"/enrollments/([0-9a-f-]{36})\" class", (await pages.get("/customers")).text))
    assert listed <= {one["id"] for one in await list_enrollments(client)}
    for customer in ("c-0", "c-1", "c-5", "c-6"):
        query = {"tenant": TENANT, "id": customer}
        page, path = (await pages.get("/customer", params=query)).text, f"/customers/{TENANT}/{customer}"
        assert count_rows(page) == len(await ask(client, f"{path}/enrollments"))
        whole, refused = await walk(pages, "/customer", **query), await list_all(client, f"{path}/why-not")
        entries = sum(len(one["entries"]) for one in refused)
        assert page.partition("What happened")[0].count('<li class="warn">') == min(20, entries)
        records = sum(
            part.partition("</section>")[0].count('class="rail"') for part in whole.split("What happened")[1:]
        )
        assert records == len(await list_all(client, f"{path}/timeline"))
        place = (await ask(client, f"{path}/state"))["asOf"]
        assert (tiles(page)["Partition"], tiles(page)["Changelog position"]) == (
            str(place["partition"]), f"{place['offset']:,}",
        )  # fmt: skip


async def test_enrolments(pages: Pages, client: Api) -> None:
    visits = Counter[str]()
    for one in (await list_enrollments(client))[::7]:
        detail, page = (
            await ask(client, f"/enrollments/{one['id']}"),
            (await pages.get(f"/enrollments/{one['id']}")).text,
        )
        assert tiles(page)["Entry number"] == str(one["entryNumber"])
        for step in detail["steps"]:
            row = re.search(rf'<tr id="step-{step["stepId"]}">.*?</tr>', page, re.DOTALL)
            assert row
            told = re.search(r"visit (\d+)", row[0])
            assert int(told[1] if told else step["visits"]) == step["visits"]
            assert bool(told) == (step["visits"] > 1)
            visits[step["stepId"]] += step["visits"]
    assert visits["day"] > 12


@pytest.mark.parametrize("within", ["hour", "day", "week"])
async def test_waits(pages: Pages, client: Api, monkeypatch: pytest.MonkeyPatch, within: str) -> None:
    waiting = sorted(at(one["waitingUntil"]) for one in await list_enrollments(client) if one["waitingUntil"])
    now = waiting[len(waiting) // 2] - timedelta(minutes=1)
    monkeypatch.setattr(waits_page, "read_clock", lambda: now)
    page = (await pages.get("/waits", params={"within": within})).text
    end = now + {"hour": timedelta(hours=1), "day": DAY, "week": 7 * DAY}[within]
    due = sum(now <= moment < end for moment in waiting)
    assert tiles(page) == {
        "Waiting": f"{len(waiting):,}", "Overdue": str(sum(moment < now for moment in waiting)),
        f"Due within the {within}": str(due),
    }  # fmt: skip
    assert sum(map(int, re.findall(r"<title>due in [^:]*: (\d+)</title>", page))) == due > 0
    late = (await pages.get("/waits", params={"show": "overdue"})).text
    assert count_rows(late) == min(50, sum(moment < now for moment in waiting))


async def test_refusals_by_reason(pages: Pages, client: Api) -> None:
    overview, sums = live_numbers((await pages.get("/")).text), Counter[str]()
    for journey in JOURNEYS:
        refused = (await ask(client, f"/journeys/{journey.id}/statistics"))["refused"]
        sums.update(refused)
        for reason in REFUSALS:
            page = await walk(pages, f"/journeys/{journey.id}/refusals", reason=reason)
            erased = sum(
                (one["type"], one.get("reason")) == ("enrollment.refused", reason) for one in list_erased(journey)
            )
            assert page.count('<li class="warn">') == refused.get(reason, 0) - erased, (journey.name, reason)
        totals = await ask(client, f"/journeys/{journey.id}")
        assert overview.get(f"failed.{journey.id}", "0") == f"{totals['totalFailed']:,}"
    assert {
        key.removeprefix("refused."): value for key, value in overview.items() if key.startswith("refused.")
    } == {reason: f"{count:,}" for reason, count in sums.items()}


async def test_what_a_move_of_a_journey_touches(pages: Pages, client: Api) -> None:
    for journey in JOURNEYS:
        active = len(await list_all(client, f"/journeys/{journey.id}/enrollments", status="ACTIVE"))
        for move in ("pause", "archive"):
            words = "1 person is" if active == 1 else f"{active:,} people are"
            assert f"{words} on their way." in text_of(await pages.get(f"/journeys/{journey.id}/{move}"))


async def test_the_table_by_partition(pages: Pages, client: Api, sources: Sources) -> None:
    states = await list_all(client, f"/tenants/{TENANT}/states")
    shown: dict[str, str] = {}
    for partition in range(sources.table.partitions):
        page = await walk(pages, "/table", partition=partition)
        mine = [one for one in states if one["asOf"]["partition"] == partition]
        assert tiles(page)["Rows"] == str(len(mine)) == str(page.count('data-label="Key"'))
        assert tiles(page)["Changelog position"] in {f"{one['asOf']['offset']:,}" for one in mine} or not mine
        sizes = re.findall(r'data-label="Bytes" class="number">([\d,]+)<', page)
        assert tiles(page)["Size"] == f"{sum(int(size.replace(',', '')) for size in sizes) / 1024:,.0f} KiB"
        shown.update(dict(re.findall(r'">([^<]+)</a></td><td data-label="Enrolments" class="number">(\d+)<', page)))
    active = Counter(f"{TENANT}:{one['customerId']}" for one in await list_enrollments(client, status="ACTIVE"))
    assert {key: int(count) for key, count in shown.items() if int(count)} == dict(active)


async def test_parked_records(pages: Pages, engine: AsyncEngine, database_url: str) -> None:
    place = len(story())
    projector = Projector.connect(database_url)
    bad = [Message(place + number, b"no json", key=f"{TENANT}:c-1".encode()) for number in range(3)]
    for _ in range(2):  # the second time as after a crash
        await projector.project(0, bad, place, place + 3)
    await projector.close()
    async with engine.connect() as connection:
        kept = (await connection.execute(select(func.count()).select_from(ParkedRow))).scalar_one()
    assert live_numbers((await pages.get("/")).text)["parked"] == str(kept) == "3"
    page = await walk(pages, "/parked")
    assert re.findall(r'data-label="Bytes" class="number">(\d+)<', page) == ["7"] * 3

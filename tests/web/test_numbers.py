"""Every number counts what the activity says, on pages as in the API: with loops, splits, merges and replays."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.requests import Request

from models.journey import Journey
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from streams.web.pages import journey as journey_page
from streams.web.queries import totals
from streams.web.queries.query import Reader
from tests.history.story import CUSTOMERS, JOURNEYS, ROUND, ROUNDS, START, story
from tests.web.conftest import make_test_sources
from tests.web.pages.browsing import live_numbers

pytestmark = pytest.mark.database

WORDS = ("entered", "enrollments", "inside", "completed", "skipped", "failed")


@pytest.fixture
def content(told: str) -> str:
    return told


def entries() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each entry of the story with its record, as plain JSON."""
    for message in story():
        record = json.loads(message.value or b"")
        for entry in record["entries"]:
            yield record, entry


def count_steps(journey: Journey) -> dict[str, dict[str, Any]]:
    """What the activity says of each step of a journey: counted one by one."""
    visits, last = defaultdict[str, set[Any]](set), dict[tuple[str, str], str]()
    found: defaultdict[str, dict[str, Any]] = defaultdict(lambda: dict.fromkeys(WORDS, 0) | {"ways": Counter()})
    for _, entry in entries():
        if entry.get("journeyId") != journey.id or not entry["type"].startswith("step."):
            continue
        step, kind, result = entry["stepId"], entry["type"].removeprefix("step."), entry.get("result", {})
        if entry["visit"]:
            visits[step].add((entry["enrollmentId"], entry["visit"]))
        last[entry["enrollmentId"], step] = kind
        if kind != "entered" and entry.get("reason") not in ("branch", "ended"):
            found[step][kind] += 1
        if step in ("tone", "again") and kind == "completed":
            found[step]["ways"][result.get("variant") or ("yes" if result["result"] else "no")] += 1
    for step, seen in visits.items():
        found[step]["entered"] = len(seen)
        found[step]["enrollments"] = len({enrollment for enrollment, _ in seen})
        found[step]["inside"] = sum(kind == "entered" for (_, of), kind in last.items() if of == step)
    return dict(found)


def test_the_story_has_all_that_numbers_can_get_wrong() -> None:
    kinds = Counter((entry["type"], entry.get("reason")) for _, entry in entries())
    assert kinds["enrollment.refused", "duplicate"]
    assert kinds["enrollment.refused", "reentry"]
    assert kinds["enrollment.failed", None]
    assert kinds["step.skipped", "unsubscribed"]
    assert {entry.get("exitReason") for _, entry in entries()} >= {"completed", "merged", "unsubscribed", "manual"}
    assert max(entry.get("visit", 0) for _, entry in entries()) == ROUNDS


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
async def test_the_api_counts_what_happened(client: httpx.AsyncClient, journey: Journey) -> None:
    shown = (await client.get(f"/journeys/{journey.id}/statistics")).json()
    expected = count_steps(journey)
    assert {step["stepId"] for step in shown["steps"]} >= set(expected)
    for step in shown["steps"]:
        counted = expected.get(step["stepId"]) or dict.fromkeys(WORDS, 0) | {"ways": {}}
        assert {word: step[word] for word in WORDS} == {word: counted[word] for word in WORDS}, step
        assert step["variants"] == dict(counted["ways"])
        assert step["share"] == counted["enrollments"] / expected["start"]["enrollments"]
    mine = [entry for _, entry in entries() if entry.get("journeyId") == journey.id]
    refused = Counter(entry["reason"] for entry in mine if entry["type"] == "enrollment.refused")
    assert shown["refused"] == dict(refused)
    totals_ = (await client.get(f"/journeys/{journey.id}")).json()
    for word, kind in (
        ("Enrolled", "started"),
        ("Completed", "completed"),
        ("Exited", "exited"),
        ("Failed", "failed"),
    ):
        assert totals_[f"total{word}"] == sum(entry["type"] == f"enrollment.{kind}" for entry in mine), word


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
async def test_a_page_shows_the_numbers_of_the_api(
    pages: httpx.AsyncClient, client: httpx.AsyncClient, journey: Journey
) -> None:
    shown = (await client.get(f"/journeys/{journey.id}/statistics")).json()
    numbers = live_numbers((await pages.get(f"/journeys/{journey.id}")).text)
    came = shown["steps"][0]["enrollments"]
    for step in shown["steps"]:
        id_ = step["stepId"]
        for word in ("entered", "inside", "completed", "skipped", "failed"):
            assert numbers[f"{word}.{id_}"] == f"{step[word]:,}", (step, word)
        assert numbers[f"funnel.{id_}"] == f"{step['enrollments']:,}"
        assert numbers[f"share.{id_}"] == f"{100 * step['share']:.1f} %"
        ways = [numbers[f"left.{place}.{id_}"] for place in range(len(step["variants"]))]
        assert sorted(ways) == sorted(f"{count:,}" for count in step["variants"].values())
    assert numbers["came"] == f"{came:,}"
    assert numbers["enrolled"] == f"{(await client.get(f'/journeys/{journey.id}')).json()['totalEnrolled']:,}"
    assert numbers["refused"] == f"{sum(shown['refused'].values()):,}"
    for reason, count in shown["refused"].items():
        assert numbers[f"refused.{reason}"] == f"{count:,}"


async def test_a_stream_says_of_a_journey_what_its_page_says(
    pages: httpx.AsyncClient, engine: AsyncEngine, web_settings: Settings
) -> None:
    page = (await pages.get(f"/journeys/{ROUND.id}")).text
    app = Starlette()
    app.state.sources = make_test_sources(engine, web_settings)
    visitor, query = Visitor("tester"), f"journey={ROUND.id}".encode()
    scope = {"type": "http", "app": app, "headers": [], "query_string": query, "state": {"visitor": visitor}}
    values = await journey_page.read(Request(scope))
    for key, value in live_numbers(page).items():
        assert values[key] == value, key
    drawn = re.findall(r'width="([\d.]+)" data-(?:stroke|width)="([^"]+)"', page)
    assert len(drawn) == len(ROUND.steps) + len(re.findall('class="way[ "]', page))
    assert all(values[key] == width for width, key in drawn)
    assert dict(re.findall(r'data-part="(\w+)" data-version="(\w+)"', page)) == {
        key.removeprefix("part."): version for key, version in values.items() if key.startswith("part.")
    }


async def test_boxes_and_lines_of_a_loop_count_the_same_passages(pages: httpx.AsyncClient) -> None:
    page = (await pages.get(f"/journeys/{ROUND.id}")).text
    flows = Counter[str]()
    for flow, start, end in re.findall(r"<title[^>]*>([\d,]+) times from ([\w-]+) to (\w+)", page):
        flows[f"from {start}"] += int(flow.replace(",", ""))
        flows[f"to {end}"] += int(flow.replace(",", ""))
    steps = count_steps(ROUND)
    for step, counted in steps.items():
        if step != "start":
            assert flows[f"to {step}"] == counted["entered"], step
        if step != "end":
            left = counted["entered"] - counted["inside"] - counted["failed"]
            cut_off = left - counted["completed"] if step == "day" else 0
            assert flows[f"from {step}"] == left - cut_off, step
    laps = steps["day"]["entered"] / steps["day"]["enrollments"]
    assert live_numbers(page)["laps.day"] == f"\N{MULTIPLICATION SIGN} {laps:.1f}"
    assert live_numbers(page)["laps.start"] == ""


async def test_a_variant_is_drawn_once_an_enrolment_however_often_it_is_passed(reader: Reader) -> None:
    counts = (await totals.count_version(reader, ROUND.id, 1)).steps["tone"]
    assert sum(drawn.enrollments for drawn in counts.conversions.values()) == counts.enrollments >= CUSTOMERS
    assert sum(counts.ways.values()) == counts.completed > 2 * counts.enrollments


async def test_waits_and_sends_are_those_of_the_activity(reader: Reader, pages: httpx.AsyncClient) -> None:
    inside = sum(step["inside"] for journey in JOURNEYS for step in count_steps(journey).values())
    assert await totals.count_waiting(reader) == inside
    sent = Counter(entry["result"]["channel"] for _, entry in entries() if entry.get("result", {}).get("sent"))
    assert await totals.count_sent(reader, START) == {("pinehurst", name): n for name, n in sent.items()}
    overview = live_numbers((await pages.get("/")).text)
    started = sum(entry["type"] == "enrollment.started" for _, entry in entries())
    ended = sum(
        entry["type"] in ("enrollment.completed", "enrollment.exited", "enrollment.failed")
        for _, entry in entries()
    )
    assert overview["waiting"] == f"{inside:,}"
    assert overview["active"] == f"{started - ended:,}"

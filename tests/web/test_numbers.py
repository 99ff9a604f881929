"""Every number counts what the activity says, on pages as in the API: with loops, splits, merges and replays."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey
from streams.database import create_engine, upgrade
from streams.history.projector import Projector
from streams.journeys.authoring import Author, apply
from streams.web.queries import totals
from streams.web.queries.query import Reader
from tests.history.story import CUSTOMERS, JOURNEYS, ROUND, ROUNDS, START, story

pytestmark = pytest.mark.database

WORDS = ("entered", "enrollments", "inside", "completed", "skipped", "failed")


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """The story's history, written in small batches with much of it given twice, and once more after a rebuild."""
    engine = create_engine(database_url)
    await upgrade(engine)
    async with engine.begin() as connection:
        for journey in JOURNEYS:
            await apply(connection, journey, Author("ann", START))
    projector, messages = Projector.connect(database_url), story()
    await projector.project(0, messages[:200], 0, 200)
    await projector.rebuild()
    for place in range(0, len(messages), 23):
        again = messages[max(0, place - 40) : place + 23]
        await projector.project(0, again, again[0].offset, again[-1].offset + 1)
    await projector.close()
    yield engine
    await engine.dispose()


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


def live(page: str) -> dict[str, str]:
    """The numbers of a page by their live names; the same wherever they stand twice."""
    found: dict[str, str] = {}
    for key, value in re.findall(r'data-live="([^"]+)">([^<]*)<', page):
        assert found.setdefault(unescape(key), value) == value, key
    return found


@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.name)
async def test_a_page_shows_the_numbers_of_the_api(
    pages: httpx.AsyncClient, client: httpx.AsyncClient, journey: Journey
) -> None:
    shown = (await client.get(f"/journeys/{journey.id}/statistics")).json()
    numbers = live((await pages.get(f"/journeys/{journey.id}")).text)
    for step in shown["steps"]:
        for word in ("entered", "inside", "completed", "skipped", "failed"):
            assert numbers[f"{word}.{step['stepId']}"] == f"{step[word]:,}", (step, word)
    assert numbers["enrolled"] == f"{(await client.get(f'/journeys/{journey.id}')).json()['totalEnrolled']:,}"
    assert numbers["refused"] == f"{sum(shown['refused'].values()):,}"


async def test_boxes_and_lines_of_a_loop_count_the_same_passages(pages: httpx.AsyncClient) -> None:
    page = (await pages.get(f"/journeys/{ROUND.id}")).text
    flows = Counter[str]()
    for flow, start, end in re.findall(r"<title>([\d,]+) times from ([\w-]+) to (\w+)", page):
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
    assert live(page)["laps.day"] == f"\N{MULTIPLICATION SIGN} {laps:.1f}"
    assert live(page)["laps.start"] == ""


async def test_a_variant_is_drawn_once_an_enrolment_however_often_it_is_passed(reader: Reader) -> None:
    counts = (await totals.count_version(reader, ROUND.id, 1)).steps["tone"]
    assert sum(drawn.enrollments for drawn in counts.conversions.values()) == counts.enrollments >= CUSTOMERS
    assert sum(counts.ways.values()) == counts.completed > 2 * counts.enrollments


async def test_waits_and_sends_are_those_of_the_activity(reader: Reader, pages: httpx.AsyncClient) -> None:
    inside = sum(step["inside"] for journey in JOURNEYS for step in count_steps(journey).values())
    assert await totals.count_waiting(reader) == inside
    sent = Counter(entry["result"]["channel"] for _, entry in entries() if entry.get("result", {}).get("sent"))
    assert await totals.count_sent(reader, START) == {("pinehurst", name): n for name, n in sent.items()}
    overview = live((await pages.get("/")).text)
    started = sum(entry["type"] == "enrollment.started" for _, entry in entries())
    ended = sum(
        entry["type"] in ("enrollment.completed", "enrollment.exited", "enrollment.failed")
        for _, entry in entries()
    )
    assert overview["waiting"] == f"{inside:,}"
    assert overview["active"] == f"{started - ended:,}"

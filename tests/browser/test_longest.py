"""The longest values that are allowed break no page: nothing beside the screen, nothing cut without an ellipsis."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from streams.web.access.visitor import Visitor
from tests.browser import stage
from tests.browser.conftest import Club
from tests.browser.longest import CUSTOMERS, KEY, NAME, TENANT, long, make_events, make_journeys
from tests.http import connect

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]

CUT = """
() => [...document.querySelectorAll("body *")].filter((element) => {
  const style = getComputedStyle(element);
  const isCut = element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 1;
  if (!isCut || !["hidden", "clip"].includes(style.overflowX) || element.closest("svg")) return false;
  const focus = element.closest("[tabindex], a, select, input, button");
  return style.textOverflow !== "ellipsis" || !focus || !(element.title || element.matches("select, input"));
}).map((element) => element.outerHTML.slice(0, 200))
"""
BESIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
HIDDEN_COLUMNS = """
() => [...document.querySelectorAll(".scroll")].filter((part) => part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.scrollWidth} in ${part.clientWidth}: ${part.innerText.slice(0, 80)}`)
"""
OUT_OF_THEIR_BOXES = """
() => [...document.querySelectorAll(".graph .box, .graph .note, .graph .way-label")].flatMap((box) => {
  const edge = box.matches(".way-label") ? 2 : 8, around = box.querySelector("rect").getBBox();
  const texts = [...box.querySelectorAll("text")].map((text) => [text.textContent, text.getBBox()]);
  const isOut = (at) => at.x < around.x + edge || at.x + at.width > around.x + around.width - edge
    || at.y < around.y || at.y + at.height > around.y + around.height;
  const isOn = (at, other) => at !== other && at.x < other.x + other.width && other.x < at.x + at.width
    && at.y + 2 < other.y + other.height && other.y + 2 < at.y + at.height;
  const lies = ([text, at]) => isOut(at) || texts.some(([, other]) => isOn(at, other));
  return texts.filter(([text, at]) => at.width && lies([text, at])).map(([text]) => text);
})
"""
NUMBERS = {
    "journeys": ("total_enrolled", "total_completed", "total_exited", "total_failed", "total_converted"),
    "journey_step_counts": ("enrollments", "inside", "completed", "skipped", "failed", "converted", "entered"),
    "journey_refusal_counts": ("refused",),
}


class Long(NamedTuple):
    """Where the longest values are shown."""

    address: str
    paths: list[str]


@pytest.fixture(scope="module")
def longest(club: Club) -> Iterator[Long]:
    now = datetime.now(UTC)
    journeys = make_journeys()
    stage.run(stage.store_journeys(club.settings.database_url, journeys, now))
    messages, customers = stage.play(journeys, list(make_events(now)), now)
    stage.run(stage.project(club.settings.database_url, messages, partition=3))
    for journey, number in zip(journeys, (1_234_567, 999_949), strict=True):
        for table, columns in NUMBERS.items():
            what = ", ".join(f"{column} = {number}" for column in columns)
            where = f"{'id' if table == 'journeys' else 'journey_id'} = '{journey.id}'"
            stage.run(stage.execute(club.settings.database_url, f"UPDATE {table} SET {what} WHERE {where}"))
    stage.bury(club.settings.brokers, [("schema", long("r", 1000), long("b", 5000).encode())])
    with stage.serve(club.settings, customers, Visitor("v" * 200)) as address:
        yield Long(address, find_paths(address, [journey.id for journey in journeys]))


def find_paths(address: str, journeys: list[str]) -> list[str]:
    """Return one address of every kind of page that shows them."""
    with connect(address) as client:
        whose = [str(httpx.URL("/customer", params={"tenant": TENANT, "id": one})) for one in CUSTOMERS]
        enrollment = re.findall(r"/enrollments/[0-9a-f-]{36}", client.get(whose[0]).text)[0]
        letter = re.findall(r"/dead-letters/\d+/\d+", client.get("/dead-letters").text)[0]
    mine = [f"/journeys/{id_}{part}" for id_ in journeys for part in ("", "/enrollments", "/refusals", "/archive")]
    return [
        "/", "/journeys", *mine, enrollment, *whose[:2], "/customers", "/waits", "/waits?show=overdue",
        f"/search?q={CUSTOMERS[0]}", f"/search?q={NAME}", f"/search?q={KEY * 8}", "/dead-letters", letter,
        "/dead-letters/replay", "/parked", "/topics", "/journeys/new", "/enroll", "/exit", "/numbers",
        *(f"/table?partition={number}" for number in range(3)),
        f"/enroll?tenant={TENANT}&customer={CUSTOMERS[0]}", f"/simulate?journey={journeys[0]}",
        f"/journeys/{journeys[0]}/enrollments?step=x{long('s')}&status=ACTIVE",
    ]  # fmt: skip


@pytest.mark.parametrize("width", [390, 1024, 1680])
def test_the_longest_values_break_no_page(chromium: Browser, longest: Long, width: int) -> None:
    context = chromium.new_context(base_url=longest.address, viewport={"width": width, "height": 900})
    page, found = context.new_page(), list[str]()
    for path in longest.paths:
        page.goto(path)
        page.locator("h1").first.wait_for()
        if (over := page.evaluate(BESIDE)) > 0:
            found.append(f"{path[:90]} is {over} px wider than the screen")
        found += [f"{path[:90]} cuts {html}" for html in page.evaluate(CUT)]
        found += [f"{path[:90]} lets {text} out of its box" for text in page.evaluate(OUT_OF_THEIR_BOXES)]
        if width == 1680:
            found += [f"{path[:90]} hides columns: {text}" for text in page.evaluate(HIDDEN_COLUMNS)]
    context.close()
    assert not found, "\n".join(found)


def test_a_step_shows_all_its_numbers(page: Page, longest: Long) -> None:
    page.goto(f"{longest.address}{next(path for path in longest.paths if path.startswith('/journeys/'))}")
    box = page.locator(".graph .box.SEND").first
    expect(box.locator("text").filter(has_text=re.compile("^1.2M"))).to_have_text(
        ["1.2M now", "1.2M done", "1.2M goals", "1.2M skipped", "1.2M failed"]
    )


def test_a_value_that_is_cut_is_shown_whole_on_focus(page: Page, longest: Long) -> None:
    page.goto(f"{longest.address}/customers")
    link = page.get_by_role("link", name=CUSTOMERS[0]).first
    text = link.locator(".clip")
    is_cut = "element => element.scrollWidth > element.clientWidth + 1"
    assert text.evaluate(is_cut)
    expect(text).to_have_attribute("title", CUSTOMERS[0])
    link.focus()
    assert not text.evaluate(is_cut)

"""What a page says is live moves by itself: numbers, and rows that come and go."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests import client
from tests.browser import stage
from tests.browser.conftest import Club
from tests.http import connect

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]

ADD = """
    INSERT INTO journey_refusal_counts (journey_id, reason, refused) VALUES ('%s', '%s', %d)
    ON CONFLICT (journey_id, reason) DO UPDATE SET refused = journey_refusal_counts.refused + excluded.refused
"""
SEND = """
    INSERT INTO journey_hours (journey_id, hour, what, number)
    VALUES ('%s', date_trunc('hour', now()), 'sent:%s', 7)
"""


def test_rows_that_come_while_the_overview_is_looked_at_are_shown_and_go_on_moving(page: Page, club: Club) -> None:
    journey = club.journeys["Season renewal"]
    page.goto("/")
    page.locator('.live[data-state="on"]').wait_for()
    page.evaluate("window.stayed = true")
    stage.run(stage.execute(club.settings.database_url, ADD % (journey, "weather", 3)))
    stage.run(stage.execute(club.settings.database_url, SEND % (journey, "PIGEON")))
    try:
        expect(page.locator('[data-live="refused.weather"]')).to_have_text("3")
        stage.run(stage.execute(club.settings.database_url, ADD % (journey, "weather", 2)))
        expect(page.locator('[data-live="refused.weather"]')).to_have_text("5")
        expect(page.locator('[data-live="sent.PIGEON"]')).to_have_text("7")
        assert page.evaluate("window.stayed"), "the page was not loaded anew"
    finally:
        for what in ("journey_refusal_counts WHERE reason = 'weather'", "journey_hours WHERE what = 'sent:PIGEON'"):
            stage.run(stage.execute(club.settings.database_url, f"DELETE FROM {what}"))


COUNT = "UPDATE journey_step_counts SET %s WHERE journey_id = '%s' AND step_id = '%s' AND variant = '%s'"


def test_a_journey_s_flows_steps_funnel_and_refusals_move_by_themselves(page: Page, club: Club) -> None:
    journey, url = club.journeys["Season renewal"], club.settings.database_url
    page.goto(f"/journeys/{journey}")
    page.locator('.live[data-state="on"]').wait_for()
    page.evaluate("window.stayed = true")
    flow = page.locator(".way title").filter(has_text="from tone to warm-letter")
    width = flow.locator("xpath=..").get_attribute("stroke-width")
    taken = int((flow.text_content() or "").split()[0])
    label = page.locator(".way-label text").filter(has_text="warm")
    share = label.text_content()
    try:
        stage.run(stage.execute(url, COUNT % ("completed = completed + 1000", journey, "tone", "warm")))
        more = "entered = entered + 1000, enrollments = enrollments + 1000, failed = failed + 1000"
        stage.run(stage.execute(url, COUNT % (more, journey, "warm-letter", "")))
        stage.run(stage.execute(url, ADD % (journey, "weather", 3)))
        expect(flow).to_have_text(f"{taken + 1000:,} times from tone to warm-letter, way warm")
        expect(label).not_to_have_text(share or "")
        expect(flow.locator("xpath=..")).not_to_have_attribute("stroke-width", width or "")
        expect(page.locator('tspan[data-live="short.failed.warm-letter"]')).to_have_text("1000")
        expect(page.locator('.funnel [data-live="funnel.warm-letter"]')).to_have_text(re.compile("^1,0"))
        expect(page.locator('[data-live="refused.weather"]')).to_have_text("3")
        assert page.evaluate("window.stayed"), "the page was not loaded anew"
    finally:
        stage.run(stage.execute(url, COUNT % ("completed = completed - 1000", journey, "tone", "warm")))
        less = "entered = entered - 1000, enrollments = enrollments - 1000, failed = failed - 1000"
        stage.run(stage.execute(url, COUNT % (less, journey, "warm-letter", "")))
        stage.run(stage.execute(url, "DELETE FROM journey_refusal_counts WHERE reason = 'weather'"))


def test_a_page_says_the_same_versions_of_its_parts_as_its_stream(site: str) -> None:
    """So that it is not asked for again where no rows have come or gone; what a stream shares may be old."""
    still = ("health", "workers", "parked", "refusals", "failing")  # the others are of Kafka's newest sample
    with connect(site) as asking:

        def agree() -> bool:
            shown = dict(re.findall(r'data-part="(\w+)" data-version="(\w+)"', asking.get("/").text))
            with asking.stream("GET", "/live/overview") as answer:
                said = next(json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))
            assert shown.keys() == {*still, "channels"}
            return all(said[f"part.{part}"] == shown[part] for part in still)

        client.wait_until(agree)

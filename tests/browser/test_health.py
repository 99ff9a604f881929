"""The overview while something is the matter: it says what in one line, at every width, light and dark."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from streams.health.observation import Link, Observation, Partition, Worker
from streams.web.access.visitor import Visitor
from tests.browser import stage
from tests.browser.conftest import Club

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(240)]

LINE = "Degraded: worker w2 silent for 6 s, partitions 1\N{EN DASH}3 hold 4,920 events; "


def observe_trouble(at: datetime) -> Observation:
    """What is seen of five workers: one silent, one that restores, one gone, one to spare, and of Postgres away."""

    def ago(seconds: float) -> datetime:
        return at - timedelta(seconds=seconds)

    long = "golf-club-of-the-northern-shores-worker-with-a-long-name.cluster.local:6066"
    workers = (
        Worker("w1", host="10.0.0.1", version="0.2.0", partitions=(0,), heard=ago(1)),
        Worker("w2", host="10.0.0.2", version="0.2.0", partitions=(1, 2, 3), heard=ago(6), is_asked_in_vain=True),
        Worker("w3", host="10.0.0.3", version="0.3.0", partitions=(4, 5), heard=ago(1)),
        Worker(long, host="10.0.0.4", heard=ago(1)),
        Worker("w9", host="10.0.0.9", version="0.2.0", heard=ago(130), gone=ago(120)),
    )
    parts = (
        Partition(0, "w1", "running", lag=3, oldest=ago(1), rate=412.5),
        *(Partition(number, "w2", "silent", ago(6), lag=1_640, oldest=ago(6), rate=390.0) for number in (1, 2, 3)),
        Partition(4, "w3", "restoring", ago(14), 120_400, 21.0, 800, ago(14), 0.0),
        Partition(5, "w3", "running", lag=0, rate=401.2),
        Partition(6, "", "unowned", ago(12), None, None, 77, ago(12), 0.0),
    )
    return Observation(at, ago(1), Link(ago(2)), Link(ago(40), ago(35)), workers, parts, 1_204)


@pytest.fixture(scope="module")
def ailing(club: Club) -> Iterator[str]:
    """Address of the pages while Postgres is away and workers are in trouble."""
    settings = club.settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"})
    with stage.serve(settings, club.customers, Visitor("tester"), observe=observe_trouble) as address:
        yield address


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1024, 1680])
def test_the_overview_says_what_is_the_matter_while_postgres_is_away(
    chromium: Browser, ailing: str, tmp_path: Path, width: int, scheme: str
) -> None:
    folder = Path(os.environ.get("FAIRWAY_SCREENSHOTS", tmp_path))
    context = chromium.new_context(base_url=ailing, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto("/")
    assert page.locator('[data-live="health.line"]').inner_text().startswith(LINE)
    assert "Postgres can't be reached for 35 s" in page.locator(".health").inner_text()
    assert page.locator(".mark", has_text="silent").count() == 3
    over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(over) <= 0
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    if (width, scheme) == (1024, "light"):
        page.screenshot(path=folder / "health.png")
        assert (folder / "health.png").stat().st_size < 300_000
    if folder != tmp_path:
        page.screenshot(path=tmp_path / f"health-{width}-{scheme}.png", full_page=True)
    context.close()


def test_a_page_that_needs_postgres_says_that_it_is_away_and_how_it_is(chromium: Browser, ailing: str) -> None:
    page = chromium.new_page(base_url=ailing)
    page.goto("/journeys")
    assert "Postgres can't be reached from this worker for now." in page.inner_text("main")
    assert page.locator(".notice a").inner_text().startswith(LINE)
    page.close()

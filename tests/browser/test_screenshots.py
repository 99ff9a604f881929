"""Pictures of the pages for the documentation, made anew where FAIRWAY_SCREENSHOTS names a folder."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Club

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("name", "scheme", "width", "height"),
    [
        ("journey", "light", 1280, 900),
        ("variants", "light", 1280, 420),
        ("customer", "light", 1280, 720),
        ("enrolment", "dark", 1280, 900),
        ("phone", "light", 390, 844),
    ],
)
def test_a_picture_is_made(
    chromium: Browser, site: str, club: Club, tmp_path: Path, name: str, scheme: str, width: int, height: int
) -> None:
    folder = Path(os.environ.get("FAIRWAY_SCREENSHOTS", tmp_path))
    renewal = f"/journeys/{club.journeys['Season renewal']}"
    waiting = f"{renewal}/find?customer=c-110"
    address = {"journey": renewal, "variants": renewal, "customer": f"{renewal}/find?customer=c-034"}.get(
        name, waiting
    )
    context = chromium.new_context(base_url=site, viewport={"width": width, "height": height})
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    page.locator("h1").wait_for()
    if name == "variants":
        page.get_by_role("region", name="A/B: Which tone of voice").evaluate(
            "part => part.scrollIntoView({behavior: 'instant'})"
        )
    page.screenshot(path=folder / f"{name}.png")
    assert (folder / f"{name}.png").stat().st_size < 300_000
    context.close()

"""Whom a journey refused, and why."""

import httpx
import pytest

from tests.web.pages.browsing import find_journey, text_of

pytestmark = pytest.mark.database


async def test_refusals_are_listed_with_their_reason(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages, "Tee-time reminder")
    shown = text_of(await pages.get(f"{path}/refusals"))
    assert "Did not enter" in shown
    assert "Nobody was refused" in text_of(await pages.get(f"{path}/refusals?reason=maxEnrollments"))
    assert (await pages.get("/journeys/00000000-0000-0000-0000-000000000000/refusals")).status_code == 404

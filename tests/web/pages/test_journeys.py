"""All journeys with their last day, a page at a time."""

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_journeys_are_listed_with_their_numbers(pages: httpx.AsyncClient) -> None:
    shown = text_of(await pages.get("/journeys"))
    assert "Welcome of new members" in shown
    assert "No journey is like that" in text_of(await pages.get("/journeys?name=nothing"))
    assert "No journey is like that" in text_of(await pages.get("/journeys?status=DRAFT"))

"""An id leads to its page, a part of a name to what has it."""

import httpx
import pytest

from tests.web.pages.browsing import find_enrollment, find_journey, text_of

pytestmark = pytest.mark.database


async def test_an_id_leads_there(pages: httpx.AsyncClient) -> None:
    enrollment, journey = await find_enrollment(pages), await find_journey(pages)
    for path in (enrollment, journey):
        found = await pages.get("/search", params={"q": f" {path.rpartition('/')[2]} "})
        assert found.headers["location"] == path
    found = await pages.get("/search?q=c-12")
    assert found.headers["location"] == "/customer?tenant=pinehurst&id=c-12"


async def test_a_part_of_a_name_is_listed_and_nothing_is_said(pages: httpx.AsyncClient) -> None:
    assert "Welcome of new members" in text_of(await pages.get("/search?q=welcome"))
    assert "Nothing has this id" in text_of(await pages.get("/search?q=nobody"))
    assert "What are you looking for?" in text_of(await pages.get("/search"))

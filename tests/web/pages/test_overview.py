"""The overview, also while Kafka is away."""

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_the_overview_says_what_it_could_not_ask(pages: httpx.AsyncClient) -> None:
    shown = text_of(await pages.get("/"))
    assert "Kafka has not been looked at yet" in shown
    assert "Active" in shown

"""When waits are due."""

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_waits_are_charted_and_listed(pages: httpx.AsyncClient) -> None:
    for path in ("/waits", "/waits?within=hour", "/waits?within=week", "/waits?within=nonsense"):
        assert (await pages.get(path)).status_code == 200
    assert "No wait is overdue: all is on time." in text_of(await pages.get("/waits?show=overdue"))

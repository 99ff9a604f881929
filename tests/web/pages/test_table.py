"""The table of customers, where no partition is."""

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_a_partition_that_is_nowhere_is_said_to_be_closed(pages: httpx.AsyncClient) -> None:
    for query in ("", "?partition=1", "?partition=99999", "?partition=x&prefix=%FF", "?prefix=a&after=b"):
        answer = await pages.get(f"/table{query}")
        assert answer.status_code == 200, query
        assert "is not open yet; ask again in a moment." in text_of(answer)

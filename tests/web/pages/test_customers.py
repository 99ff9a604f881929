"""A customer: profile, enrolments, refusals, timeline, and the row in the table."""

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_a_customer_is_shown_with_all_that_is_known(pages: httpx.AsyncClient) -> None:
    shown = text_of(await pages.get("/customer?tenant=pinehurst&id=c-12"))
    assert "firstName Ann" in shown
    assert "on another worker" in shown
    assert (await pages.get("/customer?tenant=pinehurst&id=nobody")).status_code == 404


async def test_those_who_entered_last_are_listed(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/customers")).text.count("/customer?tenant=pinehurst") > 10

"""A customer: profile, enrolments, refusals, timeline, and the row in the table."""

import re

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


async def test_a_customer_is_shown_with_all_that_is_known(pages: httpx.AsyncClient) -> None:
    shown = text_of(await pages.get("/customer?tenant=pinehurst&id=c-12"))
    assert "firstName Ann" in shown
    assert "on another worker" in shown


async def test_who_left_a_journey_is_told_why_beside_the_refusals(pages: httpx.AsyncClient) -> None:
    page = (await pages.get("/customer?tenant=pinehurst&id=c-12")).text
    why = page.partition('id="why"')[2].partition("</section>")[0]
    assert "Entered, and ended before the last step" in why
    link = r'<a href="/enrollments/[0-9a-f-]{36}">Payment failed</a>'
    assert re.search(rf"{link}: left, reason goal: paid, <time", why)


async def test_those_who_entered_last_are_listed(pages: httpx.AsyncClient) -> None:
    assert (await pages.get("/customers")).text.count("/customer?tenant=pinehurst") > 10


async def test_of_a_customer_without_a_record_it_is_said_where_else_to_look(pages: httpx.AsyncClient) -> None:
    shown = await pages.get("/customer?tenant=pinehurst&id=no%20body")
    assert shown.status_code == 404
    assert "An event that no journey and no profile needed leaves no trace here" in text_of(shown)
    assert 'href="/dead-letters?state=all&amp;customer=no+body"' in shown.text
    assert (await pages.get("/customer?tenant=augusta&id=nobody")).status_code == 404

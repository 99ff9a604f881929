"""A journey: its graph, its numbers, its file, and where a customer is in it."""

import httpx
import pytest
import yaml
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import JourneyRow
from tests.web.pages.browsing import find_journey, text_of

pytestmark = pytest.mark.database


async def test_a_journey_is_drawn_with_its_numbers(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    shown = await pages.get(path)
    assert shown.text.count('class="box-link"') == 9
    assert (await pages.get(f"{path}?version=9")).status_code == 200
    assert "is not in this database" in text_of(await pages.get(f"{path}?version=9"))
    assert (await pages.get("/journeys/00000000-0000-0000-0000-000000000000")).status_code == 404


async def test_a_journey_s_file_is_what_apply_takes(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    file = await pages.get(f"{path}.yaml")
    assert file.headers["content-disposition"] == 'attachment; filename="journey.yaml"'
    assert yaml.safe_load(file.text)["name"] == "Welcome of new members"
    assert (await pages.get(f"{path}.yaml?version=9")).status_code == 404


async def test_a_customer_is_led_to_the_enrolment_or_to_why_not(pages: httpx.AsyncClient) -> None:
    path = await find_journey(pages)
    found = await pages.get(f"{path}/find?customer=c-12")
    assert found.headers["location"].startswith("/enrollments/")
    lost = await pages.get(f"{path}/find?customer=nobody")
    assert lost.headers["location"].startswith("/customer?tenant=pinehurst&id=nobody&journey=")


async def test_a_journey_that_the_workers_do_not_have_says_why(
    pages: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    path = await find_journey(pages)
    assert "The workers do not have it" not in text_of(await pages.get(path))
    async with engine.begin() as connection:
        await connection.execute(update(JourneyRow).values(problem="Kafka refuses its version 1."))
    assert "The workers do not have it as it stands. Kafka refuses its version 1." in text_of(await pages.get(path))


async def test_R68_a_journey_that_the_breaker_paused_says_why(
    pages: httpx.AsyncClient, engine: AsyncEngine
) -> None:
    path = await find_journey(pages)
    async with engine.begin() as connection:
        because = "The breaker paused it: 9 enrolments failed within one hour."
        await connection.execute(update(JourneyRow).values(status="PAUSED", paused_because=because))
    shown = text_of(await pages.get(path))
    assert f"{because} Nobody enters, and nobody waiting is lost." in shown
    assert "by the breaker" in text_of(await pages.get("/journeys"))

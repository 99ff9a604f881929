"""The pages as one application: every answer keeps the policy, and what is wrong is said on a page."""

import httpx
import pytest

from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


@pytest.mark.parametrize("path", ["/", "/numbers", "/nothing", "/static/fairway.css", "/static/nothing"])
async def test_every_answer_keeps_the_policy(pages: httpx.AsyncClient, path: str) -> None:
    headers = (await pages.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


async def test_what_is_not_there_is_said_on_a_page(pages: httpx.AsyncClient) -> None:
    answer = await pages.get("/nothing")
    assert (answer.status_code, "Not found" in text_of(answer)) == (404, True)


async def test_while_kafka_is_away_its_pages_say_so(pages: httpx.AsyncClient) -> None:
    answer = await pages.get("/topics")
    assert answer.status_code == 503
    assert "Kafka can't be reached from this worker for now." in text_of(answer)

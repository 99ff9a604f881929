"""Two thousand mutated requests to every page and route: each is answered, none with an error of ours."""

from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.routing import Route

from models.customer import Customer
from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from streams.web.api import make_api
from streams.web.app import Views
from streams.web.pages.application import make_pages
from streams.web.sources.sources import Sources, make_sources
from tests.browser.stage import make_table
from tests.web.alone import Alone
from tests.web.fuzzer import Fuzzer, Place

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(900)]

REQUESTS = 2_000


@pytest.fixture
async def sources(engine: AsyncEngine, web_settings: Settings, settings: Settings) -> Any:
    """Sources on a real Kafka and Postgres, with all partitions at hand, empty but for one customer."""
    given = {"brokers": settings.brokers, "app_id": settings.app_id, "topics_file": settings.topics_file}
    both = web_settings.model_copy(update=given)
    topics = read_topics(both.topics_file, both.app_id)
    customers = {b"pinehurst:c-1": Customer("pinehurst", "c-1", {"a": 1})}
    table = make_table(topics, customers, frozenset(range(topics.partitions)))
    made = make_sources(both, topics, engine, table, Alone(), "test")
    yield made
    for source in (made.broker, made.dead_letters, made.peers):
        await source.close()


def places(pages: Starlette, described: dict[str, Any]) -> list[Place]:
    found = [
        Place(method, route.path_format)
        for route in pages.routes
        if isinstance(route, Route) and "/live/" not in route.path
        for method in route.methods or ()
        if method != "HEAD"
    ]
    found += [Place(name.upper(), path) for path, operations in described["paths"].items() for name in operations]
    return sorted(found)


async def test_every_mutated_request_is_answered(sources: Sources, engine: AsyncEngine) -> None:
    async def everyone(_: object) -> Visitor:
        return Visitor("tester")

    pages, api = make_pages(sources, everyone), make_api(sources, everyone)
    asked = places(pages, api.openapi())
    assert len(asked) > 50
    transport = httpx.ASGITransport(Views(api, pages))
    cookies, counted = {"fairway-form": "t"}, dict[int, int]()
    async with httpx.AsyncClient(transport=transport, base_url="http://worker", cookies=cookies) as client:
        fuzzer = Fuzzer(1, await find_known(client))
        for number in range(REQUESTS):
            given = fuzzer.request(asked[number % len(asked)])
            answer = await client.request(**given)
            counted[answer.status_code] = counted.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, (given["method"], given["url"][:300], answer.text[:2_000])
            client.cookies.set("fairway-form", "t")
    assert counted[200] > REQUESTS / 10, counted
    assert sum(counted.values()) == REQUESTS


async def find_known(client: httpx.AsyncClient) -> dict[str, str]:
    """Return what parameters of paths are called, with something that is there."""
    journey = (await client.get("/api/v1/journeys")).json()["items"][0]["id"]
    enrollments = (await client.get("/api/v1/customers/pinehurst/c-12/enrollments")).json()
    enrolled = enrollments[0]["id"]
    return {
        "journey": journey, "journey_id": journey, "enrollment": enrolled, "enrollment_id": enrolled,
        "move": "pause", "action": "pause", "tenant": "pinehurst", "customer": "c-12", "version": "1", "run": "1",
        "partition": "0", "offset": "0",
    }  # fmt: skip

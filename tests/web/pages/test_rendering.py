"""What every page shares: the menu, who looks, and partitions that are still being restored."""

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.kafka.topics import read_topics
from streams.partition.restore import Progress
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from streams.web.pages.application import make_pages
from streams.worker.table import Table
from tests.browser.stage import Task
from tests.web.conftest import make_test_sources
from tests.web.pages.browsing import text_of

pytestmark = pytest.mark.database


@pytest.fixture
def restoring(web_settings: Settings) -> Table:
    topics = read_topics(web_settings.topics_file, "test")
    progress = Progress(rows=250, start=0, offset=250, end=1000)
    tasks = {number: Task(number, "restoring", progress, None) for number in range(10)}
    return Table(topics.changelog, topics.partitions, tasks)  # type: ignore[arg-type]


async def test_partitions_that_are_being_restored_are_named(
    engine: AsyncEngine, web_settings: Settings, restoring: Table
) -> None:
    async def reader(_: object) -> Visitor:
        return Visitor("ann", None, "read")

    transport = httpx.ASGITransport(make_pages(make_test_sources(engine, web_settings, restoring), reader))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        shown = text_of(await client.get("/numbers"))
    assert "This worker is still restoring: partition 0 25 %, partition 1 25 %" in shown
    assert "partition 7 25 %…" in shown
    assert "partition 8" not in shown
    assert "ann" in shown


@pytest.mark.parametrize(
    ("path", "current"), [("/customers", "Customers"), ("/search", "Customers"), ("/waits", "Waits")]
)
async def test_the_menu_says_where_one_is(pages: httpx.AsyncClient, path: str, current: str) -> None:
    assert f'aria-current="page">{current}</a>' in (await pages.get(path)).text

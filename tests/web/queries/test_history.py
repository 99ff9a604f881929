"""Pages stay quick however much there is: none reads more rows than it shows or counts up to a limit.

With FAIRWAY_TEST_VOLUME=1000000 the pages are timed, too, and a table of them is printed.
"""

import gzip
import hashlib
import os
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.database import create_engine
from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from streams.web.pages.application import make_pages
from streams.web.queries import history
from streams.web.queries.cursors import write_cursor
from tests.browser.stage import make_table
from tests.web.conftest import make_test_sources
from tests.web.volume import BUSY, RECORDS, fill

pytestmark = [pytest.mark.database, pytest.mark.timeout(1800)]

TIMED = "FAIRWAY_TEST_VOLUME" in os.environ
VOLUME = int(os.environ.get("FAIRWAY_TEST_VOLUME", "60000"))
MOST_ROWS = 4 * history.LOOKED_THROUGH + 1_000
MOST_MS, MOST_BYTES = 200.0, 100_000


class Stage(NamedTuple):
    client: httpx.AsyncClient
    engine: AsyncEngine
    journeys: dict[str, str]
    asked: list[tuple[str, Any]]


@pytest.fixture
def content(tables: str) -> str:
    return tables


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    engine = create_engine(database_url)
    journeys = await fill(engine, VOLUME)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    settings = Settings(database_url=database_url, brokers="127.0.0.1:1")  # nothing listens there
    topics = read_topics(Path("topics.yaml"), "test")
    sources = make_test_sources(engine, settings, make_table(topics, {}))

    async def gate(_: Any) -> Visitor:
        return Visitor("tester")

    transport = httpx.ASGITransport(make_pages(sources, gate))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield Stage(client, engine, journeys, asked)
    await engine.dispose()


def md5_id(text: str) -> str:
    """The id that the filler gave: an MD5 as a UUID."""
    digest = hashlib.md5(text.encode()).hexdigest()
    return "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:]))


def addresses(journeys: dict[str, str]) -> Iterator[str]:
    busy, paused = f"/journeys/{journeys[BUSY]}", f"/journeys/{journeys['Journey 01']}"
    heavy = md5_id("e5")
    yield from ("/", "/journeys", "/journeys?name=Journey&status=ACTIVE", busy)
    yield from (f"{busy}/enrollments", f"{busy}/enrollments?status=COMPLETED", f"{busy}/enrollments?step=a-week")
    yield f"{busy}/enrollments?before={write_cursor(['2020-01-01T00:00:00Z', heavy])}"
    for ended in ("COMPLETED", "SKIPPED", "FAILED"):
        yield f"{busy}/enrollments?step=brisk-letter&ended={ended}"
    yield from (f"{paused}/resume", f"{paused}/archive", f"{busy}/find?customer=c-100")
    yield from (f"/enrollments/{heavy}", f"/enrollments/{heavy}?failed=1", f"/enrollments/{md5_id('e100')}")
    yield from ("/customers", "/customer?tenant=pinehurst&id=c-5", "/customer?tenant=pinehurst&id=c-100")
    yield from (f"/journeys/{journeys[BUSY]}/refusals", f"/journeys/{journeys[BUSY]}/refusals?reason=paused")
    yield f"/customer?tenant=pinehurst&id=c-100&journey={journeys[BUSY]}"
    yield from ("/search?q=c-100", f"/search?q={md5_id('m100')}", "/search?q=nobody", "/search?q=Journey")
    yield from ("/waits", "/waits?within=hour", "/waits?within=week", "/waits?show=overdue")
    yield from ("/table", "/enroll", "/exit", "/journeys/new", f"/simulate?journey={journeys[BUSY]}", "/numbers")


def allowed(address: str) -> int:
    """How many rows a statement may look at: a page's worth, all of one customer, or all waits of a span."""
    if address.startswith("/waits"):
        return VOLUME
    return MOST_ROWS + (RECORDS if md5_id("e5") in address or "id=c-5" in address else 0)


async def test_no_page_reads_more_of_the_tables_than_it_may(stage: Stage) -> None:
    for address in addresses(stage.journeys):
        stage.asked.clear()
        answer = await stage.client.get(address)
        assert answer.status_code in (200, 303), address
        for statement, parameters in list(stage.asked):
            read = await count_rows_read(stage.engine, statement, parameters)
            assert read <= allowed(address), (address, statement)


async def count_rows_read(engine: AsyncEngine, statement: str, parameters: Any) -> float:
    """Return how many rows Postgres looks at for a statement, at the sizes where indexes are worth their while."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql("SET enable_seqscan = off")
        found = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        plan = found.scalar_one()
        await connection.exec_driver_sql("SET enable_seqscan = on")
    return _sum_rows((plan if isinstance(plan, list) else msgspec.json.decode(plan))[0]["Plan"])


def _sum_rows(node: dict[str, Any]) -> float:
    here = 0.0
    if "Relation Name" in node:
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        here = node["Actual Loops"] * (read + node.get("Rows Removed by Index Recheck", 0))
    return here + sum(map(_sum_rows, node.get("Plans", ())))


@pytest.mark.skipif(not TIMED, reason="times are taken at a million enrolments")
async def test_every_page_is_quick_and_light_at_a_million_enrolments(stage: Stage) -> None:
    slow = []
    for address in addresses(stage.journeys):
        times = []
        for _ in range(6):
            start = time.perf_counter()
            answer = await stage.client.get(address)
            times.append((time.perf_counter() - start) * 1000)
        taken = f"{statistics.median(times[1:]):7.1f} {max(times[1:]):7.1f}"
        size = f"{len(answer.content):8,} {len(gzip.compress(answer.content)):7,}"
        print(f"{address[:90]:90} {taken} {size}")
        if statistics.median(times[1:]) > MOST_MS or len(answer.content) > MOST_BYTES:
            slow.append(address)
    assert slow == []

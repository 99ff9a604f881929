"""The API on a real Postgres, with history in it, asked by people of two tenants."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import NamedTuple

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import JourneyStatus
from streams.database import upgrade
from streams.history.projector import Projector
from streams.journeys.authoring import Author, apply
from streams.kafka.topics import read_topics
from streams.partition.restore import Progress
from streams.settings import Settings
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.web.access.identity import make_identify
from streams.web.access.masking import Mask
from streams.web.access.tokens import grant
from streams.web.access.visitor import Visitor
from streams.web.api import make_api
from streams.web.pages.application import make_pages
from streams.web.queries.query import Reader
from streams.web.sources.sources import Sources, make_sources
from streams.worker.table import Table
from tests.databases import filled
from tests.history.activity import START, activity, journeys
from tests.history.story import tell
from tests.web.alone import Alone

BEARERS = {
    "admin": ("pinehurst", "admin"), "writer": ("pinehurst", "write"), "reader": ("pinehurst", "read"),
    "stranger": ("augusta", "admin"), "root": ("*", "admin"),
}  # fmt: skip


@pytest.fixture(scope="session")
def history(postgres: str) -> Iterator[str]:
    """Name of a database with the ACTIVE journeys of the story and the history that its activity leaves."""
    with filled(postgres, fill) as name:
        yield name


@pytest.fixture(scope="session")
def told(postgres: str) -> Iterator[str]:
    """Name of a database with the story that numbers are counted of."""
    with filled(postgres, tell) as name:
        yield name


@pytest.fixture
def content(history: str) -> str:
    return history


async def fill(engine: AsyncEngine, url: str) -> None:
    """Make the tables, with the ACTIVE journeys of the story and the history that its activity leaves."""
    await upgrade(engine)
    projector = Projector.connect(url)
    async with engine.begin() as connection:
        for journey in journeys():
            wanted = journey.model_copy(update={"status": JourneyStatus.ACTIVE})
            await apply(connection, wanted, Author("ann", START))
    messages = activity()
    await projector.project(0, messages, 0, len(messages))
    await projector.close()


@pytest.fixture
def web_settings(database_url: str) -> Settings:
    """Settings without a broker: nothing listens at its address."""
    return Settings(
        database_url=database_url, brokers="127.0.0.1:1", access="token", personal_fields="firstName,email"
    )


@pytest.fixture
def api(engine: AsyncEngine, web_settings: Settings) -> FastAPI:
    return make_test_api(engine, web_settings)


def make_test_sources(engine: AsyncEngine, settings: Settings, table: Table | None = None) -> Sources:
    """Return the sources of a worker that has no partitions, unless a table says so, and knows no others."""
    topics = read_topics(settings.topics_file, settings.app_id)
    if table is None:
        table = Table(topics.changelog, topics.partitions, {})
    return make_sources(settings, topics, engine, table, Alone(), "test")


class OpenTask(NamedTuple):
    """A partition that is open, as pages see it."""

    partition: int
    store: Store
    stage: str = "running"
    progress: Progress = Progress()


def make_open_table(settings: Settings, rows: Mapping[bytes, bytes]) -> Table:
    """Return a table of a worker that has all partitions, with these rows by key."""
    topics = read_topics(settings.topics_file, settings.app_id)
    tasks = {number: OpenTask(number, Store(MemoryMap())) for number in range(topics.partitions)}
    table = Table(topics.changelog, topics.partitions, tasks)  # type: ignore[arg-type]
    for number, task in tasks.items():
        mine = {key: row for key, row in rows.items() if table.partition_of(key) == number}
        task.store.write(mine, {}, 1_000 * number + len(mine))
    return table


def make_test_api(engine: AsyncEngine, settings: Settings) -> FastAPI:
    return make_api(make_test_sources(engine, settings), make_identify(settings, engine))


@pytest.fixture
async def pages(engine: AsyncEngine, web_settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the pages that may see and do everything."""

    async def everyone(_: object) -> Visitor:
        return Visitor("tester")

    transport = httpx.ASGITransport(make_pages(make_test_sources(engine, web_settings), everyone))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
async def reader(engine: AsyncEngine) -> AsyncIterator[Reader]:
    """A reader that sees everything."""
    async with engine.connect() as connection:
        yield Reader(connection, None, Mask())


@pytest.fixture
async def tokens(engine: AsyncEngine) -> dict[str, str]:
    async with engine.begin() as connection:
        return {name: await grant(connection, name, *of, START) for name, of in BEARERS.items()}


@pytest.fixture
async def client(api: FastAPI, tokens: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is an administrator of pinehurst, unless a request says otherwise."""
    transport = httpx.ASGITransport(api)
    headers = {"authorization": f"Bearer {tokens['admin']}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1/api/v1", headers=headers
    ) as client:
        yield client

"""The API on a real Postgres, with history in it, asked by people of two tenants."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import JourneyStatus
from streams.database import create_engine, upgrade
from streams.history.projector import Projector
from streams.journeys.authoring import Author, apply
from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.web.access.identity import grant, make_identify
from streams.web.api import make_api
from streams.web.pages.site import Site
from streams.web.sources.broker import Broker
from streams.web.sources.peers import Peers
from streams.worker.table import Table
from tests.database.activity import START, activity, journeys
from tests.web.alone import Alone

BEARERS = {
    "admin": ("pinehurst", "admin"), "writer": ("pinehurst", "write"), "reader": ("pinehurst", "read"),
    "stranger": ("augusta", "admin"), "root": ("*", "admin"),
}  # fmt: skip


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    engine = create_engine(database_url)
    await upgrade(engine)
    projector = Projector.connect(database_url)
    async with engine.begin() as connection:
        for journey in journeys():
            wanted = journey.model_copy(update={"status": JourneyStatus.ACTIVE})
            await apply(connection, wanted, Author("ann", START))
    messages = activity()
    await projector.project(0, messages, 0, len(messages))
    await projector.close()
    yield engine
    await engine.dispose()


@pytest.fixture
def web_settings(database_url: str) -> Settings:
    """Settings without a broker: nothing listens at its address."""
    return Settings(
        database_url=database_url, brokers="127.0.0.1:1", access="token", personal_fields="firstName,email"
    )


@pytest.fixture
def api(engine: AsyncEngine, web_settings: Settings) -> FastAPI:
    return make_site_api(engine, web_settings)


def make_site_api(engine: AsyncEngine, settings: Settings) -> FastAPI:
    topics = read_topics(Path("topics.yaml"), "test")
    table = Table(topics.changelog, topics.partitions, {})
    site = Site(settings, engine, Broker(settings.brokers, "test", topics), table, "test", Peers(Alone()))
    return make_api(site, make_identify(settings, engine))


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

"""A real Kafka and a real Postgres for all tests of a session; what each test makes on them is its own."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import yaml
from hypothesis import settings
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.database import create_engine, upgrade
from streams.dev import broker as kafka_server
from streams.dev import postgres as postgres_server
from streams.kafka import provision
from streams.kafka.topics import read_topics
from streams.settings import Settings
from tests import client, java_archive
from tests.databases import database, filled, stop_flushing

# `timeout 60 pytest` ends as Ctrl-C does, so that the servers end too.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# Where `make test` has made the archive, all brokers of tests use it.
if options := java_archive.options(Path(sys.prefix) / "kafka.jsa"):
    os.environ.setdefault(java_archive.VARIABLE, options)

# The same cases each time, however busy the machine; --hypothesis-profile=default for new ones.
settings.register_profile("many", settings.get_profile("ci"), max_examples=5_000)
settings.load_profile("ci")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let files go first that may take long, by their tests' timeouts: so processes end at about the same time."""
    longest: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0.0), mark.args[0] if mark else 0.0)
    items.sort(key=lambda item: -longest[item.path])


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of one broker for the session; FAIRWAY_TEST_BROKERS names one that runs already."""
    given = os.environ.get("FAIRWAY_TEST_BROKERS")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("kafka")
    try:
        yield kafka_server.start(folder).address
    finally:
        kafka_server.stop(folder)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of one Postgres for the session; FAIRWAY_TEST_DATABASE_URL names one that runs already."""
    given = os.environ.get("FAIRWAY_TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("postgres")
    try:
        url = postgres_server.start(folder).url("postgres")
        stop_flushing(url)
        yield url
    finally:
        postgres_server.stop(folder)


@pytest.fixture
def prefix() -> str:
    """A name that no other test uses, for app ids, tenants and topics."""
    return f"t{uuid4().hex[:8]}"


@pytest.fixture(scope="session")
def tables(postgres: str) -> Iterator[str]:
    """Name of a database with the tables, and nothing in them."""

    async def make(engine: AsyncEngine, _: str) -> None:
        await upgrade(engine)

    with filled(postgres, make) as name:
        yield name


@pytest.fixture
def content(tables: str) -> str:
    """Name of the database of which a test's own is a copy: whoever wants more in it, or less, overrides this."""
    return tables


@pytest.fixture
def database_url(postgres: str, content: str, prefix: str) -> Iterator[str]:
    """URL of a database of the test's own."""
    with database(postgres, prefix, content) as url:
        yield url


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine of that database."""
    engine = create_engine(database_url)
    yield engine
    await engine.dispose()


@pytest.fixture
def topics_file(tmp_path: Path, prefix: str) -> Path:
    """The project's topics.yaml with 4 partitions: enough to be apart, quick to make."""
    content = yaml.safe_load(Path("topics.yaml").read_text())
    content["defaults"]["partitions"] = 4
    file = tmp_path / "topics.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


@pytest.fixture
def settings(broker: str, topics_file: Path, prefix: str, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an app of its own on fresh topics, deleted after the test; the database is not set."""
    wanted = read_topics(topics_file, prefix)
    made = Settings(brokers=broker, app_id=prefix, topics_file=topics_file, data_dir=tmp_path / "data")
    asyncio.run(provision.apply(made, wanted))
    yield made
    client.delete_topics(broker, [topic.name for topic in wanted.all])

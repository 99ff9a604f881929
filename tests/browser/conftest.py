"""One stage for all tests of the pages: a real Kafka, a real Postgres, a golf club's four days, and Chromium."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect, sync_playwright

from models.customer import Customer
from streams.dev import broker as kafka_server
from streams.kafka import provision
from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.web.access.visitor import Visitor
from tests.browser import stage

expect.set_options(timeout=30_000)  # milliseconds, for a machine that does much beside

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
LETTERS = [
    ("not-json", "The value is not JSON.", b"{"),
    ("schema", "The field 'customerId' is missing.", b'{"eventId": "x"}'),
    ("not-utf8", "The value is not UTF-8.", b"\xff\xfe"),
]


class Club(NamedTuple):
    """What the pages read from."""

    settings: Settings
    customers: dict[bytes, Customer]
    journeys: dict[str, str]


@pytest.fixture(scope="session")
def club_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker of the club's own: other tests delete the topics that all apps share, such as the dead letters."""
    folder = tmp_path_factory.mktemp("club-kafka")
    try:
        yield kafka_server.start(folder).address
    finally:
        kafka_server.stop(folder)


@pytest.fixture(scope="session")
def club(club_broker: str, postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Club]:
    """The golf club, seeded; its database is dropped at the end."""
    broker, folder, now = club_broker, tmp_path_factory.mktemp("club"), datetime.now(UTC)
    name = f"club{uuid4().hex[:8]}"
    file = folder / "topics.yaml"
    content = yaml.safe_load(Path("topics.yaml").read_text())
    content["defaults"]["partitions"] = 4
    file.write_text(yaml.safe_dump(content))
    topics = read_topics(file, name)
    stage.run(provision.apply(Settings(brokers=broker), topics))
    url = f"{postgres.rpartition('/')[0]}/{name}"
    stage.run(stage.execute(postgres, f'CREATE DATABASE "{name}"'))
    journeys = stage.read_golf()
    stage.run(stage.store_journeys(url, journeys, now))
    messages, customers = stage.play(journeys, list(stage.make_events(now)), now)
    stage.run(stage.project(url, messages))
    stage.bury(broker, LETTERS * 20)
    settings = Settings(brokers=broker, database_url=url, app_id=name, topics_file=file, data_dir=folder)
    yield Club(settings, customers, {journey.name: journey.id for journey in journeys})
    stage.run(stage.execute(postgres, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture(scope="session")
def site(club: Club) -> Iterator[str]:
    """Address of the pages, for a visitor who may do everything."""
    tester = Visitor("tester")
    with (
        stage.serve(club.settings, club.customers, tester, "worker-2", stage.ELSEWHERE) as elsewhere,
        stage.serve(club.settings, club.customers, tester, others={elsewhere: stage.ELSEWHERE}) as address,
    ):
        yield address


@pytest.fixture(scope="session")
def lakeside(club: Club) -> Iterator[str]:
    """Address of the pages, for a visitor of another tenant who may only look."""
    visitor = Visitor("guest", frozenset({"lakeside"}), "read")
    settings = club.settings.model_copy(update={"personal_fields": "firstName"})
    with stage.serve(settings, club.customers, visitor) as address:
        yield address


@pytest.fixture(scope="module")
def chromium(club: Club) -> Iterator[Browser]:
    """Chromium; not for the session, because Playwright keeps a loop running in this thread meanwhile."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, site: str) -> Iterator[Page]:
    """A page of its own; any violation of the policy or error of a script fails the test."""
    context = chromium.new_context(base_url=site, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []

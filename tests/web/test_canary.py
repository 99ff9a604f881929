"""A canary in every place where data of a person can lie: who may only look finds it nowhere.

A real worker runs journeys that see, copy, compare and stumble over personal fields. Then every page, route, stream
and download is asked for by a reader, and by a writer, who has to find the canaries: so nothing is missing.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

import httpx
import pytest
import yaml

from models.ids import customer_key
from models.journey import Journey
from streams.database import create_engine, upgrade
from streams.journeys.authoring import Author, apply
from streams.journeys.outbox import publish_now
from streams.kafka.topics import ACTIVITY
from streams.settings import Settings
from streams.web.access.tokens import grant
from tests import client
from tests.broker.workers import MORNING, running
from tests.client import Record
from tests.http import connect
from tests.ports import free_port

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]

CANARY = re.compile(r"zeisig|5550199887", re.IGNORECASE)
FIELDS = "email,phone,birthday,contact.street"
TENANT, TOPIC = "pinehurst", "teetime.booked"
PERSON = {
    "email": "zeisig-mail@x.example", "EMAIL": "Zeisig-capital", "phone": 5550199887, "birthday": "zeisig day",
    "contact": {"street": "zeisig street", "tier": "Gold"}, "contact.street": "zeisig dotted",
    "deep": [{"email": "zeisig deep"}], "email.work": "zeisig work", "nickname": "zeisig-mail@x.example",
    "tier": "Gold",
}  # fmt: skip
JOURNEYS = """
- name: Refuses
  triggerConfig:
    conditions:
      - {field: nickname, operator: notEquals, valueField: trigger.email}
      - {field: email, operator: equals, value: x}
- name: Stumbles
  steps: [{type: UPDATE, config: {updates: [{field: email, operation: increment}]}}]
- name: Adds
  steps: [{type: UPDATE, config: {updates: [{field: contact.street.x, operation: add, value: 1}]}}]
- name: Changes
  steps: [{type: UPDATE, config: {updates: [{field: phone, operation: set, value: 1}]}}]
- name: Asks
  steps:
    - type: CONDITION
      config:
        rules:
          - {field: nickname, operator: notEquals, valueField: trigger.email}
          - {field: phone, operator: equals, value: 1}
          - {field: contact.tier, operator: equals, valueField: contact.street}
- name: Waits
  enrollmentKey: email
  steps: [{type: WAIT, config: {duration: 900 weeks}}]
- name: Waits for a day
  steps: [{type: WAIT, config: {until: {field: trigger.birthday}, ifMissing: fail}}]
- name: Sends
  steps: [{type: SEND, config: {channel: EMAIL, templateId: hello}}]
"""
ENTERED = 7  # of these journeys


class Stage(NamedTuple):
    """A worker's address, who asks there, and where the worker writes."""

    address: str
    reader: str
    writer: str
    log: Path
    data: Path


@pytest.fixture
def content(tables: str) -> str:
    return tables


@pytest.fixture
def stage(settings: Settings, database_url: str) -> Iterator[Stage]:
    settings = settings.model_copy(update={"database_url": database_url})
    tokens = asyncio.run(prepare(settings))
    port = free_port()
    variables = {
        "FAIRWAY_ACCESS": "token", "FAIRWAY_DATABASE_URL": database_url, "FAIRWAY_PERSONAL_FIELDS": FIELDS,
        "FAIRWAY_WEB_PORT": str(port),
    }  # fmt: skip
    with running(settings, **variables) as (worker,):
        found = Stage(f"http://127.0.0.1:{port}", *tokens, worker.log, settings.data_dir)
        first, *others = records()
        client.produce(settings.brokers, [first])  # alone: topics have no order, and steps fail on what is known
        client.wait_until(lambda: is_known(found), 2 * client.PATIENCE)
        client.produce(settings.brokers, others)
        client.wait_until(lambda: is_written(found), 2 * client.PATIENCE)
        yield found


async def prepare(settings: Settings) -> tuple[str, str]:
    engine = create_engine(settings.database_url)
    await upgrade(engine)
    async with engine.begin() as connection:
        for given in yaml.safe_load(JOURNEYS):
            steps = [{"type": "TRIGGER"}, *given.get("steps", [])]
            whole = {"tenantId": TENANT, "triggerType": TOPIC, "status": "ACTIVE"} | given | {"steps": steps}
            await apply(connection, Journey.model_validate(whole), Author("ann", MORNING))
        reader = await grant(connection, "reader", "*", "read", MORNING)
        writer = await grant(connection, "writer", "*", "admin", MORNING)
    await publish_now(engine, settings)
    await engine.dispose()
    return reader, writer


def records() -> Iterator[Record]:
    key = customer_key(TENANT, "c-1")
    for number, topic in enumerate(("customer.updated", TOPIC, TOPIC)):
        value = {"eventId": f"e-{number}", "tenantId": TENANT, "customerId": "c-1", "data": PERSON}
        value |= {"occurredAt": "2026-11-23T10:00:00Z", "email": "zeisig envelope"}
        yield Record(topic, key, json.dumps(value).encode())
    poison = {
        "tenantId": TENANT,
        "customerId": "c-1",
        "entries": [{"changes": [{"field": "email", "after": "zeisig"}]}],
    }
    yield Record(ACTIVITY, key, json.dumps(poison | PERSON).encode())
    headers = (("x-mail", b"zeisig header"), ("traceparent", b"00-aa-bb-01"))
    for value in (
        b'{"email": "zeisig bad"}',
        b"zeisig is no json",
        b'{"data": {"email": "zeisig nested"}, "eventId": 1}',
    ):
        yield Record(TOPIC, key, value, headers)
    yield Record(TOPIC, b"zeisig-as-key@x.example", b"{", headers)


def open_client(stage: Stage, token: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {token}"}
    return connect(stage.address, headers=headers, follow_redirects=True)


def is_known(stage: Stage) -> bool:
    """Say whether a worker has taken in what the first event tells of the customer."""
    try:
        with open_client(stage, stage.writer) as web:
            return CANARY.search(web.get(f"/api/v1/customers/{TENANT}/c-1/state").text) is not None
    except httpx.HTTPError:
        return False


def is_written(stage: Stage) -> bool:
    """Say whether all that the journeys do is in Postgres, and all dead letters are there."""
    try:
        with open_client(stage, stage.writer) as web:
            enrolled = web.get(f"/api/v1/customers/{TENANT}/c-1/enrollments").json()
            letters = web.get("/dead-letters").text.count(">open</a>")
    except (httpx.HTTPError, ValueError):
        return False
    return len(enrolled) == ENTERED and letters == 4


def crawl(web: httpx.Client) -> dict[str, str]:
    """Return the pages that links and the menu lead to, by address: every one, with every value of every filter.

    Of filters together only as many are asked for as have each value, and each set of filters, once, the fewest
    filters first. A filter takes rows away that are there without it, and what is hidden is so by who asks.
    """
    waiting = ["/", "/search?q=c-1", "/openapi.json", "/nothing", "/dead-letters?code=schema"]
    found, traits = dict[str, str](), set[tuple[str, ...]]()
    with ThreadPoolExecutor(4) as threads:
        while waiting:
            answers = list(threads.map(web.get, waiting))
            assert [answer.url for answer in answers if answer.status_code >= 500] == []
            found |= dict(zip(waiting, (answer.text for answer in answers), strict=True))
            waiting = []
            for link in (link for answer in answers for link in find_links(answer.text)):
                if not (own := traits_of(link)) <= traits:
                    waiting.append(link)
                    traits |= own
    return found


def find_links(text: str) -> list[str]:
    links = (unescape(link).partition("#")[0] for link in re.findall(r'(?:href|data-from)="(/[^"]*)"', text))
    return [link for link in links if not link.startswith(("/static", "/live"))]


def traits_of(link: str) -> set[tuple[str, ...]]:
    """Return what makes an address unlike others: its path with the names of its filters, and with each value."""
    path, _, query = link.partition("?")
    filters = sorted(parse_qsl(query, keep_blank_values=True))
    return {(path, *(name for name, _ in filters)), *((path, name, f"={value}") for name, value in filters)}


def ask_api(web: httpx.Client) -> dict[str, str]:
    """Return what every route of the API that only looks answers, by address."""
    ids = [row["id"] for row in web.get("/api/v1/journeys").json()["items"]]
    enrollments = [row["id"] for row in web.get(f"/api/v1/customers/{TENANT}/c-1/enrollments").json()]
    letters = web.get("/api/v1/dead-letters").json()["items"]
    places = {
        "partition": [str(letter["partition"]) for letter in letters],
        "offset": [str(letter["offset"]) for letter in letters],
        "journey_id": ids,
        "enrollment_id": enrollments,
        "tenant": [TENANT],
        "customer": ["c-1"],
        "version": ["1"],
        "run": ["1"],
    }
    found = {}
    for path, operations in web.get("/openapi.json").json()["paths"].items():
        if "get" not in operations:
            continue
        names = re.findall(r"\{(\w+)\}", path)
        for choice in zip(*(places[name] for name in names), strict=False) if names else [()]:
            filled = path
            for name, value in zip(names, choice, strict=True):
                filled = filled.replace(f"{{{name}}}", quote(value))
            found[filled] = web.get(filled).text
    return found


def listen(web: httpx.Client, pages: dict[str, str]) -> dict[str, str]:
    """Return the first values of every stream that a page listens to, by address."""
    streams = {unescape(link) for text in pages.values() for link in re.findall(r'data-from="(/[^"]*)"', text)}
    found = {}
    for path in streams:
        with web.stream("GET", path) as answer:
            found[path] = next(line for line in answer.iter_lines() if line.startswith("data: "))
    return found


SINGING = {
    "/enrollments/*", "/enrollments/*.json", "/customer", "/table", "/dead-letters/*", "/dead-letters",
    "/journeys/*/refusals", "/simulate", "/live/enrollment", "/parked/*",
    *(f"/api/v1/customers/*{path}" for path in ("", "/timeline", "/why-not", "/state", "/enrollments")),
    *(f"/api/v1/{path}" for path in ("enrollments/*", "journeys/*/enrollments", "journeys/*/enrollments.ndjson")),
    "/api/v1/tenants/*/states", "/api/v1/dead-letters", "/api/v1/dead-letters/*",
}  # fmt: skip


def test_who_may_only_look_finds_no_canary_anywhere(stage: Stage) -> None:
    found: dict[str, dict[str, str]] = {}
    for token in (stage.reader, stage.writer):
        with open_client(stage, token) as web:
            pages = crawl(web)
            found[token] = pages | ask_api(web) | listen(web, pages) | {"/metrics": web.get("/metrics").text}
    seen, whole = found[stage.reader], found[stage.writer]
    assert {path: CANARY.findall(text) for path, text in seen.items() if CANARY.search(text)} == {}
    assert CANARY.findall(stage.log.read_text()) == []
    sung = {kind(path) for path, text in whole.items() if CANARY.search(text)}
    assert sung >= SINGING, SINGING - sung
    assert len(seen) > 60
    assert {oct(path.stat().st_mode & 0o077) for path in stage.data.rglob("*")} == {"0o0"}


def kind(path: str) -> str:
    """Return what kind of address this is, without ids."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "*", path.partition("?")[0])
    path = re.sub(r"/(dead-letters|parked)/\d+/\d+", r"/\1/*", path)
    return path.replace(f"/{TENANT}/c-1", "/*").replace(f"/{TENANT}/", "/*/")

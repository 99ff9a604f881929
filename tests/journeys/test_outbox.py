"""The outbox: in order, each record once it is there, and what Kafka refuses held back alone."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError
from sqlalchemy import event, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from models.journey import Journey
from models.rows import JourneyRow, OutboxRow
from streams.engine.transitions import Move
from streams.journeys.authoring import Applied, Author, apply, move
from streams.journeys.definitions import load_catalogue
from streams.journeys.outbox import publish, publish_soon
from streams.kafka import provision
from streams.kafka.topics import DEFINITIONS, read_topics
from streams.settings import Settings

pytestmark = pytest.mark.database

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATER = NOW + timedelta(minutes=11)
AUTHOR = Author("ann", NOW)
STEPS = [{"type": "TRIGGER"}, {"type": "END"}]


def journey(tenant: str = "pinehurst", **changes: Any) -> Journey:
    plain = {"tenantId": tenant, "name": "Welcome", "triggerType": "scl.member.created", "steps": STEPS}
    return Journey.model_validate(plain | changes)


async def put(engine: AsyncEngine, given: Journey) -> Applied:
    async with engine.begin() as connection:
        return await apply(connection, given, AUTHOR)


async def bring(engine: AsyncEngine, by: Move, tenant: str = "pinehurst") -> Applied:
    async with engine.begin() as connection:
        return await move(connection, tenant, "Welcome", by, AUTHOR)


class Topic:
    """Takes the place of a producer; refuses some keys, and after some records everything."""

    def __init__(self, refused: Iterable[str] = (), fail_after: int = 1000) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.refused = set(refused)
        self.fail_after = fail_after

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.sent]

    async def send(self, topic: str, value: bytes, key: bytes, partition: int) -> "asyncio.Future[None]":
        if len(self.sent) == self.fail_after:
            raise KafkaConnectionError
        if key.decode() in self.refused:
            raise MessageSizeTooLargeError("too large")
        self.sent.append((key.decode(), self.read(value)))
        return answer(None)

    def read(self, value: bytes) -> Any:
        return msgspec.json.decode(value)


def answer(error: Exception | None) -> "asyncio.Future[None]":
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    if error:
        future.set_exception(error)
    else:
        future.set_result(None)
    return future


class Batching(Topic):
    """Sends all that it is given at one time together, and refuses it together, as Kafka does."""

    def __init__(self, refused: Iterable[str] = (), is_away: Callable[[int], bool] = lambda _: False) -> None:
        super().__init__(refused)
        self.batches: list[list[str]] = []
        self._open: list[tuple[str, Any, asyncio.Future[None]]] = []
        self._is_away = is_away

    async def send(self, topic: str, value: bytes, key: bytes, partition: int) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        if not self._open:
            loop.call_soon(self._deliver)
        self._open.append((key.decode(), self.read(value), loop.create_future()))
        return self._open[-1][2]

    def _deliver(self) -> None:
        batch, self._open = self._open, []
        self.batches.append([key for key, _, _ in batch])
        is_refused = not self.refused.isdisjoint(self.batches[-1])
        for key, value, future in batch:
            if self._is_away(len(self.batches)):
                future.set_exception(KafkaConnectionError())
            elif is_refused:
                future.set_exception(MessageSizeTooLargeError("too large"))
            else:
                self.sent.append((key, value))
                future.set_result(None)


async def waiting(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(select(OutboxRow.key).order_by(OutboxRow.id))).scalars())


async def problems(engine: AsyncEngine) -> dict[str, str | None]:
    """Return what is told of each tenant's journey."""
    async with engine.connect() as connection:
        found = await connection.execute(select(JourneyRow.tenant_id, JourneyRow.problem))
        return {row.tenant_id: row.problem for row in found}


async def test_each_version_and_the_newest_status_go_to_the_topic_in_order(engine: AsyncEngine) -> None:
    made = await put(engine, journey())
    await put(engine, journey(timezone="Europe/London"))
    await bring(engine, "activate")
    topic = Topic()
    assert await publish(engine, topic, NOW) == 5
    assert await publish(engine, topic, NOW) == 0
    name = f"pinehurst:{made.id}"
    assert topic.keys == [f"{name}:1", f"{name}:2", name]
    assert topic.sent[1][1]["timezone"] == "Europe/London"
    assert topic.sent[2][1] == {
        "tenantId": "pinehurst", "journeyId": made.id, "name": "Welcome", "status": "ACTIVE", "version": 2,
        "updatedAt": "2026-11-23T10:00:00Z", "revision": made.revision + 2,
    }  # fmt: skip


FOREIGN = [
    ("no-colon", b"{}"), ("pinehurst:no-id", b"{"), ("pinehurst:no-id:1", b"{}"), (":", None), ("a:b:0", b"\xff"),
    ("pinehurst:6a3d1e0a-7d5c-5b0e-9d0b-7d9a4f1c2b3a", b"no json"), ("x" * 5000, b""),
    ("pinehurst:6a3d1e0a-7d5c-5b0e-9d0b-7d9a4f1c2b3a", b"[" * 3000),
]  # fmt: skip


async def test_a_record_that_authoring_did_not_write_is_put_aside_or_sent_and_holds_up_nobody(
    engine: AsyncEngine,
) -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(OutboxRow), [{"key": key, "value": value} for key, value in FOREIGN])
    good = await put(engine, journey())

    class Plain(Topic):
        def read(self, value: bytes) -> Any:
            return value

    topic = Plain()
    with capture_logs() as logs:
        await publish(engine, topic, NOW)
        await publish(engine, topic, LATER)
    assert {f"pinehurst:{good.id}:1", f"pinehurst:{good.id}"} <= set(topic.keys)
    unusable = {"no-colon", "pinehurst:no-id", "pinehurst:no-id:1", ":", "a:b:0", "x" * 5000}
    assert {log["key"] for log in logs} == unusable
    assert set(await waiting(engine)) == unusable
    assert not unusable & set(topic.keys)


async def test_what_was_not_sent_while_the_broker_is_away_stays(engine: AsyncEngine) -> None:
    await put(engine, journey())
    with pytest.raises(KafkaConnectionError):
        await publish(engine, Topic(fail_after=1), NOW)
    assert len(await waiting(engine)) == 2
    assert await publish(engine, Topic(), NOW) == 2
    assert await waiting(engine) == []


async def test_a_version_that_kafka_refuses_is_put_aside_with_its_status_and_told_once(engine: AsyncEngine) -> None:
    big = await put(engine, journey())
    other = await put(engine, journey("augusta"))
    name = f"pinehurst:{big.id}"
    topic = Topic(refused=[f"{name}:1"])
    with capture_logs() as logs:
        await publish(engine, topic, NOW)
        await bring(engine, "activate")  # its record comes by itself, with the version already put aside
        await publish(engine, topic, NOW)
        await publish(engine, topic, LATER)
    assert topic.keys == [f"augusta:{other.id}:1", f"augusta:{other.id}"]
    told = await problems(engine)
    assert told["augusta"] is None
    assert str(told["pinehurst"]).startswith("Kafka refuses its version 1 of 345 bytes: ")
    assert [(log["key"], log["reason"]) for log in logs] == [(f"{name}:1", told["pinehurst"])]
    assert await waiting(engine) == [f"{name}:1", name, name]


async def test_of_a_batch_that_kafka_refuses_only_what_it_refuses_alone_is_put_aside(engine: AsyncEngine) -> None:
    made = {tenant: (await put(engine, journey(tenant))).id for tenant in ("a", "b", "c", "d")}
    names = {tenant: f"{tenant}:{id_}" for tenant, id_ in made.items()}
    topic = Batching(refused=[f"{names['b']}:1", names["d"]])
    assert await publish(engine, topic, NOW) == 8
    assert topic.keys == [f"{names[one]}:1" for one in "acd"] + [names[one] for one in "ac"]
    assert await waiting(engine) == [f"{names['b']}:1", names["b"], names["d"]]
    assert {tenant for tenant, problem in (await problems(engine)).items() if problem} == {"b", "d"}


async def test_versions_and_then_statuses_go_together_and_to_postgres_in_as_many_statements_as_one(
    engine: AsyncEngine,
) -> None:
    statements: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    counts = []
    for many in (1, 40):
        for number in range(many):
            await put(engine, journey(f"tenant-{many}-{number}"))
        statements.clear()
        topic = Batching()
        assert await publish(engine, topic, NOW) == 2 * many
        assert [len(batch) for batch in topic.batches] == [many, many]
        assert {key.count(":") for key in topic.batches[0]} == {2}
        counts.append(len(statements))
    assert counts[0] == counts[1]
    assert await waiting(engine) == []


async def test_no_status_goes_before_it_is_known_that_its_version_is_there(engine: AsyncEngine) -> None:
    await put(engine, journey())
    topic = Batching(is_away=lambda batch: batch == 1)
    with pytest.raises(KafkaConnectionError):
        await publish(engine, topic, NOW)
    assert len(topic.batches) == 1
    assert await publish(engine, topic, NOW) == 2
    assert len(topic.sent) == 2


async def test_it_is_tried_again_later_and_goes_once_kafka_takes_it(engine: AsyncEngine) -> None:
    big = await put(engine, journey())
    name = f"pinehurst:{big.id}"
    await publish(engine, Topic(refused=[f"{name}:1"]), NOW)
    topic = Topic()
    assert await publish(engine, topic, NOW + timedelta(minutes=9)) == 0
    assert await publish(engine, topic, LATER) == 2
    assert topic.keys == [f"{name}:1", name]
    assert await problems(engine) == {"pinehurst": None}
    assert await waiting(engine) == []


async def test_a_newer_version_that_kafka_takes_is_in_force_and_the_refused_one_forgotten(
    engine: AsyncEngine,
) -> None:
    name = f"pinehurst:{(await put(engine, journey())).id}"
    topic = Topic(refused=[f"{name}:1"])
    await publish(engine, topic, NOW)
    await put(engine, journey(timezone="Europe/London"))
    await publish(engine, topic, NOW)
    assert topic.keys == [f"{name}:2", name]
    assert topic.sent[1][1]["version"] == 2
    assert await problems(engine) == {"pinehurst": None}
    assert await waiting(engine) == []


@pytest.mark.broker
async def test_the_broker_itself_refuses_one_tenant_s_journey_and_takes_the_other_s(
    engine: AsyncEngine, settings: Settings
) -> None:
    content = yaml.safe_load(Path(settings.topics_file).read_text())
    content["topics"][DEFINITIONS]["configs"]["max.message.bytes"] = 2_000
    settings.topics_file.write_text(yaml.safe_dump(content))
    await provision.apply(settings, read_topics(settings.topics_file, settings.app_id))
    big = await put(engine, journey(description="x" * 3_000))
    other = await put(engine, journey("augusta"))
    assert await publish_soon(engine, settings) is None
    catalogue = await load_catalogue(settings)
    assert catalogue.find("augusta", "Welcome") == catalogue.states[other.id]
    assert big.id not in catalogue.states
    assert {tenant: problem is None for tenant, problem in (await problems(engine)).items()} == {
        "pinehurst": False,
        "augusta": True,
    }

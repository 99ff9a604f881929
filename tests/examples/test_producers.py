"""Each example producer: every event of the outbox lies where it belongs, and after a failure comes once more."""

import asyncio
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Mapping
from operator import eq
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from confluent_kafka import Producer

from models.ids import customer_key
from models.messages import Event
from streams.engine.decoding import decode
from streams.kafka.partitioner import partition_of
from tests import client
from tests.examples.programs import CLIENTS, Start

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(300)]

PARTITIONS = 8
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NAMES = [
    "c-{}",
    "Zoë {}",
    "山田-{}",
    "🏌️ {}",
    "Ω≈ç√∫ {}",
    "{}@example.org",
    "a:b:{}",
    "é{}",
    "\u00a0{}",
    "{}" + "x" * 200,
]
CUSTOMERS = [NAMES[number % len(NAMES)].format(number) for number in range(1000)]
SLICE = 500  # of each example


def event(number: int, customer: str) -> dict[str, Any]:
    return {
        "eventId": f"booking-{number}", "tenantId": "Ärzte-GC", "customerId": customer,
        "occurredAt": "2026-11-23T10:00:00Z", "data": {"n": number},
    }  # fmt: skip


async def fill(database: asyncpg.Connection, topic: str) -> None:
    """Write an event for each customer, and then another for the first, of whom two events are to stay in order."""
    rows = [
        (topic, json.dumps(event(number, customer)), TRACE if number % 2 else None)
        for number, customer in enumerate([*CUSTOMERS, CUSTOMERS[0]])
    ]
    await database.executemany("INSERT INTO outbox (topic, event, traceparent) VALUES ($1, $2, $3)", rows)


async def wait_until_empty(database: asyncpg.Connection) -> None:
    async with asyncio.timeout(client.PATIENCE):
        while await database.fetchval("SELECT count(*) FROM outbox"):
            await asyncio.sleep(0.05)


async def fail_to_delete(
    start: Start, name: str, variables: Mapping[str, str], database: asyncpg.Connection
) -> None:
    """Run the producer where rows can't be deleted, as if it died between Kafka's answer and the deletion."""
    await database.execute("""
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'down'; END $$;
        CREATE TRIGGER fail BEFORE DELETE ON outbox EXECUTE FUNCTION fail();
    """)
    process = start(name, "producer", variables)
    assert await asyncio.to_thread(process.wait, client.PATIENCE) > 0
    await database.execute("DROP TRIGGER fail ON outbox")


@pytest.mark.parametrize("name", CLIENTS)
async def test_every_event_lies_where_its_customer_is_and_repeats_its_id_after_a_failure(
    name: str, start: Start, variables: dict[str, str], database: asyncpg.Connection, broker: str, prefix: str
) -> None:
    client.create_topics(broker, {prefix: PARTITIONS})
    await fill(database, prefix)
    await fail_to_delete(start, name, variables, database)
    process = start(name, "producer", variables)
    await wait_until_empty(database)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, client.PATIENCE) in (0, 128 + signal.SIGTERM)

    records = client.read_committed(broker, prefix)
    client.delete_topics(broker, [prefix])
    counted: Counter[int] = Counter()
    for record in records:
        found = decode(record.value, record.headers, prefix)
        assert isinstance(found, Event)
        number = found.data["n"]
        assert found.customer_id == [*CUSTOMERS, CUSTOMERS[0]][number]
        assert record.key == customer_key("Ärzte-GC", found.customer_id)
        assert record.partition == partition_of(record.key, PARTITIONS)
        assert (found.event_id, found.traceparent) == (f"booking-{number}", TRACE if number % 2 else None)
        counted[number] += 1
    assert counted == {number: 1 + (number < SLICE) for number in range(len(CUSTOMERS) + 1)}
    numbers = [json.loads(record.value or b"")["data"]["n"] for record in records]
    assert numbers.index(0) < numbers.index(len(CUSTOMERS))


def test_kafkajs_put_keys_elsewhere_before_its_2_0(kafkajs: Path) -> None:
    script = """
        const { Partitioners } = require('kafkajs')
        const partitionMetadata = [...Array(8).keys()].map(partitionId => ({ partitionId, leader: 0 }))
        const place = (make, key) => make()({ topic: 't', partitionMetadata, message: { key: Buffer.from(key) } })
        const { keys } = JSON.parse(require('fs').readFileSync(0))
        const makers = [Partitioners.DefaultPartitioner, Partitioners.LegacyPartitioner]
        console.log(JSON.stringify(makers.map(make => keys.map(key => place(make, key)))))
    """
    keys = [f"t:{customer}" for customer in CUSTOMERS]
    done = subprocess.run(
        ["node", "-e", script],
        input=json.dumps({"keys": keys}),
        cwd=kafkajs,
        capture_output=True,
        text=True,
        check=True,
    )
    default, legacy = json.loads(done.stdout)
    expected = [partition_of(key.encode(), PARTITIONS) for key in keys]
    assert default == expected
    assert sum(map(eq, legacy, expected)) < 500


def test_librdkafka_s_own_partitioner_puts_7_of_8_events_on_a_foreign_partition(broker: str, prefix: str) -> None:
    client.create_topics(broker, {prefix: PARTITIONS})
    producer = Producer({"bootstrap.servers": broker})
    for customer in CUSTOMERS:
        producer.produce(prefix, b"{}", customer_key("t", customer))
    producer.flush()
    records = client.read_committed(broker, prefix)
    client.delete_topics(broker, [prefix])
    at_home = sum(record.partition == partition_of(record.key or b"", PARTITIONS) for record in records)
    assert len(records) == 1000
    assert 80 < at_home < 180

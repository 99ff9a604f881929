"""The limit: a bare aiokafka loop with one transaction a batch, rows as JSON in a dict, a command per event.

What `BENCH_PLAIN=1` makes of it gives no guarantees: no transactions, and offsets committed at leisure.
"""

import asyncio
import os
from typing import Any

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

BROKERS = os.environ["FAIRWAY_BROKERS"]
GROUP = os.environ["FAIRWAY_APP_ID"]
TOPIC = os.environ["BENCH_TOPIC"]
PLAIN = os.environ.get("BENCH_PLAIN") == "1"

_encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
_rows: dict[bytes, bytes] = {}
_producers: dict[int, AIOKafkaProducer] = {}


async def _producer(partition: int) -> AIOKafkaProducer:
    if partition not in _producers:
        id_ = None if PLAIN else f"{GROUP}-{partition}"
        producer = AIOKafkaProducer(bootstrap_servers=BROKERS, transactional_id=id_, linger_ms=5)
        await producer.start()
        _producers[partition] = producer
    return _producers[partition]


async def _handle(place: TopicPartition, records: list[ConsumerRecord]) -> None:
    producer = await _producer(0 if PLAIN else place.partition)
    if not PLAIN:
        await producer.begin_transaction()
    changed: dict[bytes, bytes] = {}
    for record in records:
        event = _decode(record.value)
        before = changed.get(record.key) or _rows.get(record.key)
        row: dict[str, Any] = _decode(before) if before else {"n": 0}
        row["n"] += 1
        row["last"] = event["eventId"]
        changed[record.key] = _encode(row)
        command = _encode({"id": event["eventId"], "to": event["customerId"]})
        await producer.send("bare.commands", command, key=record.key, partition=place.partition)
    if not PLAIN:
        for key, value in changed.items():
            await producer.send("bare.changelog", value, key=key, partition=place.partition)
        await producer.send_offsets_to_transaction({place: records[-1].offset + 1}, GROUP)
        await producer.commit_transaction()
    _rows.update(changed)


async def main() -> None:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=BROKERS,
        group_id=GROUP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=1024 * 1024,
        isolation_level="read_committed",
    )
    await consumer.start()
    while True:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=2000)
        await asyncio.gather(*(_handle(place, records) for place, records in fetched.items()))
        if PLAIN and fetched:
            await consumer.commit()


uvloop.run(main())

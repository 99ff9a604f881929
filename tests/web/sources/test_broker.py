"""How far behind the workers are, in time: when the oldest record was written that still waits."""

from datetime import UTC, datetime

import pytest

from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.web.sources.broker import Broker, Part
from tests import client

pytestmark = pytest.mark.broker


async def test_the_oldest_record_that_waits_is_found_in_each_partition(settings: Settings, prefix: str) -> None:
    topic = f"{prefix}.events"
    client.create_topics(settings.brokers, {topic: 3})
    for partition in (2, 0, 0, 2, 2):
        record = client.Record(topic, b"key", bytes(50_000), partition=partition)
        client.produce(settings.brokers, [record])
    written = {
        (record.partition, record.offset): datetime.fromtimestamp(record.timestamp / 1000, UTC)
        for record in client.read_committed(settings.brokers, topic)
    }
    broker = Broker(settings, read_topics(settings.topics_file, settings.app_id))

    def parts(done_of_0: int | None, done_of_2: int) -> list[Part]:
        return [
            Part(topic, 0, 0, 2, done_of_0),
            Part(topic, 1, 0, 0, 0),
            Part(topic, 2, 0, 3, done_of_2),
        ]

    try:
        assert await broker.oldest_waiting(parts(0, 0)) == {0: written[0, 0], 2: written[2, 0]}
        assert await broker.oldest_waiting(parts(1, 2)) == {0: written[0, 1], 2: written[2, 2]}
        assert await broker.oldest_waiting(parts(None, 2)) == {2: written[2, 2]}
        assert await broker.oldest_waiting(parts(2, 3)) == {}
    finally:
        await broker.close()

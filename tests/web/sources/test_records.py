"""Committed records between two offsets, and nothing of transactions that were given up."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streams.settings import Settings
from streams.web.sources.records import RecordReader, bounds, read, read_first, read_record
from tests import client

pytestmark = pytest.mark.broker


async def test_records_are_read_between_two_offsets(settings: Settings, prefix: str) -> None:
    topic = f"{prefix}.events"
    client.create_topics(settings.brokers, {topic: 2})
    rows = [client.Record(topic, b"k", str(number).encode(), partition=number % 2) for number in range(10)]
    client.produce(settings.brokers, rows)
    reader = RecordReader(settings)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    try:
        async with reader.lend() as consumer:
            begins, ends = await bounds(consumer, [zero, one])
            assert (begins[zero], ends[zero], ends[one]) == (0, 5, 5)
            found = await read(consumer, {zero: 1, one: 4}, {zero: 3, one: 5})
            assert sorted(record.value or b"" for record in found) == [b"2", b"4", b"9"]
            first = await read_first(consumer, {zero: 3})
            assert [record.value for record in first] == [b"6"]
    finally:
        await reader.close()


@pytest.mark.parametrize("milliseconds", [-(2**62), -1, 0, 1_795_946_071_721, 253_402_300_800_000, 2**62])
def test_a_time_that_is_none_is_the_nearest_that_there_is(milliseconds: int) -> None:
    record = ConsumerRecord("t", 0, 1, milliseconds, 0, None, None, None, 0, 0, ())
    assert 1970 <= read_record(record).at.year <= 9999


async def test_without_a_broker_the_question_is_given_up() -> None:
    reader = RecordReader(Settings(brokers="127.0.0.1:1"))
    with pytest.raises(KafkaError):
        async with reader.lend():
            pass
    await reader.close()

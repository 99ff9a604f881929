"""Where the answer to what is sent by hand will be: the customer's partition of a topic, from its end on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.kafka.clients import started
from streams.kafka.connection import client_arguments
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import read_topics
from streams.settings import Settings


@asynccontextmanager
async def awaiting(
    settings: Settings, topic: str, key: bytes, group: str | None = None
) -> AsyncIterator[tuple[AIOKafkaConsumer, TopicPartition]]:
    """Lend a consumer of whatever comes from now on, and its place; raises KafkaError.

    `group` is one whose offsets it can be asked for; without a subscription it takes no part in it.
    """
    partitions = read_topics(settings.topics_file, settings.app_id).partitions
    place = TopicPartition(topic, partition_of(key, partitions))
    consumer = AIOKafkaConsumer(
        **client_arguments(settings), group_id=group, isolation_level="read_committed", enable_auto_commit=False
    )
    async with started(consumer):
        consumer.assign([place])
        consumer.seek(place, (await consumer.end_offsets([place]))[place])
        yield consumer, place

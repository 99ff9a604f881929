"""History brought up to date without a worker, before the activity of customers goes on in other partitions.

Partitions are projected side by side: what a customer did last in one must be in Postgres before they go on in
another.
"""

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.database import reach
from streams.history.projector import Projector
from streams.kafka.clients import started
from streams.kafka.connection import consumer_arguments
from streams.kafka.readiness import find_partitions
from streams.kafka.topics import ACTIVITY
from streams.settings import Settings


async def catch_up(settings: Settings) -> int:
    """Write the activity that Postgres lacks, and return how many records that were; raises FairwayError."""
    places = await find_partitions(settings, ACTIVITY)
    projector = Projector.connect(settings.database_url)
    consumer = AIOKafkaConsumer(
        **consumer_arguments(settings), isolation_level="read_committed", enable_auto_commit=False,
        auto_offset_reset="earliest",
    )  # fmt: skip
    async with reach(projector.engine), started(consumer):
        async with projector.engine.connect():
            pass  # a projector waits for a Postgres that is away; who asks for this is to be told
        return sum([await _catch_up(projector, consumer, place) for place in places])


async def _catch_up(projector: Projector, consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    """Write what Postgres lacks of a partition, from where the topic begins now if records are gone."""
    begin = (await consumer.beginning_offsets([place]))[place]
    end = (await consumer.end_offsets([place]))[place]
    position, count = await projector.position(place.partition), 0
    if not begin <= position <= end:
        position = begin
        await projector.rewind(place.partition, position)
    if position < end:
        consumer.assign([place])
        consumer.seek(place, position)
    while position < end:
        records = (await consumer.getmany(place, timeout_ms=200)).get(place, [])
        following = await consumer.position(place)
        if following > position:
            position = await projector.project(place.partition, records, position, following)
            count += len(records)
    return count

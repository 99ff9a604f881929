"""A producer's transactions against a real broker: whole or not at all, and only by a member of the group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    IllegalGenerationError,
    InvalidProducerEpoch,
    ProducerFenced,
    UnknownMemberIdError,
    UnknownTopicOrPartitionError,
)
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from streams.kafka.batches import Batches
from streams.kafka.errors import TooLargeError
from streams.kafka.standing import Membership
from streams.kafka.transactions import Transactions
from tests import client as kafka

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]
FENCED = (InvalidProducerEpoch, ProducerFenced)


@pytest.fixture
def topic(broker: str, prefix: str):
    kafka.create_topics(broker, {prefix: 2})
    yield prefix
    kafka.delete_topics(broker, [prefix])


@asynccontextmanager
async def started(broker: str, transactional_id: str) -> AsyncIterator[Transactions]:
    client = AIOKafkaClient(bootstrap_servers=broker)
    await client.bootstrap()
    try:
        transactions = Transactions(client, transactional_id, 20_000)
        await transactions.start()
        yield transactions
    finally:
        await client.close()


def batch(*values: str) -> list:
    batches = Batches(1_000_000)
    for value in values:
        batches.add(b"k", value.encode(), [])
    return batches.finish()


async def write(transactions: Transactions, place: TopicPartition, *values: str) -> int:
    await transactions._client.add_topic(place.topic)
    await transactions.join([place])
    return (await transactions.send({place: batch(*values)}))[place]


def read(broker: str, topic: str) -> list[str]:
    return [record.value.decode() for record in kafka.read_committed(broker, topic)]


@asynccontextmanager
async def member(broker: str, topic: str) -> AsyncIterator[tuple[AIOKafkaConsumer, Membership]]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker, group_id=topic, **kafka.PATIENT_MEMBER)
    try:
        await consumer.start()
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=50)
        yield consumer, membership(consumer)
    finally:
        await consumer.stop()


def membership(consumer: AIOKafkaConsumer) -> Membership:
    coordinator = consumer._coordinator
    return Membership(coordinator.group_id, coordinator.generation, coordinator.member_id, None)


async def test_what_is_committed_is_read_whole_and_what_is_aborted_not_at_all(broker: str, topic: str) -> None:
    one, two = TopicPartition(topic, 0), TopicPartition(topic, 1)
    async with started(broker, topic) as transactions:
        assert await write(transactions, one, "a", "b") == 2
        assert await write(transactions, two, "c") == 1
        await transactions.end(is_committed=True)
        assert await write(transactions, one, "lost") == 4  # an end takes an offset, too
        await transactions.end(is_committed=False)
        assert await write(transactions, one, "d") == 6
        await transactions.end(is_committed=True)
    kafka.wait_until(lambda: sorted(read(broker, topic)) == ["a", "b", "c", "d"])


async def test_whoever_starts_with_the_same_id_fences_the_other(broker: str, topic: str) -> None:
    place = TopicPartition(topic, 0)
    async with started(broker, topic) as zombie:
        await write(zombie, place, "zombie")
        async with started(broker, topic) as owner:
            with pytest.raises(FENCED):
                await zombie.end(is_committed=True)
            await write(owner, place, "owner")
            await owner.end(is_committed=True)
    kafka.wait_until(lambda: read(broker, topic) == ["owner"])


async def test_a_member_commits_offsets_and_one_of_an_older_generation_does_not(broker: str, topic: str) -> None:
    place = TopicPartition(topic, 0)
    async with member(broker, topic) as (consumer, first), started(broker, topic) as transactions:
        await write(transactions, place, "a")
        await transactions.join((), first.group)
        await transactions.send_offsets({place: 7}, first)
        await transactions.end(is_committed=True)
        while await consumer.committed(place) != 7:  # its end is written a moment after the answer
            await consumer.getmany(timeout_ms=10)
        async with member(broker, topic):
            while consumer._coordinator.generation == first.generation:
                await consumer.getmany(timeout_ms=50)
            await write(transactions, place, "stale")
            await transactions.join((), first.group)
            with pytest.raises(IllegalGenerationError):
                await transactions.send_offsets({place: 8}, first)
            await transactions.send_offsets({place: 9}, membership(consumer))
            with pytest.raises(UnknownMemberIdError):
                await transactions.send_offsets({place: 9}, first._replace(member="nobody"))
            await transactions.end(is_committed=False)
    kafka.wait_until(lambda: read(broker, topic) == ["a"])


async def test_a_member_may_commit_while_the_group_waits_for_others_to_join(broker: str, topic: str) -> None:
    place = TopicPartition(topic, 0)
    async with member(broker, topic) as (consumer, first), started(broker, topic) as transactions:
        joining = asyncio.create_task(_join(broker, topic))
        admin = AdminClient({"bootstrap.servers": broker})
        await asyncio.to_thread(
            kafka.wait_until, lambda: state(admin, topic) == ConsumerGroupState.PREPARING_REBALANCING
        )
        await write(transactions, place, "a")
        await transactions.join((), first.group)
        await transactions.send_offsets({place: 7}, first)
        await transactions.end(is_committed=True)
        assert consumer._coordinator.generation == first.generation
        joining.cancel()
        await asyncio.wait([joining])
    kafka.wait_until(lambda: read(broker, topic) == ["a"])


def state(admin: AdminClient, group: str) -> ConsumerGroupState:
    return admin.describe_consumer_groups([group])[group].result(10).state


async def _join(broker: str, topic: str) -> None:
    async with member(broker, topic):
        pass


async def test_the_offset_of_a_topic_that_was_deleted_is_left_out_and_the_generation_is_looked_at_all_the_same(
    broker: str, topic: str
) -> None:
    place, gone = TopicPartition(topic, 0), TopicPartition(f"{topic}-gone", 0)
    async with member(broker, topic) as (_, first), started(broker, topic) as transactions:
        await write(transactions, place, "a")
        await transactions.join((), first.group)
        with pytest.raises(UnknownMemberIdError):
            await transactions.send_offsets({place: 7, gone: 3}, first._replace(member="nobody"))
        with pytest.raises(UnknownTopicOrPartitionError):
            await transactions.send_offsets({gone: 3}, first)
        await transactions.send_offsets({place: 7, gone: 3}, first)
        await transactions.end(is_committed=True)
    kafka.wait_until(lambda: read(broker, topic) == ["a"])


async def test_the_place_of_a_named_member_is_taken_by_the_next_of_its_name(broker: str, topic: str) -> None:
    place = TopicPartition(topic, 0)
    async with (
        started(broker, topic) as transactions,
        named(broker, topic) as (_, first),
        named(broker, topic) as (_, second),
    ):
        assert second.generation == first.generation
        await write(transactions, place, "zombie")
        await transactions.join((), first.group)
        with pytest.raises(UnknownMemberIdError):
            await transactions.send_offsets({place: 7}, first)
        await transactions.send_offsets({place: 7}, second)
        await transactions.end(is_committed=False)


async def test_more_than_fits_one_request_arrives_whole_and_in_order(broker: str, topic: str) -> None:
    noise = Random(7)
    values = [[noise.randbytes(40_000).hex() for _ in range(40)] for _ in range(2)]
    async with started(broker, topic) as transactions:
        places = [TopicPartition(topic, number) for number in range(2)]
        await transactions._client.add_topic(topic)
        await transactions.join(places)
        ends = await transactions.send(dict(zip(places, (batch(*some) for some in values), strict=True)))
        await transactions.end(is_committed=True)
    assert list(ends.values()) == [40, 40]
    found = kafka.read_committed(broker, topic)
    for number, some in enumerate(values):
        assert [one.value.decode() for one in found if one.partition == number] == some


async def test_a_batch_that_is_too_large_for_its_topic_is_told_from_others(broker: str, topic: str) -> None:
    async with started(broker, topic) as transactions:
        with pytest.raises(TooLargeError) as refused:
            await write(transactions, TopicPartition(topic, 0), Random(7).randbytes(2_000_000).hex())
    assert refused.value.topic == topic


@asynccontextmanager
async def named(broker: str, topic: str) -> AsyncIterator[tuple[AIOKafkaConsumer, Membership]]:
    """A member with a name of its own, that comes back by it and leaves without a word."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker, group_id=topic, group_instance_id="name", session_timeout_ms=30_000,
        heartbeat_interval_ms=20_000,
    )  # fmt: skip
    try:
        await consumer.start()
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=50)
        yield consumer, membership(consumer)._replace(instance="name")
    finally:
        await consumer.stop()

"""A transaction whose end the broker lost somewhere is ended there as it was everywhere else."""

from collections.abc import AsyncIterator

import pytest
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import InvalidTxnState
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from streams.kafka.errors import MigratedError
from streams.kafka.limits import Limits
from streams.kafka.producer import TransactionalProducer
from streams.kafka.records import Commit
from streams.kafka.topics import ACTIVITY, COMMANDS, read_topics
from streams.settings import Settings
from tests import client

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

_VERIFIES = "transaction.partition.verification.enable"


@pytest.fixture
def changelog(settings: Settings) -> str:
    return read_topics(settings.topics_file, settings.app_id).changelog


@pytest.fixture
async def producer(settings: Settings, changelog: str) -> AsyncIterator[TransactionalProducer]:
    made = TransactionalProducer(settings, changelog, 1, Limits())
    yield made
    await made.close()


def verify(settings: Settings, value: str | None) -> None:
    """Let the broker take records for a transaction of which their partition is no part, or, with None, not."""
    operation = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
    entry = ConfigEntry(_VERIFIES, value, incremental_operation=operation)
    resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": settings.brokers})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(client.PATIENCE)


async def lose_ends(settings: Settings, changelog: str, *, commits: bool) -> None:
    """End a transaction in the changelog only: what a broker does that passes over the others in a restart."""
    verify(settings, "false")
    try:
        while not await send_past(settings, changelog, commits=commits):
            pass  # the broker verifies still
    finally:
        verify(settings, None)


async def send_past(settings: Settings, changelog: str, *, commits: bool) -> bool:
    """Send without a word to the coordinator; say whether the broker took it."""
    strays = {kafka_place(topic) for topic in (COMMANDS, ACTIVITY)}
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-1")
    await producer.start()
    try:
        await producer.begin_transaction()
        producer._txn_manager._txn_partitions |= strays
        for topic in (COMMANDS, ACTIVITY, changelog):
            await producer.send_and_wait(topic, b"first", key=b"c", partition=1)
        producer._txn_manager._txn_partitions -= strays
        await (producer.commit_transaction() if commits else producer.abort_transaction())
    except InvalidTxnState:
        return False
    finally:
        await producer.stop()
    return True


def kafka_place(topic: str) -> TopicPartition:
    return TopicPartition(topic, 1)


def committed(settings: Settings, topic: str) -> list[bytes | None]:
    return [record.value for record in client.read_committed(settings.brokers, topic)]


def second(producer: TransactionalProducer, topic: str = COMMANDS) -> Commit:
    output = producer.output(topic)
    output.add(b"c", b"second", [])
    return Commit({b"c": b"second"}, {(topic, 1): output}, {})


@pytest.mark.parametrize(("commits", "first"), [(True, [b"first"]), (False, [])])
async def test_what_the_broker_left_open_ends_as_it_did_elsewhere(
    settings: Settings, changelog: str, producer: TransactionalProducer, commits: bool, first: list[bytes]
) -> None:
    await lose_ends(settings, changelog, commits=commits)
    client.wait_until(lambda: committed(settings, changelog) == first)
    assert committed(settings, COMMANDS) == committed(settings, ACTIVITY) == []

    with structlog.testing.capture_logs() as logs:
        await producer.fence()
    await producer.commit(second(producer))

    client.wait_until(lambda: committed(settings, COMMANDS) == [*first, b"second"])
    assert committed(settings, ACTIVITY) == first
    (line,) = logs
    assert line["event"] == (
        "The broker lost the end of partition 1's last transaction in 'fairway.commands', 'fairway.activity', "
        f"where it is {'committed' if commits else 'aborted'} now, as it is everywhere else; "
        "Kafka 4.3.0 to 4.4.0 lose it in a restart (KAFKA-20734)."
    )


async def test_nothing_is_said_where_nothing_is_open(settings: Settings, producer: TransactionalProducer) -> None:
    with structlog.testing.capture_logs() as logs:
        await producer.fence()
        await producer.commit(second(producer))
        await producer.fence()
    assert logs == []


async def test_a_transaction_does_not_go_on_over_a_new_connection(
    settings: Settings, producer: TransactionalProducer
) -> None:
    await producer.fence()
    await producer.commit(second(producer))
    drop(producer, CloseReason.CONNECTION_BROKEN)
    with pytest.raises(MigratedError, match=r"^its connection to the broker broke$"):
        await producer.commit(second(producer))
    await producer.fence()
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second", b"second"])


async def test_a_connection_dropped_for_want_of_work_is_made_anew(
    settings: Settings, producer: TransactionalProducer
) -> None:
    await producer.fence()
    for _ in range(3):
        await producer.commit(second(producer))
        drop(producer, CloseReason.IDLE_DROP)
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"] * 3)


def drop(producer: TransactionalProducer, reason: CloseReason) -> None:
    """Close the connection to the coordinator, as aiokafka does for this reason."""
    client = producer._producer.client
    (connection,) = (made for (_, group), made in client._conns.items() if group == ConnectionGroup.COORDINATION)
    connection.close(reason)

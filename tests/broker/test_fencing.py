"""A partition is one worker's: whoever had it before commits nothing more, and leaves nothing open."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from random import Random

import pytest
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.conn import CloseReason
from aiokafka.errors import InvalidProducerEpoch, InvalidTxnState, KafkaError, ProducerFenced
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from streams.kafka.errors import FencedError, MigratedError
from streams.kafka.fencing import worker_id
from streams.kafka.limits import Limits
from streams.kafka.mover import Mover
from streams.kafka.producer import PartitionProducer, Producers
from streams.kafka.records import Commit
from streams.kafka.standing import Membership
from streams.kafka.topics import ACTIVITY, COMMANDS, INBOX, read_topics
from streams.settings import Settings
from tests import client

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

_VERIFIES = "transaction.partition.verification.enable"


@pytest.fixture
def changelog(settings: Settings) -> str:
    return read_topics(settings.topics_file, settings.app_id).changelog


@pytest.fixture
async def group(settings: Settings, changelog: str) -> AsyncIterator[AIOKafkaConsumer]:
    """The group's only member."""
    consumer = AIOKafkaConsumer(
        COMMANDS, bootstrap_servers=settings.brokers, group_id=settings.app_id, **client.PATIENT_MEMBER
    )
    await consumer.start()
    while not consumer.assignment():
        await consumer.getmany(timeout_ms=50)
    yield consumer
    await consumer.stop()


def make_worker(
    settings: Settings, changelog: str, group: AIOKafkaConsumer, name: str = "one", *, is_shared: bool = True
) -> Producers:
    worker = Producers(settings, changelog, Limits(), name)
    worker.standing.join(membership(settings, group, is_shared=is_shared))
    return worker


def membership(settings: Settings, group: AIOKafkaConsumer, *partitions: int, is_shared: bool = True) -> Membership:
    has, coordinator = frozenset(partitions or (0, 1)), group._coordinator
    return Membership(settings.app_id, coordinator.generation, coordinator.member_id, None, has, is_shared)


@pytest.fixture
async def worker(settings: Settings, changelog: str, group: AIOKafkaConsumer) -> AsyncIterator[Producers]:
    made = make_worker(settings, changelog, group)
    yield made
    await made.close()


@pytest.fixture
def producer(worker: Producers) -> PartitionProducer:
    return worker.make(1)


def verify(settings: Settings, value: str | None) -> None:
    """Let the broker take records for a transaction of which their partition is no part, or, with None, not."""
    operation = AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET
    entry = ConfigEntry(_VERIFIES, value, incremental_operation=operation)
    resource = ConfigResource(ResourceType.BROKER, "1", incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": settings.brokers})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(client.PATIENCE)


async def lose_ends(
    settings: Settings, changelog: str, *, commits: bool, name: str = "one",
    strays: Sequence[tuple[str, int]] = ((COMMANDS, 1), (ACTIVITY, 1)),
) -> None:  # fmt: skip
    """End a transaction in the changelog only: what a broker does that passes over the others in a restart."""
    verify(settings, "false")
    places = {TopicPartition(*stray) for stray in strays}
    try:
        while not await send_past(worker_id(settings.app_id, name), settings, changelog, places, commits=commits):
            pass  # the broker verifies still
    finally:
        verify(settings, None)


async def send_past(
    transactional_id: str, settings: Settings, changelog: str, strays: set[TopicPartition], *, commits: bool
) -> bool:
    """Send without a word to the coordinator; say whether the broker took it."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=transactional_id)
    await producer.start()
    try:
        await producer.begin_transaction()
        producer._txn_manager._txn_partitions |= strays
        for topic, partition in (*strays, (changelog, 1)):
            await producer.send_and_wait(topic, b"first", key=b"c", partition=partition)
        producer._txn_manager._txn_partitions -= strays
        await (producer.commit_transaction() if commits else producer.abort_transaction())
    except InvalidTxnState:
        return False
    finally:
        await producer.stop()
    return True


def committed(settings: Settings, topic: str) -> list[bytes | None]:
    return [record.value for record in client.read_committed(settings.brokers, topic)]


def placed(settings: Settings, topic: str) -> list[tuple[int, bytes | None]]:
    found = client.read_committed(settings.brokers, topic)
    return sorted((record.partition, record.value) for record in found)


def second(producer: PartitionProducer | Mover, topic: str = COMMANDS, partition: int = 1) -> Commit:
    output = producer.output(topic)
    output.add(b"c", b"second", [])
    return Commit({b"c": b"second"}, {(topic, partition): output}, {INBOX: 0})


@pytest.mark.parametrize(("commits", "first"), [(True, [b"first"]), (False, [])])
async def test_what_the_broker_left_open_ends_as_it_did_elsewhere(
    settings: Settings, changelog: str, producer: PartitionProducer, commits: bool, first: list[bytes]
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
        f"The broker lost the end of the last transaction of '{settings.app_id}-worker:one' in 'fairway.activity', "
        f"'fairway.commands', where it is {'committed' if commits else 'aborted'} now, as it is everywhere else; "
        "Kafka 4.3.0 to 4.4.0 lose it in a restart (KAFKA-20734)."
    )


async def test_nothing_is_said_where_nothing_is_open(settings: Settings, producer: PartitionProducer) -> None:
    with structlog.testing.capture_logs() as logs:
        await producer.fence()
        await producer.commit(second(producer))
        await producer.fence()
    assert logs == []


async def test_a_transaction_does_not_go_on_over_a_new_connection(
    settings: Settings, worker: Producers, producer: PartitionProducer
) -> None:
    await producer.fence()
    await producer.commit(second(producer))
    drop(worker, CloseReason.CONNECTION_BROKEN)
    with pytest.raises(MigratedError, match=r"^its connection to the broker broke$"):
        await producer.commit(second(producer))
    await producer.fence()
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second", b"second"])


async def test_a_connection_dropped_for_want_of_work_is_made_anew(
    settings: Settings, worker: Producers, producer: PartitionProducer
) -> None:
    await producer.fence()
    for _ in range(3):
        await producer.commit(second(producer))
        drop(worker, CloseReason.IDLE_DROP)
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"] * 3)


def drop(worker: Producers, reason: CloseReason) -> None:
    """Close the connection to the coordinator, as aiokafka does for this reason."""
    worker.shared._running.transactions._coordinator.close(reason)


async def leave_open(worker: Producers, *, has_offsets: bool) -> PartitionProducer:
    """Let a worker stop in the middle of a commit, and return its producer."""
    left = worker.make(1)
    await left.fence()
    transactions = worker.shared._running.transactions
    await transactions.join([TopicPartition(worker._changelog, 1)])
    changelog = left.output(worker._changelog)
    changelog.add(b"c", b"left", [])
    await transactions.send({TopicPartition(worker._changelog, 1): changelog.finish()})
    if has_offsets:
        await transactions.join((), worker.standing.membership.group)
        await transactions.send_offsets({TopicPartition(INBOX, 1): 0}, worker.standing.membership)
    return left


@pytest.mark.parametrize("has_offsets", [False, True])
async def test_what_a_worker_left_open_is_ended_when_its_partition_is_taken_over(
    settings: Settings, changelog: str, group: AIOKafkaConsumer, producer: PartitionProducer, has_offsets: bool
) -> None:
    gone = make_worker(settings, changelog, group, "gone")
    left = await leave_open(gone, has_offsets=has_offsets)
    await producer.fence()
    await producer.commit(second(producer))
    with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
        await gone.shared._running.transactions.end(is_committed=True)
    with pytest.raises(FencedError, match=r"^another worker ended its transaction$"):
        await left.commit(second(left))
    client.wait_until(lambda: committed(settings, changelog) == committed(settings, COMMANDS) == [b"second"])
    await gone.close()


async def test_an_end_that_was_lost_in_the_inbox_is_made_up_for_by_who_comes_after_a_worker_that_is_gone(
    settings: Settings, changelog: str, producer: PartitionProducer
) -> None:
    await lose_ends(settings, changelog, commits=True, name="gone", strays=[(INBOX, 0)])
    assert committed(settings, INBOX) == []
    await producer.fence()
    client.wait_until(lambda: committed(settings, INBOX) == [b"first"])


async def test_what_others_are_about_is_left_alone(
    settings: Settings, changelog: str, group: AIOKafkaConsumer, producer: PartitionProducer
) -> None:
    """A worker writes to the inbox, and another app to the commands."""
    beside = make_worker(settings, changelog, group, "beside")
    part = beside.make(0)
    await part.fence()
    transactions = beside.shared._running.transactions
    inbox = TopicPartition(INBOX, 0)
    await transactions.join([inbox])
    await transactions.send({inbox: second(part, INBOX, 0).outputs[INBOX, 0].finish()})
    foreign = AIOKafkaProducer(
        bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-canary-worker:one"
    )
    await foreign.start()
    await foreign.begin_transaction()
    await foreign.send_and_wait(COMMANDS, b"foreign", partition=1)
    with structlog.testing.capture_logs() as logs:
        await producer.fence()
    assert logs == []
    await transactions.end(is_committed=True)
    await foreign.commit_transaction()
    await foreign.stop()
    client.wait_until(
        lambda: (committed(settings, INBOX), committed(settings, COMMANDS)) == ([b"second"], [b"foreign"])
    )
    await beside.close()


async def test_a_worker_commits_nothing_of_a_partition_that_is_another_s(
    settings: Settings, worker: Producers, producer: PartitionProducer, group: AIOKafkaConsumer
) -> None:
    await producer.fence()
    worker.standing.join(membership(settings, group, 0))
    with pytest.raises(MigratedError, match=r"^it may have been another worker's meanwhile$"):
        await producer.commit(second(producer))
    with pytest.raises(FencedError, match=r"^the group has not given it to this worker$"):
        await producer.fence()
    worker.standing.join(membership(settings, group, 0, 1))
    with pytest.raises(MigratedError, match=r"^it may have been another worker's meanwhile$"):
        await producer.commit(second(producer))
    assert committed(settings, COMMANDS) == []
    await producer.fence()
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"])


async def test_a_worker_that_the_group_has_given_up_commits_nothing(
    settings: Settings, worker: Producers, producer: PartitionProducer, group: AIOKafkaConsumer
) -> None:
    await producer.fence()
    worker.standing.join(membership(settings, group)._replace(member="given up"))
    await producer.fence()
    with pytest.raises(FencedError, match=r"^the group has given this worker up$"):
        await producer.commit(second(producer))
    assert committed(settings, COMMANDS) == []
    worker.standing.join(membership(settings, group))
    await producer.fence()  # its transactions go on
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"])


async def test_a_commit_goes_on_by_the_next_generation_if_the_partitions_are_the_worker_s_still(
    settings: Settings, worker: Producers, producer: PartitionProducer, group: AIOKafkaConsumer
) -> None:
    now = membership(settings, group)
    worker.standing.join(now._replace(generation=now.generation - 1))
    other = worker.make(0)
    await asyncio.gather(producer.fence(), other.fence())
    committing = asyncio.create_task(producer.commit(second(producer)))
    async with asyncio.timeout(client.PATIENCE):
        while not worker.shared._busy.locked():
            await asyncio.sleep(0)
    worker.standing.join(now)
    assert await committing == 1
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"])
    worker.standing.join(now._replace(generation=now.generation - 1))
    await asyncio.gather(producer.fence(), other.fence())
    committing = asyncio.create_task(producer.commit(second(producer)))
    async with asyncio.timeout(client.PATIENCE):
        while not worker.shared._busy.locked():
            await asyncio.sleep(0)
    worker.standing.join(now._replace(partitions=frozenset({0})))
    with pytest.raises(MigratedError, match=r"^the group has moved on to its next generation$"):
        await committing
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"])


async def test_partitions_commit_together(settings: Settings, changelog: str, worker: Producers) -> None:
    one, two = worker.make(0), worker.make(1)
    await asyncio.gather(one.fence(), two.fence())
    offsets = await asyncio.gather(one.commit(second(one, partition=0)), two.commit(second(two)))
    assert offsets == [1, 1]
    client.wait_until(lambda: committed(settings, COMMANDS) == committed(settings, changelog) == [b"second"] * 2)
    assert [partition for partition, _ in placed(settings, COMMANDS)] == [0, 1]


async def test_one_partition_is_told_which_topic_takes_less_and_the_others_that_nothing_was_committed(
    settings: Settings, worker: Producers
) -> None:
    one, two = worker.make(0), worker.make(1)
    await asyncio.gather(one.fence(), two.fence())
    large = second(one, partition=0)
    large.outputs[COMMANDS, 0].add(b"c", Random(7).randbytes(2_000_000), [])
    errors = await asyncio.gather(one.commit(large), two.commit(second(two)), return_exceptions=True)
    assert sorted(type(error).__name__ for error in errors) == ["MigratedError", "TooLargeError"]
    assert committed(settings, COMMANDS) == []


@pytest.fixture
async def mover(settings: Settings, changelog: str) -> AsyncIterator[Mover]:
    made = Mover(settings, changelog, 1, Limits())
    yield made
    await made.close()


@pytest.mark.parametrize("has_offsets", [False, True])
async def test_what_a_worker_left_open_is_ended_when_its_state_is_moved(
    settings: Settings, changelog: str, group: AIOKafkaConsumer, mover: Mover, has_offsets: bool
) -> None:
    gone = make_worker(settings, changelog, group, "gone")
    left = await leave_open(gone, has_offsets=has_offsets)
    await mover.fence()
    await mover.commit(Commit({b"mark": b"moved"}, {}, {}))
    with pytest.raises(FencedError, match=r"^another worker ended its transaction$"):
        await left.commit(second(left))
    client.wait_until(lambda: committed(settings, changelog) == [b"moved"])
    await gone.close()


async def test_a_worker_that_was_stopped_commits_nothing_once_the_group_is_empty(
    settings: Settings, changelog: str, mover: Mover
) -> None:
    alone = AIOKafkaConsumer(
        COMMANDS, bootstrap_servers=settings.brokers, group_id=settings.app_id, **client.PATIENT_MEMBER
    )
    await alone.start()
    while not alone.assignment():
        await alone.getmany(timeout_ms=50)
    zombie = make_worker(settings, changelog, alone, "zombie")
    part = zombie.make(1)
    await part.fence()
    await alone.stop()  # the group has no member any more, but the worker does not know it
    await mover.fence()
    await mover.commit(Commit({b"mark": b"moved"}, {}, {}))
    with pytest.raises(FencedError, match=r"^the group has given this worker up$"):
        await part.commit(second(part))
    client.wait_until(lambda: committed(settings, changelog) == [b"moved"])
    assert committed(settings, COMMANDS) == []
    await zombie.close()


async def test_a_mover_writes_to_all_partitions_of_the_changelog_or_to_none(
    settings: Settings, changelog: str, mover: Mover
) -> None:
    await mover.fence()
    await mover.commit(second(mover, changelog, 0))
    client.wait_until(lambda: placed(settings, changelog) == [(0, b"second"), (1, b"second")])
    large = second(mover, COMMANDS, 0)
    large.outputs[COMMANDS, 0].add(b"c", Random(7).randbytes(2_000_000), [])
    with pytest.raises(MigratedError):
        await mover.commit(large)
    await mover.fence()
    assert placed(settings, changelog) == [(0, b"second"), (1, b"second")]


async def test_a_mover_that_was_stopped_writes_nothing_once_another_or_a_worker_has_the_partition(
    settings: Settings, changelog: str, producer: PartitionProducer, mover: Mover
) -> None:
    await mover.fence()
    other = Mover(settings, changelog, 1, Limits())
    await other.fence()
    with pytest.raises(FencedError, match=r"^another worker ended its transaction$"):
        await mover.commit(Commit({b"mark": b"moved"}, {}, {}))
    await producer.fence()
    with pytest.raises(FencedError, match=r"^another worker ended its transaction$"):
        await other.commit(Commit({b"mark": b"moved"}, {}, {}))
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, changelog) == [b"second"])
    await other.close()


class OldWorker:
    """A worker from before: one producer a partition, with the partition's own id, and no generation."""

    def __init__(self, settings: Settings, changelog: str) -> None:
        self.changelog = changelog
        self.producer = AIOKafkaProducer(
            bootstrap_servers=settings.brokers, transactional_id=f"{settings.app_id}-1"
        )

    async def begin(self) -> None:
        await self.producer.begin_transaction()
        for topic in (self.changelog, COMMANDS):
            await self.producer.send_and_wait(topic, b"old", key=b"c", partition=1)


@pytest.fixture
async def old(settings: Settings, changelog: str) -> AsyncIterator[OldWorker]:
    made = OldWorker(settings, changelog)
    await made.producer.start()
    yield made
    with suppress(KafkaError):
        await made.producer.stop()


@pytest.mark.parametrize("is_shared", [True, False], ids=["it has left the group", "it is in the group"])
async def test_a_worker_from_before_is_fenced_whose_partition_is_taken_over(
    settings: Settings, changelog: str, group: AIOKafkaConsumer, old: OldWorker, is_shared: bool
) -> None:
    await old.begin()
    worker = make_worker(settings, changelog, group, is_shared=is_shared)
    producer = worker.make(1)
    await producer.fence()
    with pytest.raises((ProducerFenced, InvalidProducerEpoch)):
        await old.producer.commit_transaction()
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, changelog) == committed(settings, COMMANDS) == [b"second"])
    await producer.close()
    await worker.close()


async def test_a_worker_from_before_fences_whoever_had_its_partition(
    settings: Settings, changelog: str, group: AIOKafkaConsumer
) -> None:
    worker = make_worker(settings, changelog, group, is_shared=False)
    producer, beside = worker.make(1), worker.make(0)
    await asyncio.gather(producer.fence(), beside.fence())
    await producer.commit(second(producer))
    old = OldWorker(settings, changelog)
    await old.producer.start()
    await old.begin()
    with pytest.raises(FencedError, match=r"^another worker ended its transaction$"):
        await producer.commit(second(producer))
    await beside.commit(second(beside, partition=0))
    await old.producer.commit_transaction()
    await old.producer.stop()
    values = [(0, b"second"), (1, b"old"), (1, b"second")]
    client.wait_until(lambda: placed(settings, COMMANDS) == values)
    await asyncio.gather(producer.close(), beside.close())
    await worker.close()


async def test_partitions_are_opened_anew_when_the_last_worker_from_before_is_gone(
    settings: Settings, changelog: str, group: AIOKafkaConsumer
) -> None:
    worker = make_worker(settings, changelog, group, is_shared=False)
    producer = worker.make(1)
    await producer.fence()
    await producer.commit(second(producer))
    worker.standing.join(membership(settings, group))
    with pytest.raises(MigratedError, match=r"^it may have been another worker's meanwhile$"):
        await producer.commit(second(producer))
    await producer.fence()
    await producer.commit(second(producer))
    client.wait_until(lambda: committed(settings, COMMANDS) == [b"second"] * 2)
    await worker.close()

"""The benchmarks still run: each kind of program once, over a few events."""

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from tests import client
from tests.benchmarks.contests import BY_NAME, run
from tests.benchmarks.loads import Pace, run_load
from tests.benchmarks.progress import Transactions
from tests.benchmarks.stage import Stage, staged
from tests.benchmarks.standstill import PHASES, run_standstill

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

_QUICK = Pace(calm=0, warm=1, counted=2)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A stage with a broker of its own."""
    with staged() as one:
        yield one


def test_a_workload_and_its_baseline_can_be_measured(stage: Stage) -> None:
    for name in ("bare", "b"):
        assert run(stage, BY_NAME[name], 2000).rate > 0


def test_transactions_are_counted_by_their_marks_and_offsets_without_one_are_not(stage: Stage) -> None:
    place = TopicPartition(stage.make_topic(), 0, 1)
    consumer = Consumer({"bootstrap.servers": stage.brokers, "group.id": "counted"})
    producer = Producer({"bootstrap.servers": stage.brokers, "transactional.id": "counted"})
    producer.init_transactions(client.PATIENCE)
    consumer.commit(offsets=[place], asynchronous=False)  # the topic of offsets is there
    transactions = Transactions(stage.brokers)
    for _ in range(3):
        producer.begin_transaction()
        producer.send_offsets_to_transaction([place], consumer.consumer_group_metadata(), client.PATIENCE)
        producer.commit_transaction(client.PATIENCE)
    client.await_marks(stage.brokers, "counted")
    consumer.commit(offsets=[place], asynchronous=False)
    assert transactions.count() == 3


def test_a_small_load_costs_processor_time_and_transactions(stage: Stage) -> None:
    found = run_load(stage, 300, _QUICK)
    assert 0 < found.middle <= found.late
    assert 0 < found.commits <= 300  # none is without an event
    assert min(found.programs, found.broker) > 0


@pytest.mark.database
def test_when_a_worker_comes_some_partitions_move_and_the_others_stay(stage: Stage) -> None:
    [found] = run_standstill(stage, _QUICK, [phase for phase in PHASES if phase.name == "a worker added"], 1)
    assert (found.moved, found.stayed) == (4, 4)
    assert min(found.worst_moved, found.worst_stayed) > 0

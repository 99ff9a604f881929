"""While the group agrees anew everyone works on with what they have, and who leaves is gone at once."""

import signal

import pytest
from confluent_kafka import ConsumerGroupState

from streams.settings import Settings
from tests import client
from tests.broker.workers import Group, Worker, events, expected, journey, publish, running, wait_for_commands

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

# The group waits for a member as long as the most patient one says: so long that a busy machine sees it wait.
_PATIENT = (
    "from aiokafka.consumer.group_coordinator import GroupCoordinator\n"
    "GroupCoordinator._rebalance_timeout_ms = property(lambda _: 180_000, lambda *_: None)"
)
# It tells the group that it lives, and does not hear that others wait for it.
_DEAF = f"{_PATIENT}\nGroupCoordinator.request_rejoin = lambda self: None"


def test_partitions_go_on_while_the_group_waits_for_a_member_and_one_that_leaves_does_not_wait(
    settings: Settings,
) -> None:
    group = Group(settings)
    publish(settings, journey())
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(200), 50))
        wait_for_commands(settings, expected(200, 50))
        workers.append(Worker(settings, "deaf", _DEAF))
        client.wait_until(lambda: group.is_stable(2))
        workers.append(Worker(settings, "third"))
        client.wait_until(lambda: group.stands() == (ConsumerGroupState.PREPARING_REBALANCING, 3))
        client.produce(settings.brokers, events(range(200, 400), 50))
        wait_for_commands(settings, expected(400, 50))
        assert workers[0].end(signal.SIGTERM) == 0
        assert group.stands() == (ConsumerGroupState.PREPARING_REBALANCING, 2)


# So aiokafka takes a worker for idle to which nothing has come for a second, rather than for a quarter of an hour;
# without Postgres the history would be read again and again.
_SOON_IDLE = """
from aiokafka.consumer.group_coordinator import GroupCoordinator
from streams.history.reader import HistoryReader

GroupCoordinator._max_poll_interval = property(lambda _: 1.0, lambda *_: None)
HistoryReader.wants = lambda *_: False
"""


def test_a_worker_to_which_nothing_comes_stays_in_the_group_and_does_what_is_due(settings: Settings) -> None:
    group = Group(settings)
    publish(settings, journey(wait="5 seconds"))
    with running(settings, patch=_SOON_IDLE):
        client.produce(settings.brokers, events(range(10), 10))
        wait_for_commands(settings, expected(10, 10))
        assert group.is_stable(1)

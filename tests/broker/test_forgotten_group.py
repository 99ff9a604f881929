"""A group that Kafka has forgotten begins at its first generation again, and the workers go on in it.

That happens by itself: of three brokers of Kafka 4.2 that were killed together, the group's coordinator once took
its part of __consumer_offsets for empty. Fetches of a "later" generation were waited for then, without a word.
"""

import signal

import pytest
from confluent_kafka import ConsumerGroupState

from streams.settings import Settings
from tests import client
from tests.broker.workers import Group, Worker, events, expected, journey, publish, running, wait_for_commands

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def test_workers_go_on_in_a_group_that_was_forgotten(settings: Settings) -> None:
    group = Group(settings)
    publish(settings, journey())
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(200), 50))
        wait_for_commands(settings, expected(200, 50))
        workers.append(Worker(settings, "second"))
        client.wait_until(lambda: group.is_stable(2))
        assert workers[1].end(signal.SIGTERM) == 0  # the first has its partitions of a later generation now
        client.produce(settings.brokers, events(range(200, 400), 50))
        wait_for_commands(settings, expected(400, 50))
        workers[0].process.send_signal(signal.SIGSTOP)
        client.wait_until(lambda: group.stands() == (ConsumerGroupState.EMPTY, 0))
        group.delete()
        workers[0].process.send_signal(signal.SIGCONT)
        client.produce(settings.brokers, events(range(400, 600), 50))
        wait_for_commands(settings, expected(600, 50))
        assert workers[0].end(signal.SIGTERM) == 0

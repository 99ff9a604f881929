"""A topic that is deleted while a worker runs holds up no other; one made anew is read from its beginning."""

import signal
from time import monotonic

import pytest

from streams.kafka.topics import DEAD_LETTERS
from streams.settings import Settings
from tests import client
from tests.broker.workers import events, expected, journey, publish, running, wait_for_commands
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
GONE = "payment.failed"


def bad(brokers: str, count: int) -> None:
    client.produce(brokers, [Record(GONE, None, b"none", partition=number % 4) for number in range(count)])


def letters(settings: Settings) -> int:
    return len(client.read_committed(settings.brokers, DEAD_LETTERS))


def test_a_deleted_topic_holds_up_no_other_and_its_successor_is_read_whole(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as (worker,):
        bad(settings.brokers, 40)
        client.produce(settings.brokers, events(range(100), 20))
        wait_for_commands(settings, expected(100, 20))
        client.wait_until(lambda: letters(settings) == 40)
        client.delete_topics(settings.brokers, [GONE])
        deleted, number = monotonic(), 100
        while monotonic() < deleted + 10:  # until offsets were to be committed several times
            number += 20
            client.produce(settings.brokers, events(range(number - 20, number), 20))
            wait_for_commands(settings, expected(number, 20), patience=client.PATIENCE / 2)
        assert "was lost" not in worker.log.read_text()
        client.create_topics(settings.brokers, {GONE: 4})
        bad(settings.brokers, 20)
        assert worker.end(signal.SIGTERM) == 0
    with running(settings) as (worker,):
        client.wait_until(lambda: letters(settings) == 60)
        assert f"'{GONE}' was made anew" in worker.log.read_text()

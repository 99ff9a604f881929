"""Topics that are given more partitions under load: whatever lies where, each event counts once."""

import asyncio
import signal

import pytest

from models.ids import customer_key
from streams.kafka import provision
from streams.kafka.clients import admin
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import INBOX
from streams.settings import Settings
from tests import client
from tests.broker.workers import (
    TENANT,
    TOPIC,
    ask_every,
    events,
    expected,
    journey,
    publish,
    running,
    wait_for_commands,
)

pytestmark = [pytest.mark.broker, pytest.mark.timeout(480)]

_CUSTOMERS = 40


def produce(settings: Settings, numbers: range, partitions: int) -> None:
    """Write events to so many partitions, every fourth to one that is not its key's."""
    records = []
    for number, record in zip(numbers, events(numbers, _CUSTOMERS), strict=True):
        own = partition_of(customer_key(TENANT, f"c-{number % _CUSTOMERS}"), partitions)
        records.append(record._replace(partition=(own + (number % 4 == 0)) % partitions))
    client.produce(settings.brokers, records)


async def grow(settings: Settings, counts: dict[str, int]) -> None:
    async with admin(settings) as asking:
        await provision.grow(asking, counts)


def test_workers_read_further_partitions_within_a_minute_and_one_that_is_killed_loses_none(
    settings: Settings,
) -> None:
    publish(settings, journey())
    produce(settings, range(400), 4)
    with running(settings, 2, patch=ask_every(5)) as workers:
        wait_for_commands(settings, expected(400, _CUSTOMERS), 2 * client.PATIENCE)
        asyncio.run(grow(settings, {TOPIC: 10, INBOX: 6}))
        produce(settings, range(400, 1200), 10)
        wait_for_commands(settings, expected(1200, _CUSTOMERS), 2 * client.PATIENCE)
        workers[0].end(signal.SIGKILL)
        produce(settings, range(1200, 2000), 10)
        wait_for_commands(settings, expected(2000, _CUSTOMERS), 2 * client.PATIENCE)
        assert workers[1].process.poll() is None
    with running(settings) as (again,):
        produce(settings, range(2000, 2400), 10)
        wait_for_commands(settings, expected(2400, _CUSTOMERS), 2 * client.PATIENCE)
        assert again.end(signal.SIGTERM) == 0
        assert "Records are gone" not in again.log.read_text()

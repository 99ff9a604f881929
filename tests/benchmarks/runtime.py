"""The runtime alone: Fairway's worker with an engine that updates one row and emits one command; see bare.py."""

import asyncio
import signal
from collections.abc import Callable
from datetime import datetime

import uvloop

from models.customer import Customer
from models.ids import CustomerKey
from models.journey import JourneyStatus
from streams.engine.effects import Outcome
from streams.engine.inputs import Arrived, CustomerInput
from streams.engine.journeys import Journeys
from streams.kafka.topics import read_topics
from streams.partition.processor import Advance
from streams.settings import read_settings
from streams.worker.worker import Worker
from tests.benchmarks.workloads import SENDING
from tests.small import command


def count(customer: Customer | None, key: CustomerKey, given: CustomerInput, now: datetime, _: Journeys) -> Outcome:
    """Count an event in the customer's profile, and emit a command."""
    assert isinstance(given, Arrived)
    event_id = given.event.event_id
    number = customer.profile["n"] + 1 if customer else 1
    after = Customer(key.tenant_id, key.customer_id, {"n": number, "last": event_id})
    return Outcome(after, (command(event_id, key.tenant_id, key.customer_id),))


class Wanted:
    """Definitions that stand still: one journey, so that the events are looked at."""

    changed: Callable[[Journeys], None]
    journeys = Journeys().with_version(SENDING).with_status(SENDING.id, JourneyStatus.ACTIVE, 1)

    async def start(self) -> "asyncio.Task[None]":
        """Have nothing to read."""
        return asyncio.create_task(asyncio.sleep(0))

    async def stop(self) -> None:
        """Have nothing to stop."""


class Runtime(Worker):
    """A worker whose tasks count."""

    def decide(self) -> Advance:
        """Count."""
        return count


async def main() -> None:
    settings = read_settings()
    topics = read_topics(settings.topics_file, settings.app_id)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    worker = Runtime(settings, topics, Wanted())
    await worker.run(stop)


uvloop.run(main())

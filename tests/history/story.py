"""Activity with everything that numbers can get wrong: loops, splits, merges, duplicates, failures, erasure."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from models.customer import Customer
from models.journey import Journey
from models.messages import Event
from streams.database import upgrade
from streams.history.projector import Projector
from streams.journeys.authoring import Author, apply
from streams.kafka.topics import ACTIVITY
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Line, Simulation
from tests.history.activity import Message

START = datetime(2026, 11, 1, tzinfo=UTC)
TENANT, TRIGGER = "pinehurst", "teetime.booked"
CUSTOMERS, ROUNDS = 24, 12


def _make(name: str, *steps: dict[str, Any], **settings: Any) -> Journey:
    whole = {"tenantId": TENANT, "name": name, "triggerType": TRIGGER, "status": "ACTIVE"}
    return Journey.model_validate(whole | {"steps": [{"id": "start", "type": "TRIGGER"}, *steps]} | settings)


def _update(id_: str, field: str) -> dict[str, Any]:
    return {"id": id_, "type": "UPDATE", "config": {"field": field, "operation": "increment"}}


ROUND = _make(
    "Rounds",
    {"id": "tone", "type": "SPLIT",
     "config": {"variants": [{"name": "warm"}, {"name": "brisk", "nextStepId": "brisk"}]}},
    {"id": "warm", "type": "SEND", "nextStepId": "day", "config": {"channel": "EMAIL", "templateId": "warm"}},
    {"id": "brisk", "type": "SEND", "config": {"channel": "SMS", "templateId": "brisk"}},
    {"id": "day", "type": "WAIT", "config": {"duration": "1 day"}},
    _update("count", "rounds"),
    {"id": "again", "type": "CONDITION", "nextStepYesId": "tone", "nextStepNoId": "bye",
     "config": {"rules": [{"field": "enrollment.visits.day", "operator": "lessThan", "value": ROUNDS}]}},
    {"id": "bye", "type": "SEND", "config": {"channel": "PUSH", "templateId": "evaluatedRules"}},
    {"id": "end", "type": "END"},
    allowReentry=True, reentryAfter="30 days",
)  # fmt: skip
FAIL = _make("Stumbles", _update("stumble", "name"), {"id": "end", "type": "END"})
ONCE = _make(
    "Only once", {"id": "far", "type": "WAIT", "config": {"duration": "900 weeks"}}, enrollmentKey="booking"
)
JOURNEYS = (ROUND, FAIL, ONCE)


def story() -> tuple[Message, ...]:
    """Return the activity of some customers over a month, in order."""
    return _play()[0]


def customers() -> dict[bytes, Customer]:
    """Return the customers as they stand at its end, by key."""
    return _play()[1]


@cache
def _play() -> tuple[tuple[Message, ...], dict[bytes, Customer]]:
    lines = [Line(event.occurred_at, number, event) for number, event in enumerate(_events())]
    simulation = Simulation(load_journeys(JOURNEYS), [])
    outputs = simulation.run(lines, until=START + timedelta(days=40))
    values = [msgspec.json.encode(output.value) for output in outputs if output.topic == ACTIVITY]
    return tuple(Message(offset, value) for offset, value in enumerate(values)), simulation.customers


async def tell(engine: AsyncEngine, url: str) -> None:
    """Write its history in small batches with much of it given twice, and once more after a rebuild."""
    await upgrade(engine)
    async with engine.begin() as connection:
        for journey in JOURNEYS:
            await apply(connection, journey, Author("ann", START))
    projector, messages = Projector.connect(url), story()
    await projector.project(0, messages[:200], 0, 200)
    await projector.rebuild()
    for place in range(0, len(messages), 23):
        again = messages[max(0, place - 40) : place + 23]
        await projector.project(0, again, again[0].offset, again[-1].offset + 1)
    await projector.close()


def _events() -> Iterator[Event]:
    for number in range(CUSTOMERS):
        customer, at = f"c-{number}", START + timedelta(hours=number)
        data = {"booking": f"b-{number % 3}", "name": "Ann", "evaluatedRules": [True], "variant": "warm"}
        yield Event(f"p-{number}", TENANT, customer, at, "customer.updated", None, {"name": "Ann"})
        booked = Event(f"b-{number}", TENANT, customer, at, TRIGGER, None, data)
        yield booked
        if number % 4 == 0:
            yield booked  # the same event once more
        again = at + timedelta(days=3 if number % 2 else 35)
        yield Event(f"a-{number}", TENANT, customer, again, TRIGGER, None, data | {"booking": f"b-{number % 5}"})
    for number in range(0, CUSTOMERS, 6):
        channel = {"channel": "email"} if number % 12 else {}
        at = START + timedelta(days=5, hours=number)
        yield Event(f"u-{number}", TENANT, f"c-{number}", at, "customer.unsubscribed", None, channel)
    at = START + timedelta(days=8)
    yield Event("m-1", TENANT, "c-1", at, "customer.merged", None, {"fromCustomerId": "c-2"})
    yield Event("d-1", TENANT, "c-3", at + timedelta(days=1), "customer.deleted", None, {})

"""The workloads: the events that go in, and the journeys that they meet."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from math import gcd
from typing import Any

import msgspec

from models.customer import Customer, EntryHistory, encode
from models.ids import customer_key
from models.journey import Journey

Event = tuple[bytes, bytes]
"""Key and value of a record."""

TRIGGER_TYPE = "teetime.booked"
HEARD_TYPE, HEARD_KEY = "teetime.completed", "t-1"
_CONDITIONS = [
    {"field": "membershipTier", "operator": "in", "value": ["Gold", "Platinum"]},
    {"field": "players", "operator": "greaterThan", "value": 2},
    {"field": "customer.age", "operator": "isNull"},
]
_SEND = {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}}
_WAIT = {"type": "WAIT", "config": {"duration": "20000 hours"}}  # longer than the events are old


def make_events(
    count: int,
    tenants: int = 1,
    wanted_each: int = 1,
    start: int = 0,
    customer_of: Callable[[int], int] = int,
    type_: str = TRIGGER_TYPE,
    **data: Any,
) -> Iterator[Event]:
    """Yield events of 250 bytes, each of another customer; of them one in `wanted_each` is of the type."""
    encode = msgspec.json.Encoder().encode
    common = {"membershipTier": "Gold", "teeTime": "2026-11-25T09:00:00Z", "players": 4} | data
    for number in range(start, start + count):
        tenant, customer = f"t{number // wanted_each % tenants}", f"c{customer_of(number)}"
        value = {
            "eventId": f"e{number}", "tenantId": tenant, "clubId": "north", "customerId": customer,
            "eventType": type_ if number % wanted_each == 0 else "email.opened",
            "occurredAt": "2026-01-05T10:00:00Z",
            "data": common | {"seq": number},
        }  # fmt: skip
        yield f"{tenant}:{customer}".encode(), encode(value)


def make_heard(count: int, start: int, every: int) -> Iterator[Event]:
    """Yield events of a type that LISTENING listens for, each of another customer; one in `every` has its key."""
    heard, other = (
        make_events(count, start=start, customer_of=lambda n: n - start, type_=HEARD_TYPE, teeTimeId=key)
        for key in (HEARD_KEY, "t-2")
    )
    for number, (right, wrong) in enumerate(zip(heard, other, strict=True)):
        yield wrong if number % every else right


def make_rows(count: int) -> Iterator[Event]:
    """Yield rows of customers of tenant t0 who have been in a journey before, 350 bytes each."""
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(count):
        customer = f"c{number}"
        history = {SENDING.id: {"": EntryHistory(1, began)}}
        row = Customer("t0", customer, {"firstName": "Ann", "tier": "Gold"}, {}, {}, history, bytes(80), 10)
        yield customer_key("t0", customer), encode(row)


def make_events_for(customers: int) -> Callable[[int], Iterator[Event]]:
    """Return what makes events for as many customers, in no order that a store would like."""
    step = customers // 2 + 1
    while gcd(step, customers) > 1:  # so that no customer comes twice before all have come
        step += 1
    return lambda count: make_events(count, customer_of=lambda number: number * step % customers)


def make_journey(name: str, *steps: dict[str, Any], **settings: Any) -> Journey:
    """Return a journey of tenant t0 that tee times trigger."""
    whole = {"tenantId": "t0", "name": name, "triggerType": TRIGGER_TYPE, "allowReentry": True}
    return Journey.model_validate(whole | {"steps": [{"type": "TRIGGER"}, *steps, {"type": "END"}]} | settings)


UNWANTED = make_journey("Unwanted", _SEND, triggerType="payment.failed")
SENDING = make_journey("Sending", _SEND, triggerConfig={"conditions": _CONDITIONS})
ENTERING = make_journey("Entering", _SEND, _WAIT, triggerConfig={"conditions": _CONDITIONS[:1]})
WHOLE = make_journey(
    "Whole",
    {"type": "CONDITION", "config": {"rules": _CONDITIONS}},
    {"type": "SPLIT", "config": {"variants": [{"name": "A", "weight": 1}, {"name": "B", "weight": 1}]}},
    _SEND,
    {"type": "WAIT", "config": {"duration": "1 minute"}},
    {"type": "UPDATE", "config": {"updates": [{"field": "visits", "operation": "increment", "value": 1}]}},
    _SEND,
)
STEPS_OF_WHOLE = 8  # trigger and end included
WAITING = make_journey("Waiting", {"type": "WAIT", "config": {"until": {"field": "trigger.remindAt"}}}, _SEND)

LISTENING = make_journey(
    "Listening",
    {"type": "WAIT", "config": {"events": [{"eventType": HEARD_TYPE}], "duration": "20000 hours"}},
    _SEND,
    enrollmentKey="trigger.teeTimeId",
)


def make_many(count: int, tenants: int) -> list[Journey]:
    """Return journeys of several tenants; the first of each is triggered, the others never are."""
    return [
        make_journey(
            f"Journey {number}",
            _SEND,
            tenantId=f"t{number % tenants}",
            triggerConfig={"conditions": _CONDITIONS},
            triggerType=TRIGGER_TYPE if number < tenants else f"other.{number}",
        )
        for number in range(count)
    ]

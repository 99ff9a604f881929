"""Journeys and events whose outcome does not depend on timing: what the engine makes of them is known beforehand.

Entries are once-only, by key, or without a wait; conditions ask the trigger alone, which follows from customer
and key; updates commute. So any order of arrival gives the same ids, and the same rows up to times. Journeys that
listen have a topic of their own, which keeps their events in order (see stories).
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import yaml

from models.ids import customer_key
from models.journey import Journey
from models.messages import Event
from streams.kafka.partitioner import partition_of
from tests.client import Record
from tests.faults import stories
from tests.faults.poison import POISON
from tests.faults.stories import Scene, Stories

TENANTS = ("pinehurst", "augusta", "carnoustie")
TYPES = (
    "scl.member.created", "teetime.booked", "payment.failed", "engagement.dropped", "teetime.completed",
    "customer.updated",
)  # fmt: skip
FOREIGN = b"some other key"
_WEIGHTS = (20, 35, 20, 10, 10, 5)

_JOURNEYS = """
- name: Welcome
  triggerType: scl.member.created
  steps:
    - {id: start, type: TRIGGER, config: {eventType: scl.member.created, conditions: []}}
    - {id: hello, type: SEND, config: {channel: EMAIL, templateId: hello}}
    - id: draw
      type: SPLIT
      config: {variants: [{name: A, weight: 50, nextStepId: short}, {name: B, weight: 50, nextStepId: long}]}
    - {id: short, type: WAIT, config: {duration: 1 second}, nextStepId: tips}
    - {id: long, type: WAIT, config: {duration: 5 seconds}}
    - {id: tips, type: SEND, config: {channel: EMAIL, templateId: tips}}
    - {id: end, type: END, config: {}}
- name: Reminder
  triggerType: teetime.booked
  enrollmentKey: trigger.teeTimeId
  steps:
    - {id: start, type: TRIGGER, config: {eventType: teetime.booked, conditions: []}}
    - id: is-gold
      type: CONDITION
      config: {rules: [{field: trigger.tier, operator: in, value: [Gold, Platinum]}]}
      nextStepYesId: thank
      nextStepNoId: count
    - {id: thank, type: SEND, config: {channel: SMS, templateId: thank}}
    - {id: count, type: UPDATE, config: {updates: [{field: bookings, operation: increment, value: 1}]}}
    - {id: wait, type: WAIT, config: {duration: 2 seconds}}
    - {id: remind, type: SEND, config: {channel: EMAIL, templateId: remind}}
    - {id: end, type: END, config: {}}
- name: Recovery
  triggerType: payment.failed
  allowReentry: true
  steps:
    - {id: start, type: TRIGGER, config: {eventType: payment.failed, conditions: []}}
    - {id: ask, type: SEND, config: {channel: EMAIL, templateId: ask}}
    - {id: count, type: UPDATE, config: {updates: [{field: failures, operation: increment, value: 1}]}}
    - {id: end, type: END, config: {}}
- name: Win back
  triggerType: engagement.dropped
  maxEnrollments: 1000000
  steps:
    - {id: start, type: TRIGGER, config: {eventType: engagement.dropped, conditions: []}}
    - {id: wait, type: WAIT, config: {duration: 1 second}}
    - {id: offer, type: SEND, config: {channel: PUSH, templateId: offer}}
    - {id: end, type: END, config: {}}
- name: Feedback
  triggerType: teetime.completed
  enrollmentKey: trigger.teeTimeId
  triggerConfig: {conditions: [{field: players, operator: greaterThan, value: 1}]}
  steps:
    - {id: start, type: TRIGGER, config: {eventType: teetime.completed, conditions: []}}
    - {id: ask, type: SEND, config: {channel: EMAIL, templateId: ask}}
    - {id: wait, type: WAIT, config: {duration: 30 days}}
    - {id: again, type: SEND, config: {channel: EMAIL, templateId: again}}
    - {id: end, type: END, config: {}}
"""


class Sent(NamedTuple):
    """A record for the broker, the event in it, None where it is poison, and when it was to be written."""

    record: Record
    event: Event | None
    at: datetime
    scene: Scene | None = None


def journeys() -> list[Journey]:
    authored = yaml.safe_load(_JOURNEYS) + yaml.safe_load(stories.JOURNEYS)
    return [Journey.model_validate(given | {"tenantId": tenant}) for tenant in TENANTS for given in authored]


def events(seed: int, count: int, customers: int, partitions: int, start: datetime, rate: float) -> Iterator[Sent]:
    """Yield `count` records as a producer with `rate` a second writes them from `start` on.

    Of these 1 % are poison, 3 % come by a foreign partition, 5 % repeat an event of before, and occurredAt goes
    back and forth by up to a minute. A third tells stories of a quarter of the customers.
    """
    chance, told = random.Random(seed), Stories(customers // 4)
    past: list[Sent] = []
    for number in range(count):
        at = start + timedelta(seconds=number / rate)
        if chance.random() < 0.01:
            yield Sent(_poison(number, chance, partitions), None, at)
        elif past and chance.random() < 0.05:
            yield _repeat(chance.choice(past), chance, partitions, at)
        else:
            sent = _tell(number, chance, told, partitions, at) if chance.random() < 0.35 else None
            if sent is None:
                event = _event(number, chance, customers, at)
                sent = Sent(_record(event, chance, partitions), event, at)
            past.append(sent)
            del past[:-2000]
            yield sent


def _repeat(sent: Sent, chance: random.Random, partitions: int, at: datetime) -> Sent:
    """Write an event again; one of a story by the partition by which it came, which keeps the order."""
    assert sent.event is not None
    return Sent(sent.record if sent.scene else _record(sent.event, chance, partitions), sent.event, at)


def _tell(number: int, chance: random.Random, told: Stories, partitions: int, at: datetime) -> Sent | None:
    """Return what comes next of a story; the stories of some customers come by a foreign partition throughout."""
    found = told.next(chance, at)
    if found is None:
        return None
    scene, occurred_at = found
    event = stories.make_event(number, scene, TENANTS[scene.customer % 3], occurred_at)
    key = customer_key(event.tenant_id, event.customer_id)
    partition = partition_of(key, partitions)
    if scene.customer % 30 == 0:
        partition, key = (partition + 1) % partitions, FOREIGN
    return Sent(Record(stories.TOPIC, key, _encode(event), (), partition), event, at, scene)


def _event(number: int, chance: random.Random, customers: int, at: datetime) -> Event:
    customer = chance.randrange(customers)
    type_ = chance.choices(TYPES, _WEIGHTS)[0]
    at -= timedelta(seconds=chance.choice((0, 0, 0, 1, 3, 60)))
    data = _data(type_, customer, chance.randrange(6))
    return Event(f"e-{number}", TENANTS[customer % 3], f"c-{customer}", at, type_, data=data)


def _data(type_: str, customer: int, slot: int) -> dict[str, Any]:
    """Return data that follows from the customer and the slot, so that it is the same for the same key."""
    match type_:
        case "teetime.booked" | "teetime.completed":
            return {"teeTimeId": f"t-{slot}", "tier": ("Gold", "Silver")[(customer + slot) % 2], "players": slot}
        case "scl.member.created":
            return {"city": f"city-{customer % 100}"}
        case "customer.updated":
            return {"handicap": customer % 36}
        case _:
            return {}


def _record(event: Event, chance: random.Random, partitions: int) -> Record:
    key = customer_key(event.tenant_id, event.customer_id)
    partition = partition_of(key, partitions)
    if chance.random() < 0.03:
        partition, key = chance.randrange(partitions), FOREIGN
    return Record(event.event_type, key, _encode(event), (), partition)


def _encode(event: Event) -> bytes:
    return msgspec.json.encode({
        "eventId": event.event_id, "eventType": event.event_type, "tenantId": event.tenant_id,
        "customerId": event.customer_id, "occurredAt": event.occurred_at, "data": event.data,
    })  # fmt: skip


def _poison(number: int, chance: random.Random, partitions: int) -> Record:
    value = POISON[number % len(POISON)]
    headers = (("poison", str(number).encode()), ("poison", b"\xff\x00"))
    return Record(chance.choice(TYPES), chance.choice((None, b"\xff\xfe", b"k")), value, headers,
                  chance.randrange(partitions))  # fmt: skip


def now() -> datetime:
    return datetime.now(UTC)

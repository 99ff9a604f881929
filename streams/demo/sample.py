"""Sample events: two weeks of 200 members of a golf club, told in some seconds, with 1 % that nobody can use."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from models.ids import customer_key

TENANT = "pinehurst"
CUSTOMERS = 200
_TIERS = ("Gold", "Silver", "Platinum", "Bronze", "Junior")


class Sample(NamedTuple):
    """One record to be published `after` seconds from the start; `event_id` is empty for what is unusable."""

    after: float
    topic: str
    key: bytes
    value: bytes
    event_id: str = ""


def make_sample(run: str, start: datetime) -> list[Sample]:
    """Return the records in order of time, the same for the same run and start; `run` makes all ids new."""
    good = [sample for number in range(CUSTOMERS) for sample in _live(run, number, start)]
    return sorted([*good, *_spoil(run, round(len(good) * 0.01))], key=lambda sample: sample.after)


def customer_of(run: str, number: int) -> str:
    """Return the id of the n-th customer of a run."""
    return f"{run}-{number:03}"


def _live(run: str, number: int, start: datetime) -> Iterator[Sample]:
    """What one member does, spread so that all members are busy for about 10 seconds."""

    def event(after: float, topic: str, data: dict[str, Any]) -> Sample:
        return _event(run, number, after, topic, start, data)

    joined, tier = number * 0.02, _TIERS[number % 5]
    name = {"firstName": f"Member {number}", "membershipTier": tier}
    yield event(joined, "scl.member.created", name)
    if number % 50 == 7:  # a producer that says everything twice
        yield event(joined + 1, "scl.member.created", name)
    if number % 3:
        yield event(joined + 2, "email.opened", {"campaign": "welcome"})
    if number % 9 == 4:
        yield event(joined + 1, "engagement.dropped", {"rounds": number % 3})
    if number % 2 == 0:
        yield from _play(run, number, joined + 3, tier, start)
    if number % 7 == 3:
        yield event(joined + 4, "payment.failed", {"invoice": f"i-{number}", "amount": 120})
    if number % 14 == 3:
        yield event(joined + 7, "payment.succeeded", {"invoice": f"i-{number}", "amount": 120})


def _play(run: str, number: int, booked: float, tier: str, start: datetime) -> Iterator[Sample]:
    """A tee time from its booking on: one in ten is cancelled, one in ten moved, and not everybody comes."""

    def event(after: float, topic: str, **data: Any) -> Sample:
        return _event(run, number, after, topic, start, {"teeTimeId": f"t-{number}", **data})

    plays = booked + 6 + number % 5
    at = start + timedelta(seconds=plays)
    yield event(booked, "teetime.booked", membershipTier=tier, teeTime=at, course="old", players=1 + number % 4)
    if number % 20 == 2:
        plays += 3
        at = start + timedelta(seconds=plays)
        yield event(booked + 1.5, "teetime.rescheduled", teeTime=at, course="new")
    if number % 20 == 0:
        yield event(booked + 2, "teetime.cancelled", reason="rain")
    elif number % 20 != 12:
        yield event(plays + 1, "teetime.completed", score=70 + number % 30)


def _event(run: str, number: int, after: float, topic: str, start: datetime, data: dict[str, Any]) -> Sample:
    customer = customer_of(run, number)
    envelope = {
        "eventId": f"{customer}-{topic}",
        "eventType": topic,
        "tenantId": TENANT,
        "clubId": "north" if number % 2 else "south",
        "customerId": customer,
        "occurredAt": start + timedelta(seconds=after),
        "data": data,
    }
    value = msgspec.json.encode(envelope)
    return Sample(after, topic, customer_key(TENANT, customer), value, str(envelope["eventId"]))


def _spoil(run: str, count: int) -> Iterator[Sample]:
    """What producers get wrong: no JSON, no text, no customer, far too deep, no number."""
    kinds = (b"{", b"\xff\xfe", b'{"eventId": "x"}', b"[" * 100 + b"]" * 100, b'{"eventId": NaN}')
    for number in range(count):
        key = customer_key(TENANT, customer_of(run, number))
        yield Sample(number * 1.5, "teetime.booked", key, kinds[number % len(kinds)])

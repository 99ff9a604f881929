"""Activity as the engine writes it: the example journeys run on a virtual clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from models.journey import Journey
from models.messages import Event
from streams.journeys.files import read_journeys
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Line, Simulation

START = datetime(2026, 11, 1, tzinfo=UTC)
TYPES = ("scl.member.created", "teetime.booked", "payment.failed", "email.opened", "customer.updated")
LATER: dict[str, tuple[dict[str, float], ...]] = {
    "teetime.booked": (
        {"teetime.completed": 3.5},
        {"teetime.rescheduled": 1, "teetime.completed": 5.5},
        {"teetime.rescheduled": 1, "teetime.cancelled": 2},
    ),
    "payment.failed": ({"payment.succeeded": 1}, {}),
    "email.opened": ({"engagement.dropped": 1}, {"engagement.dropped": 1, "teetime.booked": 3}),
}
"""What follows an event after so many days, one way or the other."""


class Message(NamedTuple):
    offset: int
    value: bytes | None
    timestamp: int = 0
    key: bytes | None = None


@cache
def journeys() -> tuple[Journey, ...]:
    return tuple(read_journeys([Path("examples/journeys")]))


@cache
def activity(customers: int = 40, erased: int = 3) -> tuple[Message, ...]:
    """Activity of so many customers, in order; some unsubscribe, and the first few are erased in the end."""
    lines = [Line(event.occurred_at, number, event) for number, event in enumerate(_events(customers, erased))]
    outputs = Simulation(load_journeys(journeys()), []).run(lines)
    values = [msgspec.json.encode(output.value) for output in outputs if output.topic == "fairway.activity"]
    return tuple(Message(offset, value) for offset, value in enumerate(values))


def _events(customers: int, erased: int) -> Iterator[Event]:
    for number in range(customers * len(TYPES)):
        at = START + timedelta(hours=number)
        data = {
            "membershipTier": ("Gold", "Silver", "Platinum")[number % 3], "teeTimeId": f"t{number}",
            "campaign": "welcome", "teeTime": (at + timedelta(days=3)).isoformat(),
            "players": 4, "firstName": f"Ann {number}", "invoice": f"i{number}",
        }  # fmt: skip
        customer, kind = f"c-{number % customers}", TYPES[(number // customers + number) % len(TYPES)]
        yield Event(f"e-{number}", "pinehurst", customer, at, kind, "north", data)
        ways = LATER.get(kind, ({},))
        for name, days in ways[number % len(ways)].items():
            moved = data | {"teeTime": (at + timedelta(days=5)).isoformat(), "score": 80}
            later = at + timedelta(days=days)
            yield Event(f"{name}-{number}", "pinehurst", customer, later, name, "north", moved)
    for number in range(customers // 10):
        at = START + timedelta(days=40, hours=number)
        yield Event(f"u-{number}", "pinehurst", f"c-{number * 10}", at, "customer.unsubscribed", None, {})
    for number in range(erased):
        at = START + timedelta(days=50, hours=number)
        yield Event(f"d-{number}", "pinehurst", f"c-{number}", at, "customer.deleted", None, {})


def record(*entries: dict[str, Any], offset: int = 0, customer: str = "c-1", cause: str = "event") -> Message:
    value = {
        "activityId": f"00000000-0000-0000-0000-{offset:012}", "at": START, "tenantId": "t", "clubId": None,
        "customerId": customer, "cause": {"kind": cause}, "entries": list(entries),
    }  # fmt: skip
    return Message(offset, msgspec.json.encode(value))

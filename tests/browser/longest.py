"""A journey, its people and what came of them, with the longest values that are allowed everywhere."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from models import limits
from models.journey import Journey
from models.messages import Event

TENANT = "T" * limits.TENANT_ID
TYPE = "teetime.booked"


def long(letter: str, length: int = 200, *, mark: str = "") -> str:
    """Return a text without a blank at which it could be broken, of wide letters."""
    return (mark + letter * length)[:length]


CUSTOMERS = [long("W", limits.CUSTOMER_ID, mark=str(number)) for number in range(3)]
NAME, OTHER_NAME = long("M"), long("家")
CHANNEL, TEMPLATE, CLUB = long("C"), long("Q"), long("K", limits.LABEL)
KEY = long("Y", 256)


def make_journeys() -> list[Journey]:
    def steps(letter: str) -> list[dict[str, Any]]:
        def name(kind: str) -> dict[str, str]:
            return {"id": long(letter, mark=kind), "name": long(letter.lower(), mark=kind)}

        rule = {"field": f"customer.{long('f', 150)}", "operator": "equals", "value": long("v", 1000)}
        update = {"field": f"customer.{long('g', 150)}", "operation": "set", "value": long("x", 900)}
        send = {"channel": CHANNEL, "templateId": TEMPLATE}
        variants = [{"name": long("a", mark="1")}, {"name": long("b", mark="2"), "nextStepId": name("wait")["id"]}]
        return [
            name("start") | {"type": "TRIGGER"},
            name("split") | {"type": "SPLIT", "config": {"variants": variants}},
            name("send") | {"type": "SEND", "config": send},
            name("wait") | {"type": "WAIT", "config": {"duration": "2 days"}},
            name("ask") | {"type": "CONDITION", "config": {"rules": [rule]},
                           "nextStepYesId": name("end")["id"], "nextStepNoId": name("set")["id"]},
            name("set") | {"type": "UPDATE", "config": {"updates": [update]}},
            name("fail") | {"type": "UPDATE", "config": {"field": "customer.name", "operation": "increment"}},
            name("end") | {"type": "END"},
        ]  # fmt: skip

    whole = {"tenantId": TENANT, "clubId": CLUB, "triggerType": TYPE, "status": "ACTIVE", "enrollmentKey": "key"}
    given = [(NAME, "S", {}), (OTHER_NAME, "W", {"description": long("d", 2000), "maxEnrollments": 1})]
    return [
        Journey.model_validate(whole | {"name": name, "steps": steps(letter)} | settings)
        for name, letter, settings in given
    ]


def make_events(now: datetime) -> Iterator[Event]:
    for number, customer in enumerate(CUSTOMERS):
        at = now - timedelta(days=number + 1)
        data = {"key": KEY, long("n"): long("o", 3000), "name": long("p", 500)}
        yield Event(long("E", 250, mark=str(number)), TENANT, customer, at, "customer.updated", CLUB, data)
        yield Event(long("F", limits.EVENT_ID, mark=str(number)), TENANT, customer, at, TYPE, CLUB, data)
        again = long("G", limits.EVENT_ID, mark=str(number))
        yield Event(again, TENANT, customer, at + timedelta(hours=1), TYPE, CLUB, data)

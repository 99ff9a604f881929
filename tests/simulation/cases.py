"""Cases of journeys that listen, R31 to R43: journeys, what comes when, and all that is told of it.

A line of `given` is hours from noon, what happens, and perhaps the customer, an id and data: `4 paid c-2 "#e-1"
amount=3 at=@9`, where @9 is nine hours from noon. A line of `told` is what and when: a step that sent, `done`,
`left` with the reason, `goal` with its name and the step that sent last, `followed`, `replanned` from when to when.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from models.journey import Journey

TYPES = {
    "booked": "teetime.booked", "completed": "teetime.completed", "moved": "teetime.rescheduled",
    "cancelled": "teetime.cancelled", "paid": "payment.succeeded", "opened": "email.opened",
    "updated": "customer.updated", "unsubscribed": "customer.unsubscribed", "merged": "customer.merged",
    "deleted": "customer.deleted",
}  # fmt: skip
CUSTOMER = "c-1"


class Case(NamedTuple):
    """One case; times are given in hours, which last as long as the clock says."""

    rule: str
    name: str
    journeys: dict[str, dict[str, Any]]
    given: list[str]
    told: list[str]
    live: bool

    def __str__(self) -> str:
        return f"{self.rule} {self.name}".strip()


class Clock(NamedTuple):
    """What noon is, and how long an hour lasts."""

    noon: datetime
    hour: timedelta = timedelta(hours=1)

    def at(self, hours: float) -> datetime:
        return self.noon + self.hour * hours

    def read(self, moment: str) -> str:
        return f"{(datetime.fromisoformat(moment) - self.noon) / self.hour:g}"


def read_cases() -> Iterator[Case]:
    for file in sorted((Path(__file__).parent / "listening").glob("*.yaml")):
        content = yaml.safe_load(file.read_text())
        for case in content["cases"]:
            names = [case["journey"]] if isinstance(case["journey"], str) else case["journey"]
            rule = file.stem if not re.match(r"R\d+ ", case["name"]) else ""
            journeys = {name: content["journeys"][name] for name in names}
            yield Case(rule, case["name"], journeys, case["given"], case["told"], case.get("live", False))


# --- what is given ----------------------------------------------------------------------------------------------


def make_journeys(case: Case, tenant: str, hour: timedelta = timedelta(hours=1)) -> list[Journey]:
    """Return the journeys of a case; an hour of their waits lasts so long."""
    return [Journey.model_validate(_expand(name, given, tenant, hour)) for name, given in case.journeys.items()]


def _expand(name: str, given: Mapping[str, Any], tenant: str, hour: timedelta) -> Any:
    trigger = TYPES[given.get("triggerType", "booked")]
    steps = [{"id": "start", "type": "TRIGGER"}, *map(_expand_step, given["steps"]), {"id": "end", "type": "END"}]
    whole = {"tenantId": tenant, "name": name, **given, "triggerType": trigger, "steps": steps}
    return _translate(whole, hour)


def _expand_step(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        id_, _, after = given.partition(" -> ")
        sent = {"id": id_, "type": "SEND", "config": {"channel": "EMAIL", "templateId": id_}}
        return sent | ({"nextStepId": after} if after else {})
    if "type" in given:
        return dict(given)
    ways = {"nextStepYesId": given.get("came"), "nextStepNoId": given.get("over")}
    config = {key: value for key, value in given.items() if key not in ("id", "came", "over")}
    return {"id": given["id"], "type": "WAIT", "config": config} | {key: at for key, at in ways.items() if at}


def _translate(value: Any, hour: timedelta, name: str = "") -> Any:
    """Write event types out, and hours in seconds where they last no hour."""
    match value:
        case dict():
            return {key: _translate(inner, hour, key) for key, inner in value.items()}
        case list() if name in ("events", "follow"):
            return [_translate({"eventType": one} if isinstance(one, str) else one, hour) for one in value]
        case list():
            return [_translate(one, hour, name) for one in value]
        case str() if name == "eventType":
            return TYPES[value]
        case str() if hour != timedelta(hours=1) and (hours := re.fullmatch(r"(-?)(\d+) hours?", value)):
            return f"{hours[1]}{round(int(hours[2]) * hour.total_seconds())} seconds"
        case _:
            return value


def make_lines(case: Case, tenant: str, clock: Clock) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Return the lines of an events file, each with its time."""
    for number, line in enumerate(case.given):
        hours, what, *rest = line.split()
        at = clock.at(float(hours))
        fields = [word for word in rest if "=" in word]
        customer = next((word for word in rest if word.startswith("c-")), CUSTOMER)
        named = next((word.strip('"#') for word in rest if "#" in word), f"e-{number}")
        data = {key: _read_value(text, clock) for key, _, text in (word.partition("=") for word in fields)}
        place = {"tenantId": tenant, "customerId": customer}
        if what in TYPES:
            club = data.pop("clubId", None)
            yield (
                at,
                {"eventId": named, "eventType": TYPES[what], "occurredAt": at.isoformat(), "clubId": club}
                | {**place, "data": data},
            )
        else:
            control = {"control": what, "at": at.isoformat(), "journey": next(iter(case.journeys)), **place}
            yield at, control | ({"data": data} if what == "enroll" else {})


def _read_value(text: str, clock: Clock) -> Any:
    if text.startswith("@"):
        return clock.at(float(text[1:])).isoformat()
    try:
        return json.loads(text)
    except ValueError:
        return text


# --- what is told -----------------------------------------------------------------------------------------------


def tell(activity: Mapping[str, Any], clock: Clock) -> Iterator[str]:
    """Return what an activity record tells, as the table has it."""
    who = "" if activity["customerId"] == CUSTOMER else f"{activity['customerId']}: "
    for entry in activity["entries"]:
        what = _tell(entry, clock)
        if what:
            at = entry.get("completedAt") or entry.get("at") or activity["at"]
            yield f"{who}{what} {clock.read(at)}"


def _tell(entry: Mapping[str, Any], clock: Clock) -> str:
    match entry["type"]:
        case "step.completed":
            return str(entry["stepId"]) if entry["result"].get("sent") else ""
        case "step.skipped" if entry["reason"] == "policy":
            return f"skipped {entry['stepId']} policy"
        case "step.replanned":
            return "replanned {before}>{after}".format(
                **{name: clock.read(at) for name, at in entry["waitingUntil"].items()}
            )
        case "trigger.updated":
            return "followed " + ",".join(change["field"] for change in entry["changes"])
        case "goal.reached":
            return f"goal {entry['goal']} {(entry['lastSend'] or {'stepId': '-'})['stepId']}"
        case "enrollment.exited":
            return f"left {entry['exitReason']}{_name_exit(entry['detail'])}"
        case "enrollment.completed":
            return "done"
        case "enrollment.failed":
            return "failed"
        case "enrollment.refused":
            return f"refused {entry['reason']}"
        case _:
            return ""


def _name_exit(detail: str | None) -> str:
    """Return which exit it was; what says in a sentence why is left out."""
    return f" {detail.replace(' ', '-')}" if detail and re.fullmatch(r"\w+|exit \d+", detail) else ""

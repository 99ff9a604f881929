"""When a WAIT ends (R17 to R20): `plan` says until when, or which policy stands in its place."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from models.duration import add, next_time, read_zone
from models.moment import read_moment
from streams.engine.compiled import Wait
from streams.engine.conditions import Scope

_INSTANT = timedelta(microseconds=1)


class Plan(msgspec.Struct, frozen=True, gc=False):
    """Until when a wait holds. `policy` and `reason` stand in its place if that moment is past or unknown."""

    until: datetime
    policy: str | None = None
    reason: str = ""
    notes: dict[str, Any] = {}


def plan(
    wait: Wait,
    at: datetime,
    zone: ZoneInfo,
    profile: dict[str, Any],
    scope: Callable[[], Scope],
    *,
    just_fired: bool = False,
    entered_at: datetime | None = None,
) -> Plan:
    """Return how long a wait that is entered at `at` holds; `zone` is the journey's.

    `entered_at`: it was entered then, and is planned anew at `at` (R43).

    `just_fired`: this very wait fired at `at`. A daily wait that fired at 09:00 sharp then means tomorrow's
    09:00, as it would had it fired a moment later.
    """
    zone, notes = _choose_zone(wait, zone, profile)
    earliest = add(entered_at or at, wait.duration, zone) if wait.duration else at
    if entered_at is not None and earliest < at:
        earliest = at
    if wait.time is not None:
        after = earliest + _INSTANT if just_fired and earliest == at else earliest
        return Plan(next_time(after, wait.time, wait.weekdays, zone), notes=notes)
    if wait.field is not None:
        name, look_up = wait.field
        return _until_moment(wait, name, look_up(scope()), earliest, zone, notes)
    if wait.moment is not None:
        return _until_moment(wait, wait.moment, wait.moment, earliest, zone, notes)
    return Plan(earliest, notes=notes)


def _until_moment(
    wait: Wait, name: str, seen: object, earliest: datetime, zone: ZoneInfo, notes: dict[str, Any]
) -> Plan:
    moment = read_moment(seen, zone)
    if moment is None:
        fault = "is missing" if seen is None else "is not a date"
        return Plan(earliest, wait.if_missing, f"'{name}' {fault}.", notes)
    if wait.offset:
        moment = add(moment, wait.offset, zone)
    if moment < earliest:
        # "continue" keeps the duration, if there is one: a wait of d never ends before d has passed (R21)
        return Plan(earliest, wait.if_past, f"'{name}' was over at {moment.isoformat()}.", notes)
    return Plan(moment, notes=notes)


def _choose_zone(wait: Wait, zone: ZoneInfo, profile: dict[str, Any]) -> tuple[ZoneInfo, dict[str, Any]]:
    if wait.timezone is None:
        return zone, {}
    if wait.timezone != "customer":
        return read_zone(wait.timezone) or zone, {}
    name = profile.get("timezone")
    own = read_zone(name) if isinstance(name, str) else None
    if own is not None:
        return own, {"timezone": own.key}
    fault = "has no timezone" if name is None else f"has the unknown timezone '{name}'"
    return zone, {"timezone": zone.key, "note": f"The customer {fault}; the journey's was used."}


def lateness(wait: Wait, due: datetime, now: datetime, zone: ZoneInfo) -> tuple[str, str]:
    """Return what R20 says of a wait that fires at `now`, as (continue | skip | exit, a sentence)."""
    if wait.if_late is None or wait.late_after is None or now <= add(due, wait.late_after, zone):
        return "continue", ""
    return (
        wait.if_late.then,
        f"The wait was due at {due.isoformat()} and fired more than {wait.if_late.after} late.",
    )

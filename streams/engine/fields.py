"""Look up the field that a dotted path names (R8), compiled once to a closure.

After its prefix, which says where to look, a path is one of `streams.engine.paths`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from models.limits import ENROLLMENT_KEY
from models.messages import Event
from streams.engine.paths import compile_path
from streams.engine.subscriptions import find_subscription, is_about_subscriptions

Place = Literal["trigger", "step", "heard"]
"""Where a field is asked for: in a trigger's conditions, in a step, or in the conditions of a listener (R31)."""

_ENVELOPE = {
    "eventId": "event_id", "eventType": "event_type", "tenantId": "tenant_id",
    "clubId": "club_id", "customerId": "customer_id", "occurredAt": "occurred_at",
}  # fmt: skip


class Scope(msgspec.Struct, frozen=True, gc=False):
    """What fields may be looked up in: event, the trigger's data, the customer's profile, facts of the enrolment.

    In a step, `event` is a dict of the envelope's fields, by their names in JSON. For a listener it is the event
    heard, and `data` still the trigger's.
    """

    event: Event | dict[str, Any]
    data: dict[str, Any]
    profile: dict[str, Any]
    enrollment: dict[str, Any] = {}


Field = Callable[[Scope], object]


def compile_field(path: str, place: Place) -> Field:
    """Return the look-up of a field; what it finds is None where the field is missing or null (R9).

    A bare path is looked for in the event's data, then in the profile; in a step the other way round.
    """
    prefix, _, rest = path.partition(".")
    match prefix if rest else "":
        case "event":
            return _event_field(rest, place)
        case "trigger":
            return _data_field(rest)
        case "customer":
            return _profile_field(rest)
        case "enrollment":
            find = compile_path(rest)
            return lambda scope: _as_json(find(scope.enrollment))
        case _:
            return _bare_field(path, place)


def compile_key(path: str) -> Field:
    """Return the look-up of an enrollment key in any event: a bare path is looked for in its data alone (R31).

    The scope is that of a trigger: the event, its own data, the profile.
    """
    prefix, _, rest = path.partition(".")
    has_prefix = rest and prefix in ("event", "trigger", "customer")
    return compile_field(path, "trigger") if has_prefix else _data_field(path)


def read_key(look_up: Field, scope: Scope) -> str | None:
    """Return the enrollment key (R4): None where the event has no value for it, or too long a one."""
    match look_up(scope):
        case None | "" | list() | dict():
            return None
        case bool() as flag:
            return str(flag).lower()
        case float() as number if number.is_integer():
            key = str(int(number))
        case value:
            key = str(value)
    # no character takes more than four bytes
    is_short = len(key) <= ENROLLMENT_KEY // 4 or len(key.encode()) <= ENROLLMENT_KEY
    return key if is_short else None


def _bare_field(path: str, place: Place) -> Field:
    if place == "step":
        return _first(_profile_field(path), _data_field(path))
    if place == "heard":
        return _first(_heard_field(path), _profile_field(path))
    if "." in path or is_about_subscriptions(path):
        return _first(_data_field(path), _profile_field(path))

    def find(scope: Scope) -> object:  # what triggers ask for most, in one call instead of three
        found = scope.data.get(path)
        return scope.profile.get(path) if found is None else found

    return find


def _data_field(path: str) -> Field:
    find = compile_path(path)
    return (lambda scope: find(scope.data)) if "." in path else (lambda scope: scope.data.get(path))


def _heard_field(path: str) -> Field:
    find = compile_path(path)
    return lambda scope: find(_heard_data(scope))


def _heard_data(scope: Scope) -> dict[str, Any]:
    assert isinstance(scope.event, Event)
    return scope.event.data


def _profile_field(path: str) -> Field:
    if is_about_subscriptions(path):
        return lambda scope: find_subscription(scope.profile, path)
    find = compile_path(path)
    return (lambda scope: find(scope.profile)) if "." in path else (lambda scope: scope.profile.get(path))


def _first(one: Field, other: Field) -> Field:
    def find(scope: Scope) -> object:
        found = one(scope)
        return other(scope) if found is None else found

    return find


def _event_field(path: str, place: Place) -> Field:
    """Look in the envelope, then in its unknown fields, then in the data; `data.x` is the data's x."""
    find_data = _heard_field if place == "heard" else _data_field
    if path in _ENVELOPE:
        attribute = _ENVELOPE[path]
        return lambda scope: _as_json(
            scope.event.get(path) if isinstance(scope.event, dict) else getattr(scope.event, attribute)
        )
    if path == "data":
        return _heard_data if place == "heard" else lambda scope: scope.data
    if path.startswith("data."):
        return find_data(path.removeprefix("data."))
    find = compile_path(path)
    return _first(
        lambda scope: find(scope.event if isinstance(scope.event, dict) else scope.event.extra), find_data(path)
    )


def _as_json(value: object) -> object:
    # A moment reads as the text that it is in JSON, also before it has gone through the store.
    return msgspec.to_builtins(value) if isinstance(value, datetime) else value

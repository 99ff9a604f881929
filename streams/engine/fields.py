"""Look up the field that a dotted path names (R8), compiled once to a closure.

After its prefix, which says where to look, a path is one of `streams.engine.paths`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import msgspec

from models.messages import Event
from streams.engine.paths import compile_path
from streams.engine.subscriptions import find_subscription, is_about_subscriptions

Place = Literal["trigger", "step"]

_ENVELOPE = {
    "eventId": "event_id", "eventType": "event_type", "tenantId": "tenant_id",
    "clubId": "club_id", "customerId": "customer_id", "occurredAt": "occurred_at",
}  # fmt: skip


class Scope(msgspec.Struct, frozen=True, gc=False):
    """What fields may be looked up in: event, the trigger's data, the customer's profile, facts of the enrolment.

    In a step, `event` is a dict of the envelope's fields, by their names in JSON.
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
            return _event_field(rest)
        case "trigger":
            return _data_field(rest)
        case "customer":
            return _profile_field(rest)
        case "enrollment":
            find = compile_path(rest)
            return lambda scope: _as_json(find(scope.enrollment))
        case _:
            return _bare_field(path, place)


def _bare_field(path: str, place: Place) -> Field:
    if place == "step":
        return _first(_profile_field(path), _data_field(path))
    if "." in path or is_about_subscriptions(path):
        return _first(_data_field(path), _profile_field(path))

    def find(scope: Scope) -> object:  # what triggers ask for most, in one call instead of three
        found = scope.data.get(path)
        return scope.profile.get(path) if found is None else found

    return find


def _data_field(path: str) -> Field:
    find = compile_path(path)
    return (lambda scope: find(scope.data)) if "." in path else (lambda scope: scope.data.get(path))


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


def _event_field(path: str) -> Field:
    """Look in the envelope, then in its unknown fields, then in the data; `data.x` is the data's x."""
    if path in _ENVELOPE:
        attribute = _ENVELOPE[path]
        return lambda scope: _as_json(
            scope.event.get(path) if isinstance(scope.event, dict) else getattr(scope.event, attribute)
        )
    if path == "data":
        return lambda scope: scope.data
    if path.startswith("data."):
        return _data_field(path.removeprefix("data."))
    find = compile_path(path)
    return _first(
        lambda scope: find(scope.event if isinstance(scope.event, dict) else scope.event.extra), _data_field(path)
    )


def _as_json(value: object) -> object:
    # A moment reads as the text that it is in JSON, also before it has gone through the store.
    return msgspec.to_builtins(value) if isinstance(value, datetime) else value

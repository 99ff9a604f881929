"""What a version of a journey listens for, ready to ask: events with key and conditions, rules, data to follow."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from models.duration import Duration, parse_duration
from models.journey import Journey
from models.listeners import ANY_KEY, AnyExit, EventExit
from models.listeners import Follow as AuthoredFollow
from models.listeners import Goal as AuthoredGoal
from models.listeners import Listener as AuthoredListener
from models.rules import Combinator, Condition
from streams.engine.conditions import Conditions, compile_conditions
from streams.engine.fields import Field, Place, compile_key

_OF_EVENT = ("trigger.", "event.data.", "event.")

GOAL = "goal"
"""What a goal is called that has no name."""


class Listener(msgspec.Struct, frozen=True):
    """An event of this type, whose key is the enrolment's (no `key`: whose key does not matter)."""

    event_type: str
    key: Field | None
    conditions: Conditions | None


class Exit(msgspec.Struct, frozen=True):
    """Ends the enrolment: by an event, or by rules on the profile."""

    name: str
    listener: Listener | None
    rules: Conditions | None


class Goal(msgspec.Struct, frozen=True):
    """What the journey is for; `ends` says whether it ends the enrolment."""

    name: str
    listeners: tuple[Listener, ...]
    rules: Conditions | None
    within: Duration
    ends: bool


class Follow(msgspec.Struct, frozen=True):
    """Replaces fields of the trigger's data: `names`, else those that it has, but never `key_fields`."""

    listener: Listener
    names: tuple[str, ...]
    key_fields: frozenset[str]


def compile_listener(given: AuthoredListener, key: str | None, zone: ZoneInfo) -> Listener:
    """Return a listener of a journey whose enrollmentKey is `key`."""
    path = given.key or key
    conditions = compile_conditions(given.conditions, "AND", "heard", zone) if given.conditions else None
    has_key = key is not None and path is not None and path != ANY_KEY
    return Listener(given.event_type, compile_key(path) if has_key and path else None, conditions)


def compile_rules(
    rules: Sequence[Condition] | None, combinator: Combinator | None, zone: ZoneInfo, place: Place = "step"
) -> Conditions | None:
    """Return rules on the profile; None if there are none."""
    return compile_conditions(rules, combinator or Combinator.AND, place, zone) if rules else None


def compile_exits(journey: Journey, zone: ZoneInfo) -> tuple[Exit, ...]:
    """Return the exits of a journey; one without a name is called by its place, from 1."""
    return tuple(
        _compile_exit(given, given.name or f"exit {number}", journey.enrollment_key, zone)
        for number, given in enumerate(journey.exits or (), start=1)
    )


def _compile_exit(given: AnyExit, name: str, key: str | None, zone: ZoneInfo) -> Exit:
    if isinstance(given, EventExit):
        return Exit(name, compile_listener(given, key, zone), None)
    return Exit(name, None, compile_rules(given.rules, given.combinator, zone))


def compile_goal(given: AuthoredGoal | None, key: str | None, zone: ZoneInfo) -> Goal | None:
    """Return a goal, if there is one."""
    if given is None:
        return None
    return Goal(
        name=given.name or GOAL,
        listeners=tuple(compile_listener(one, key, zone) for one in given.events or ()),
        rules=compile_rules(given.rules, given.combinator, zone),
        within=parse_duration(given.within),
        ends=given.ends,
    )


def compile_follow(given: AuthoredFollow, key: str | None, zone: ZoneInfo) -> Follow:
    """Return what follows an event."""
    return Follow(compile_listener(given, key, zone), given.names, find_key_fields(key))


def find_key_fields(key: str | None) -> frozenset[str]:
    """Return the fields of an event's data that an enrollmentKey may be taken from."""
    if key is None or key.startswith("customer."):
        return frozenset()
    prefix = next((prefix for prefix in _OF_EVENT if key.startswith(prefix)), "")
    path = key.removeprefix(prefix)
    return frozenset({path, path.partition(".")[0]})

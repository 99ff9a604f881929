"""What an enrolment listens for, as authored: events that end a WAIT or all of it, reach a goal, or move data."""

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from models import limits
from models.definition import Definition
from models.rules import Combinator, Condition

ANY_KEY = "any"
"""The `key` of a listener that takes every event of the customer."""


class Listener(Definition):
    """An event of a type that fits the enrolment's key and holds conditions (R31)."""

    event_type: str = Field(min_length=1, max_length=limits.LABEL)
    conditions: tuple[Condition, ...] = ()
    key: str | None = Field(default=None, min_length=1)


class WaitListener(Listener):
    """An event that ends a WAIT: where it leads, and which fields of its data are kept (R34, R37)."""

    next_step_id: str | None = None
    keep: tuple[str, ...] = Field(default=(), max_length=limits.KEPT)


class EventExit(Listener):
    """An event that ends the enrolment (R39)."""

    name: str | None = Field(default=None, min_length=1, max_length=limits.NAME)


class RulesExit(Definition):
    """Rules on the profile that end the enrolment as soon as they hold (R39)."""

    name: str | None = Field(default=None, min_length=1, max_length=limits.NAME)
    rules: tuple[Condition, ...] = Field(min_length=1)
    combinator: Combinator = Combinator.AND


def _kind_of_exit(given: object) -> str:
    is_rules = "rules" in given if isinstance(given, dict) else isinstance(given, RulesExit)
    return "rules-exit" if is_rules else "event-exit"


AnyExit = EventExit | RulesExit
Exit = Annotated[
    Annotated[EventExit, Tag("event-exit")] | Annotated[RulesExit, Tag("rules-exit")], Discriminator(_kind_of_exit)
]


class Goal(Definition):
    """What a journey is for: any of these events, or the rules, reach it (R40)."""

    name: str | None = Field(default=None, min_length=1, max_length=limits.NAME)
    events: tuple[Listener, ...] | None = Field(default=None, min_length=1, max_length=limits.LISTENERS)
    rules: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    combinator: Combinator = Combinator.AND
    within: str = "30 days"
    ends: bool = Field(default=True, alias="exit", strict=True)


class Follow(Listener):
    """An event that replaces fields of the trigger's data: those named, else those that it has (R42)."""

    names: tuple[str, ...] = Field(default=(), alias="set")

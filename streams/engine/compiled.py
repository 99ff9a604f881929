"""What a version of a journey compiles to: its steps, and all that it asks and listens for, ready to run."""

from datetime import time
from zoneinfo import ZoneInfo

import msgspec

from models.duration import Duration
from models.steps import Lateness, Update
from streams.engine.conditions import Conditions, Field
from streams.engine.listeners import Exit, Follow, Goal, Listener

SINCE_STEP, SINCE_ENROLLMENT = "step", "enrollment"
"""From when on events end a WAIT: since it was entered, since the customer enrolled; else a step's id (R35)."""


class Step(msgspec.Struct, frozen=True):
    """What every compiled step has: `next` is the id of the step that R15 leads to, None for the implied END."""

    id: str
    number: int
    next: str | None


class Trigger(Step, frozen=True):
    """Passed at once: its conditions are the journey's."""


class Send(Step, frozen=True):
    """Emits a command."""

    channel: str
    template: str
    expires_after: Duration | None


class WaitListener(Listener, frozen=True):
    """An event that ends a WAIT, and leads `onward`; the fields of its data to `keep`."""

    onward: str | None
    keep: tuple[str, ...]


class Wait(Step, frozen=True):
    """Holds the customer; `timezone` None means the journey's, "customer" the customer's own. Monday is 0.

    `next` is the way when its time is over; where it `listens`, `listeners` or `rules` may end it before, and the
    rules lead to `yes`. `follows`: planned anew when its field of the profile changes.
    """

    duration: Duration | None
    moment: str | None
    field: tuple[str, Field] | None
    offset: Duration | None
    time: time | None
    weekdays: frozenset[int]
    timezone: str | None
    if_past: str
    if_missing: str
    if_late: Lateness | None
    late_after: Duration | None
    listeners: tuple[WaitListener, ...]
    rules: Conditions | None
    since: str
    yes: str | None
    listens: bool
    follows: bool


class Condition(Step, frozen=True):
    """Goes to `yes` or `no`."""

    conditions: Conditions
    yes: str | None
    no: str | None


class Split(Step, frozen=True):
    """Draws one of (name, cumulative weight, next step)."""

    variants: tuple[tuple[str, float, str | None], ...]


class Change(Step, frozen=True):
    """Changes the profile (UPDATE)."""

    updates: tuple[Update, ...]


class End(Step, frozen=True):
    """Completes the journey."""


AnyCompiled = Trigger | Send | Wait | Condition | Split | Change | End


class CompiledJourney(msgspec.Struct, frozen=True):
    """One version of a journey, ready to run; `reach` has the steps that can be reached from each, as bits.

    `guards` says whether an exit or the goal may keep somebody from entering. `hears` are the types of events that
    it listens for, `asks` says whether the profile may move an enrolment, and `wakes` whether either may end
    a WAIT. `recalls` are WAITs that events may have ended before they are entered, each with its bit, and `since`
    the steps that such events must have come after (R35).
    """

    id: str
    tenant_id: str
    club_id: str | None
    name: str
    version: int
    trigger_type: str
    zone: ZoneInfo
    conditions: Conditions
    key: Field | None
    allow_reentry: bool
    reentry_after: Duration | None
    max_enrollments: int | None
    first: str
    steps: dict[str, AnyCompiled]
    reach: dict[str, int]
    exits: tuple[Exit, ...]
    goal: Goal | None
    follow: tuple[Follow, ...]
    guards: bool
    hears: frozenset[str]
    asks: bool
    wakes: bool
    recalls: tuple[tuple[int, Wait], ...]
    since: frozenset[str]


def ways_out(step: AnyCompiled) -> tuple[str | None, ...]:
    """Return the ids of the steps that may come directly after this one; None is the implied END."""
    match step:
        case Condition():
            return (step.yes, step.no)
        case Wait() if step.listens:
            ways = [listener.onward for listener in step.listeners] + ([step.yes] if step.rules else [])
            return tuple(dict.fromkeys([*ways, step.next]))
        case Split():
            return tuple(dict.fromkeys(onward for _, _, onward in step.variants))
        case End():
            return ()
        case _:
            return (step.next,)

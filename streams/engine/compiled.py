"""What a version of a journey compiles to.

Durations are read, fields and rules made functions, ways out resolved (R15) and, for each step, the steps found
that can still be reached from it (R26).
"""

from collections.abc import Callable, Mapping
from datetime import time
from typing import assert_never
from zoneinfo import ZoneInfo

import msgspec

from models.duration import Duration, parse_duration, parse_offset, read_time, read_zone
from models.journey import Journey
from models.steps import (
    AnyStep,
    ConditionStep,
    EndStep,
    Lateness,
    SendStep,
    SplitStep,
    TriggerStep,
    UntilField,
    UntilTime,
    Update,
    UpdateStep,
    WaitStep,
    Weekday,
)
from streams.engine.conditions import Conditions, Scope, compile_conditions, compile_field
from streams.engine.reach import find_reach

Field = Callable[[Scope], object]


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


class Wait(Step, frozen=True):
    """Holds the customer; `timezone` None means the journey's, "customer" the customer's own. Monday is 0."""

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
    """One version of a journey, ready to run; `reach` has the steps that can be reached from each, as bits."""

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


def compile_journey(journey: Journey) -> CompiledJourney:
    """Return a journey, ready to run; raises ValueError for one that could not, which `check` would refuse."""
    zone = read_zone(journey.timezone)
    if zone is None:
        raise ValueError(f"'{journey.timezone}' is not a time zone.")
    following = [step.id for step in journey.steps[1:]]
    steps = {
        step.id: _compile_step(step, default, zone)
        for step, default in zip(journey.steps, [*following, None], strict=True)
    }
    ways = {id_: ways_out(step) for id_, step in steps.items()}
    _check_ways(journey, ways)
    trigger = journey.steps[0]
    asked = trigger.config.conditions if isinstance(trigger, TriggerStep) else ()
    return CompiledJourney(
        id=journey.id,
        tenant_id=journey.tenant_id,
        club_id=journey.club_id,
        name=journey.name,
        version=journey.version,
        trigger_type=journey.trigger_type,
        zone=zone,
        conditions=compile_conditions((*journey.trigger_config.conditions, *asked), "AND", "trigger", zone),
        key=compile_field(journey.enrollment_key, "trigger") if journey.enrollment_key else None,
        allow_reentry=journey.allow_reentry,
        reentry_after=parse_duration(journey.reentry_after) if journey.reentry_after else None,
        max_enrollments=journey.max_enrollments,
        first=trigger.id,
        steps=steps,
        reach=find_reach(ways),
    )


def _check_ways(journey: Journey, ways: Mapping[str, tuple[str | None, ...]]) -> None:
    if len(ways) < len(journey.steps):
        raise ValueError("Two steps have the same id.")
    for id_, targets in ways.items():
        for target in targets:
            if target is not None and target not in ways:
                raise ValueError(f"Step '{id_}' leads to '{target}', which no step has as its id.")


def _compile_step(step: AnyStep, default: str | None, zone: ZoneInfo) -> AnyCompiled:
    id_, number, onward = step.id, step.step_number, step.next_step_id or default
    match step:
        case TriggerStep():
            return Trigger(id_, number, onward)
        case SendStep(config=config):
            expires = parse_duration(config.expires_after) if config.expires_after else None
            return Send(id_, number, onward, config.channel, config.template_id, expires)
        case WaitStep():
            return _compile_wait(step, onward)
        case ConditionStep(config=config):
            conditions = compile_conditions(config.rules, config.combinator, "step", zone)
            yes, no = step.next_step_yes_id or onward, step.next_step_no_id or onward
            return Condition(id_, number, onward, conditions, yes, no)
        case SplitStep(config=config):
            total, variants = 0.0, []
            for variant in config.variants:
                total += variant.weight
                variants.append((variant.name, total, variant.next_step_id or onward))
            return Split(id_, number, onward, tuple(variants))
        case UpdateStep(config=config):
            return Change(id_, number, onward, config.updates)
        case EndStep():
            return End(id_, number, None)
        case _:
            assert_never(step)


def _compile_wait(step: WaitStep, onward: str | None) -> Wait:
    config = step.config
    until = config.until
    field = until if isinstance(until, UntilField) else None
    daily = until if isinstance(until, UntilTime) else None
    return Wait(
        id=step.id,
        number=step.step_number,
        next=onward,
        duration=parse_duration(config.duration) if config.duration else None,
        moment=until if isinstance(until, str) else None,
        field=(field.field, compile_field(field.field, "step")) if field else None,
        offset=parse_offset(field.offset) if field and field.offset else None,
        time=_read_time(daily.time) if daily else None,
        weekdays=frozenset(list(Weekday).index(day) for day in daily.weekdays) if daily else frozenset(),
        timezone=config.timezone,
        if_past=config.if_past,
        if_missing=config.if_missing,
        if_late=config.if_late,
        late_after=parse_duration(config.if_late.after) if config.if_late else None,
    )


def _read_time(text: str) -> time:
    found = read_time(text)
    if found is None:
        raise ValueError(f"'{text}' is not a time of day.")
    return found


def ways_out(step: AnyCompiled) -> tuple[str | None, ...]:
    """Return the ids of the steps that may come directly after this one; None is the implied END."""
    match step:
        case Condition():
            return (step.yes, step.no)
        case Split():
            return tuple(dict.fromkeys(onward for _, _, onward in step.variants))
        case End():
            return ()
        case _:
            return (step.next,)

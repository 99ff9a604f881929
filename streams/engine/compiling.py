"""Compile a version of a journey.

Durations are read, fields and rules made functions, ways out resolved (R15) and, for each step, the steps found
that can still be reached from it (R26).
"""

from collections.abc import Iterator, Mapping
from datetime import time
from typing import assert_never
from zoneinfo import ZoneInfo

from models.duration import parse_duration, parse_offset, read_time, read_zone
from models.journey import Journey
from models.listeners import WaitListener as AuthoredListener
from models.steps import (
    AnyStep,
    ConditionStep,
    EndStep,
    SendStep,
    SplitStep,
    TriggerStep,
    UntilField,
    UntilTime,
    UpdateStep,
    WaitStep,
    Weekday,
)
from streams.engine.compiled import (
    SINCE_STEP,
    AnyCompiled,
    Change,
    CompiledJourney,
    Condition,
    End,
    Send,
    Split,
    Trigger,
    Wait,
    WaitListener,
    ways_out,
)
from streams.engine.conditions import compile_conditions, compile_field
from streams.engine.listeners import (
    Exit,
    Follow,
    Goal,
    Listener,
    compile_exits,
    compile_follow,
    compile_goal,
    compile_listener,
    compile_rules,
)
from streams.engine.reach import find_reach


def compile_journey(journey: Journey) -> CompiledJourney:
    """Return a journey, ready to run; raises ValueError for one that could not, which `check` would refuse."""
    zone = read_zone(journey.timezone)
    if zone is None:
        raise ValueError(f"'{journey.timezone}' is not a time zone.")
    following, key = [step.id for step in journey.steps[1:]], journey.enrollment_key
    steps = {
        step.id: _compile_step(step, default, key, zone)
        for step, default in zip(journey.steps, [*following, None], strict=True)
    }
    waits = [step for step in steps.values() if isinstance(step, Wait)]
    exits, goal = compile_exits(journey, zone), compile_goal(journey.goal, key, zone)
    follow = tuple(compile_follow(one, key, zone) for one in journey.follow or ())
    recalls = tuple(
        (1 << position, step)
        for position, step in enumerate(steps.values())
        if isinstance(step, Wait) and step.listeners and step.since != SINCE_STEP
    )
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
        exits=exits,
        goal=goal,
        follow=follow,
        guards=any(one.rules for one in exits) or (goal is not None and goal.ends and goal.rules is not None),
        hears=frozenset(one.event_type for one in _find_listeners(waits, exits, goal, follow)),
        asks=_asks_profile(waits, exits, goal),
        wakes=bool(follow) or any(wait.listens or wait.follows for wait in waits),
        recalls=recalls,
        since=frozenset(wait.since for _, wait in recalls) & steps.keys(),
    )


def _find_listeners(
    waits: list[Wait], exits: tuple[Exit, ...], goal: Goal | None, follow: tuple[Follow, ...]
) -> Iterator[Listener]:
    for wait in waits:
        yield from wait.listeners
    yield from (one.listener for one in exits if one.listener is not None)
    yield from goal.listeners if goal else ()
    yield from (one.listener for one in follow)


def _asks_profile(waits: list[Wait], exits: tuple[Exit, ...], goal: Goal | None) -> bool:
    return (
        any(wait.rules is not None or wait.follows for wait in waits)
        or any(one.rules is not None for one in exits)
        or (goal is not None and goal.rules is not None)
    )


def _check_ways(journey: Journey, ways: Mapping[str, tuple[str | None, ...]]) -> None:
    if len(ways) < len(journey.steps):
        raise ValueError("Two steps have the same id.")
    for id_, targets in ways.items():
        for target in targets:
            if target is not None and target not in ways:
                raise ValueError(f"Step '{id_}' leads to '{target}', which no step has as its id.")


def _compile_step(step: AnyStep, default: str | None, key: str | None, zone: ZoneInfo) -> AnyCompiled:
    id_, number, onward = step.id, step.step_number, step.next_step_id or default
    match step:
        case TriggerStep():
            return Trigger(id_, number, onward)
        case SendStep(config=config):
            expires = parse_duration(config.expires_after) if config.expires_after else None
            return Send(id_, number, onward, config.channel, config.template_id, expires)
        case WaitStep():
            return _compile_wait(step, onward, key, zone)
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


def _compile_wait(step: WaitStep, onward: str | None, key: str | None, zone: ZoneInfo) -> Wait:
    config, until = step.config, step.config.until
    listens = bool(config.events or config.rules)
    yes, no = (step.next_step_yes_id, step.next_step_no_id) if listens else (None, None)
    field = until if isinstance(until, UntilField) else None
    daily = until if isinstance(until, UntilTime) else None
    return Wait(
        id=step.id,
        number=step.step_number,
        next=no or onward,
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
        listeners=tuple(_compile_listener(one, yes or onward, key, zone) for one in config.events or ()),
        rules=compile_rules(config.rules, config.combinator, zone),
        since=config.since or SINCE_STEP,
        yes=yes or onward,
        listens=listens,
        follows=field is not None and field.follow is True,
    )


def _compile_listener(given: AuthoredListener, yes: str | None, key: str | None, zone: ZoneInfo) -> WaitListener:
    plain = compile_listener(given, key, zone)
    return WaitListener(
        plain.event_type, plain.key, plain.conditions, onward=given.next_step_id or yes, keep=given.keep
    )


def _read_time(text: str) -> time:
    found = read_time(text)
    if found is None:
        raise ValueError(f"'{text}' is not a time of day.")
    return found

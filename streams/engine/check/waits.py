"""Whether the settings of a WAIT mean something (R18 to R20, R34 to R37)."""

from collections.abc import Iterator
from datetime import tzinfo

from models.duration import parse_offset, read_time
from models.listeners import WaitListener
from models.moment import read_moment
from models.steps import UntilField, UntilTime, WaitConfig, WaitStep
from streams.engine.check.durations import check_duration, check_zone
from streams.engine.check.listening import check_asked, check_listener
from streams.engine.check.rules import check_field
from streams.engine.check.setting import Setting
from streams.engine.check.shape import show

Faults = Iterator[str]


def check_wait(step: WaitStep, setting: Setting) -> Faults:
    """Yield a sentence for all that is wrong with a WAIT."""
    config = step.config
    if config.duration is None and config.until is None:
        yield _ask_for_time(config)
    yield from check_duration("config.duration", config.duration)
    if config.timezone is not None:
        yield from check_zone("config.timezone", config.timezone, or_customer=True)
    if config.if_late is not None:
        yield from check_duration("config.ifLate.after", config.if_late.after)
    yield from _check_until(config, setting.zone)
    yield from _check_events(step, setting)
    yield from _check_rules(config, setting.zone)


def _ask_for_time(config: WaitConfig) -> str:
    if config.events is None and config.rules is None:
        return "A WAIT needs 'duration' or 'until', as duration: 3 days."
    return (
        "A WAIT needs 'duration' or 'until' beside what it waits for, as duration: 30 days, for it may never come."
    )


def _check_until(config: WaitConfig, zone: tzinfo) -> Faults:
    match config.until:
        case str(moment) if read_moment(moment, zone) is None:
            yield f"'config.until' is {show(moment)}, which is not a date; write for example 2026-11-23T10:00."
        case UntilField(field=field, offset=offset, follow=follow):
            yield from check_field("config.until.field", field, "step")
            yield from check_duration("config.until.offset", offset, parse_offset)
            if follow and field.startswith(("trigger.", "event.", "enrollment.")):
                yield (
                    f"'config.until.follow' is for fields of the profile, not for '{field}'; to move the trigger's "
                    "data, give the journey a 'follow'."
                )
        case UntilTime(time=time) if read_time(time) is None:
            yield f"'config.until.time' is {show(time)}, which is not a time of day; write for example '09:00'."


def _check_events(step: WaitStep, setting: Setting) -> Faults:
    events = step.config.events
    if events is None:
        if step.config.since is not None:
            yield "'config.since' needs 'config.events'; remove it."
        return
    for number, one in enumerate(events, start=1):
        where = f"config.events#{number}"
        yield from check_listener(where, one, setting)
        yield from _check_keep(f"{where}.keep", one, step.id)
        for place, earlier in enumerate(events[: number - 1], start=1):
            if setting.takes_all(earlier, one):
                yield f"'{where}' is never heard, for 'config.events#{place}' takes every such event; remove it."
        for name, ender in setting.enders:
            if setting.takes_all(ender, one):
                yield f"'{where}' never ends the WAIT, for {name} ends the journey by the same event; remove one."
    if step.next_step_yes_id and not step.config.rules and all(one.next_step_id for one in events):
        yield "'nextStepYesId' is never taken, for each event has a nextStepId of its own; remove it."


def _check_keep(where: str, one: WaitListener, step_id: str) -> Faults:
    if not all(one.keep):
        yield f"'{where}' holds an empty name; write a field of the event's data."
    if len(set(one.keep)) < len(one.keep):
        yield f"'{where}' names a field twice; keep one."
    if one.keep and "." in step_id:
        yield f"The id '{step_id}' holds a dot, so enrollment.heard can't name what it keeps; give it another id."


def _check_rules(config: WaitConfig, zone: tzinfo) -> Faults:
    if config.rules is not None:
        yield from check_asked("config.rules", config.rules, zone)
    elif config.combinator is not None:
        yield "'config.combinator' needs 'config.rules'; remove it."

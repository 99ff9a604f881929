"""Whether the settings of each type of step mean something."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import tzinfo
from math import isfinite
from typing import assert_never

from models.duration import Duration, parse_duration, parse_offset, read_time, read_zone, zone_names
from models.limits import DEPTH
from models.moment import read_moment
from models.steps import (
    AnyStep,
    ConditionStep,
    EndStep,
    Operation,
    SendStep,
    SplitConfig,
    SplitStep,
    TriggerConfig,
    TriggerStep,
    UntilField,
    UntilTime,
    Update,
    UpdateStep,
    WaitConfig,
    WaitStep,
)
from streams.engine.check.rules import check_field, check_rules
from streams.engine.check.shape import show, suggest
from streams.engine.subscriptions import UNSUBSCRIBED, expected_of, is_about_subscriptions, read_wanted

Faults = Iterator[str]


def check_step(step: AnyStep, trigger_type: object, zone: tzinfo) -> Faults:
    """Yield a sentence for all that is wrong with a step's settings; the journey gives the other two."""
    match step:
        case TriggerStep(config=config):
            yield from _check_trigger(config, trigger_type, zone)
        case SendStep(config=config):
            yield from check_duration("config.expiresAfter", config.expires_after)
        case WaitStep(config=config):
            yield from _check_wait(config, zone)
        case ConditionStep(config=config):
            yield from () if config.rules else ("A CONDITION needs at least one rule.",)
            yield from check_rules("config.rules", config.rules, "step", zone)
        case SplitStep(config=config):
            yield from _check_split(config)
        case UpdateStep(config=config):
            for number, update in enumerate(config.updates, start=1):
                yield from _check_update(f"config.updates#{number}", update)
        case EndStep():
            pass
        case _:
            assert_never(step)


def _check_trigger(config: TriggerConfig, trigger_type: object, zone: tzinfo) -> Faults:
    if None not in (config.event_type, trigger_type) and config.event_type != trigger_type:
        journeys = f"the journey's triggerType is {show(trigger_type)}"
        yield f"'config.eventType' is '{config.event_type}', but {journeys}; make them equal."
    yield from check_rules("config.conditions", config.conditions, "trigger", zone)


def check_duration(where: str, text: str | None, parse: Callable[[str], Duration] = parse_duration) -> Faults:
    """Yield a sentence where a duration is given and can't be read."""
    try:
        if text is not None:
            parse(text)
    except ValueError as error:
        yield f"'{where}': {error}"


def check_zone(where: str, name: object, *, or_customer: bool = False) -> Faults:
    """Yield a sentence where a name is no time zone."""
    if read_zone(name) is None and not (or_customer and name == "customer"):
        meant = suggest(name, [*zone_names(), "customer"] if or_customer else zone_names())
        advice = f"did you mean '{meant}'?" if meant else "write for example Europe/London."
        yield f"'{where}' is {show(name)}, which is not a time zone; {advice}"


def _check_wait(config: WaitConfig, zone: tzinfo) -> Faults:
    if config.duration is None and config.until is None:
        yield "A WAIT needs 'duration' or 'until', as duration: 3 days."
    yield from check_duration("config.duration", config.duration)
    if config.timezone is not None:
        yield from check_zone("config.timezone", config.timezone, or_customer=True)
    if config.if_late is not None:
        yield from check_duration("config.ifLate.after", config.if_late.after)
    match config.until:
        case str(moment) if read_moment(moment, zone) is None:
            yield f"'config.until' is {show(moment)}, which is not a date; write for example 2026-11-23T10:00."
        case UntilField(field=field, offset=offset):
            yield from check_field("config.until.field", field, "step")
            yield from check_duration("config.until.offset", offset, parse_offset)
        case UntilTime(time=time) if read_time(time) is None:
            yield f"'config.until.time' is {show(time)}, which is not a time of day; write for example '09:00'."


def _check_split(config: SplitConfig) -> Faults:
    for number, variant in enumerate(config.variants, start=1):
        if variant.weight <= 0:
            yield f"'config.variants#{number}.weight' is {variant.weight:g}, but must be more than 0."
    if not isfinite(sum(variant.weight for variant in config.variants)):
        yield "The weights of 'config.variants' are too large to be summed; write smaller ones."
    for name, count in Counter(variant.name for variant in config.variants).items():
        if count > 1:
            yield f"{count} variants have the name '{name}'; give each its own."


def _check_target(where: str, path: str) -> Faults:
    prefix = path.split(".")[0]
    if prefix in ("event", "trigger", "enrollment") and "." in path:
        yield f"'{where}' is '{path}', but only the customer's profile can be changed."
    yield from check_field(where, path, "step")
    parts = path.removeprefix("customer.").count(".") + 1
    if parts > DEPTH:
        yield f"'{where}' has {parts} parts, but {DEPTH} are allowed."


def _check_subscription(where: str, update: Update) -> Faults:
    """Yield a sentence where an update says neither true nor false, since it would be passed over (R24)."""
    path, operation = update.field.removeprefix("customer."), update.operation
    if operation is not Operation.SET:
        yield f"'{where}': {operation.value} can't change whether a customer is subscribed; set true or false."
    elif path.startswith(f"{UNSUBSCRIBED}."):
        yield f"'{where}.field' is '{update.field}', but 'unsubscribed' is true or false and holds no fields."
    else:
        for item in read_wanted({path: update.value}).ignored:
            yield f"'{where}.value': '{item.field}' is {show(item.value)}, but {expected_of(item.field)}."


def _check_update(where: str, update: Update) -> Faults:
    yield from _check_target(f"{where}.field", update.field)
    if is_about_subscriptions(update.field.removeprefix("customer.")):
        yield from _check_subscription(where, update)
    value, name = update.value, update.operation.value
    match update.operation:
        case Operation.SET:
            if "value" not in update.model_fields_set:
                yield f"'{where}': set needs a 'value'; to remove an attribute, use unset."
        case Operation.UNSET:
            if value is not None:
                yield f"'{where}': unset takes no value; remove it."
        case Operation.ADD | Operation.REMOVE:
            if value is None:
                yield f"'{where}': {name} needs a 'value'."
        case Operation.INCREMENT | Operation.DECREMENT:
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
                yield f"'{where}': {name} needs a number, not {show(value)}."
        case _:
            assert_never(update.operation)

"""Whether the settings of each type of step mean something."""

from collections import Counter
from collections.abc import Iterator
from datetime import tzinfo
from math import isfinite
from typing import assert_never

from models.limits import DEPTH
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
    Update,
    UpdateStep,
    WaitStep,
)
from streams.engine.check.durations import check_duration
from streams.engine.check.rules import check_field, check_rules
from streams.engine.check.setting import Setting
from streams.engine.check.shape import show
from streams.engine.check.waits import check_wait
from streams.engine.subscriptions import UNSUBSCRIBED, expected_of, is_about_subscriptions, read_wanted

Faults = Iterator[str]


def check_step(step: AnyStep, setting: Setting) -> Faults:
    """Yield a sentence for all that is wrong with a step's settings."""
    match step:
        case TriggerStep(config=config):
            yield from _check_trigger(config, setting.trigger_type, setting.zone)
        case SendStep(config=config):
            yield from check_duration("config.expiresAfter", config.expires_after)
        case WaitStep():
            yield from check_wait(step, setting)
        case ConditionStep(config=config):
            yield from () if config.rules else ("A CONDITION needs at least one rule.",)
            yield from check_rules("config.rules", config.rules, "step", setting.zone)
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

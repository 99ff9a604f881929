"""What a journey's graph consists of: its steps as boxes, its ways from step to step as labelled links (R15)."""

from collections.abc import Iterator, Mapping

import msgspec

from models.journey import Journey
from models.rules import Group, Rule
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
    WaitConfig,
    WaitStep,
)
from streams.web.queries.statistics import StepCounts

IMPLIED_END = ":end"


class Link(msgspec.Struct, frozen=True):
    """A way from one step to another; `flow` is how often it was taken."""

    start: str
    end: str
    label: str = ""
    flow: int = 0


def find_links(journey: Journey, counts: Mapping[str, StepCounts]) -> list[Link]:
    """Return the ways between steps; two ways to the same step are one link with both labels."""
    links: list[Link] = []
    for step, after in zip(journey.steps, [*journey.steps[1:], None], strict=True):
        default = step.next_step_id or (after.id if after else IMPLIED_END)
        counted = counts.get(step.id, StepCounts())
        merged: dict[str, tuple[list[str], int]] = {}
        for label, end in _ways(step, default):
            labels, flow = merged.get(end, ([], 0))
            here = counted.ways.get(label, 0) if label else _count_passages(step, counted)
            merged[end] = ([*labels, label], flow + here)
        for end, (labels, flow) in merged.items():
            links.append(Link(step.id, end, " · ".join(filter(None, labels)), flow))
    return links


def _count_passages(step: AnyStep, counted: StepCounts) -> int:
    """Return how many visits went on from a step: also past a SEND that nobody wanted (R24)."""
    left = counted.entered - counted.inside - counted.failed if isinstance(step, SendStep) else 0
    return max(left, counted.completed)


def _ways(step: AnyStep, default: str) -> Iterator[tuple[str, str]]:
    match step:
        case EndStep():
            return
        case ConditionStep():
            yield "yes", step.next_step_yes_id or default
            yield "no", step.next_step_no_id or default
        case SplitStep(config=config):
            for variant in config.variants:
                yield variant.name, variant.next_step_id or default
        case _:
            yield "", default


def summarize(step: AnyStep) -> str:
    """Return in a few words what a step does."""
    match step:
        case TriggerStep(config=config):
            asked = f", {len(config.conditions)} conditions" if config.conditions else ""
            return (config.event_type or "by hand") + asked
        case SendStep(config=config):
            return f"{config.channel} · {config.template_id}"
        case WaitStep(config=config):
            return " and ".join(_describe_wait(config)) or "no time at all"
        case ConditionStep(config=config):
            return f" {config.combinator.lower()} ".join(map(describe_rule, config.rules))
        case SplitStep(config=config):
            total = sum(variant.weight for variant in config.variants)
            return " · ".join(f"{v.name} {100 * v.weight / total:.0f} %" for v in config.variants)
        case UpdateStep(config=config):
            return ", ".join(f"{u.operation} {u.field}" for u in config.updates)
        case EndStep():
            return "the journey is completed"


def _describe_wait(config: WaitConfig) -> Iterator[str]:
    if config.duration:
        yield config.duration
    match config.until:
        case UntilField(field=field, offset=offset):
            yield f"until {field}" + (f" {offset}" if offset else "")
        case UntilTime(time=time, weekdays=weekdays):
            yield f"until {time}" + (f" on {', '.join(weekdays)}" if weekdays else "")
        case str() as moment:
            yield f"until {moment}"
        case None:
            pass


def describe_rule(rule: Rule | Group) -> str:
    """Return a condition as one reads it."""
    if isinstance(rule, Group):
        inner = f" {rule.combinator.lower()} ".join(map(describe_rule, rule.rules))
        return f"{'not ' if rule.negated else ''}({inner})"
    operand = rule.value_field if rule.value_field else rule.value
    return f"{rule.field} {rule.operator}" + ("" if operand is None else f" {operand}")

"""What a journey's graph consists of: its steps as boxes, its ways from step to step as labelled links (R15)."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from models.journey import MANUAL, Journey
from models.steps import (
    AnyStep,
    ConditionStep,
    EndStep,
    SendStep,
    SplitStep,
    TriggerStep,
    UpdateStep,
    WaitStep,
)
from streams.web.charts.listening import CAME, HOLDS, TIME_OVER, describe_rules, describe_wait
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
        for label, end, names in _ways(step, default):
            labels, flow = merged.get(end, ([], 0))
            here = sum(counted.ways.get(name, 0) for name in names) if names else _count_passages(step, counted)
            merged[end] = ([*labels, label], flow + here)
        for end, (labels, flow) in merged.items():
            links.append(Link(step.id, end, " · ".join(filter(None, labels)), flow))
    return links


def _count_passages(step: AnyStep, counted: StepCounts) -> int:
    """Return how many visits went on from a step: also past a SEND that nobody wanted (R24)."""
    left = counted.entered - counted.inside - counted.failed if isinstance(step, SendStep) else 0
    return max(left, counted.completed)


def _ways(step: AnyStep, default: str) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield each way out: its label, the step it leads to, and the names under which it is counted."""
    match step:
        case EndStep():
            return
        case ConditionStep():
            yield "yes", step.next_step_yes_id or default, ["yes"]
            yield "no", step.next_step_no_id or default, ["no"]
        case SplitStep(config=config):
            for variant in config.variants:
                yield variant.name, variant.next_step_id or default, [variant.name]
        case WaitStep(config=config) if config.events or config.rules:
            yield from _ways_of_wait(step, default)
        case _:
            yield "", default, []


def _ways_of_wait(step: WaitStep, default: str) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Yield the ways of a WAIT with events or rules; an event with a way of its own is named by its type."""
    shared, yes = [], step.next_step_yes_id or default
    for number, one in enumerate(step.config.events or (), start=1):
        if one.next_step_id:
            yield one.event_type, one.next_step_id, [f"event {number}"]
        else:
            shared.append(f"event {number}")
    if shared or step.config.rules:
        yield CAME if shared else HOLDS, yes, [*shared, *(["rules"] if step.config.rules else [])]
    yield TIME_OVER, step.next_step_no_id or default, ["no"]


def name_ways(step: AnyStep, counts: StepCounts) -> dict[str, int]:
    """Return how many left a step by each way, by the way's label in the picture."""
    named: dict[str, int] = {}
    for label, _, counted in _ways(step, IMPLIED_END):
        if label:
            named[label] = named.get(label, 0) + sum(counts.ways.get(name, 0) for name in counted)
    return named


def summarize(step: AnyStep, trigger_type: str) -> str:
    """Return in a few words what a step does, of a journey that is entered by events of this type."""
    match step:
        case TriggerStep(config=config):
            asked = f", {len(config.conditions)} conditions" if config.conditions else ""
            return ("by hand" if trigger_type == MANUAL else trigger_type) + asked
        case SendStep(config=config):
            return f"{config.channel} · {config.template_id}"
        case WaitStep(config=config):
            return describe_wait(config)
        case ConditionStep(config=config):
            return describe_rules(config.rules, config.combinator)
        case SplitStep(config=config):
            total = sum(variant.weight for variant in config.variants)
            return " · ".join(f"{v.name} {100 * v.weight / total:.0f} %" for v in config.variants)
        case UpdateStep(config=config):
            return ", ".join(f"{u.operation} {u.field}" for u in config.updates)
        case EndStep():
            return "the journey is completed"

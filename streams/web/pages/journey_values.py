"""The live values of a journey's page: every number on it, and the versions of the parts that get other rows."""

from collections.abc import Iterator, Mapping, Sequence

from models.journey import Journey
from models.steps import AnyStep
from streams.web.charts.flows import find_flows
from streams.web.charts.graph import count_goal, describe_box, name_counts
from streams.web.charts.layout import find_ranks
from streams.web.charts.outline import name_ways, summarize
from streams.web.pages.formats import interval, laps, number, percent, short
from streams.web.pages.live import Values, version_of
from streams.web.queries.query import Row
from streams.web.queries.statistics import StepCounts
from streams.web.queries.totals import VersionCounts, still_in

_ENDS = ("completed", "exited", "failed")
_COUNTS = ("entered", "inside", "completed", "skipped", "failed", "converted")


def measure(row: Row, journey: Journey | None, seen: VersionCounts, refusals: Mapping[str, int]) -> Values:
    """Return the values of a journey and of the version whose definition and counts these are."""
    values = dict(_measure_whole(row, seen, refusals))
    for id_, count in seen.steps.items():
        values |= _measure_step(id_, count)
    if journey:
        values |= _measure_flows(journey, seen.steps)
        values |= _measure_ways(journey.steps, seen.steps)
        values |= _measure_funnel(journey, seen.steps)
        values |= _version_parts(journey.steps, seen.steps)
    return values


def count_came(steps: Sequence[AnyStep], counts: Mapping[str, StepCounts]) -> int:
    """Return how many enrolments entered a version: those that came to its first step."""
    return counts.get(steps[0].id, StepCounts()).enrollments


def rank_steps(journey: Journey) -> list[list[AnyStep]]:
    """Return the steps by depth: those of ways beside each other stand side by side, whatever the file's order."""
    steps = {step.id: step for step in journey.steps}
    ways = [(flow.link.start, flow.link.end) for flow in find_flows(journey, {}) if flow.link.end in steps]
    return [[steps[id_] for id_ in rank] for rank in find_ranks(list(steps), ways)]


def _measure_whole(row: Row, seen: VersionCounts, refusals: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    yield "active", number(still_in(row))
    yield "refused", number(sum(refusals.values()))
    for word in ("enrolled", *_ENDS):
        yield word, number(row[f"total_{word}"])
        yield f"rate.{word}", percent(row[f"total_{word}"], row["total_enrolled"])
    yield "converted", number(seen.whole.converted)
    yield "rate.converted", interval(seen.whole.rate)
    yield "goal", count_goal(seen.whole)
    for reason, count in refusals.items():
        yield f"refused.{reason}", number(count)
    yield "part.numbers", version_of(bool(row["total_failed"]), list(refusals))


def _measure_step(id_: str, count: StepCounts) -> Values:
    values = {f"{word}.{id_}": number(getattr(count, word)) for word in _COUNTS}
    values |= {f"short.{word}.{id_}": short(getattr(count, word)) for word in _COUNTS}
    return values | {f"laps.{id_}": laps(count.laps)}


def _measure_flows(journey: Journey, counts: Mapping[str, StepCounts]) -> Values:
    values: Values = {}
    for place, flow in enumerate(find_flows(journey, counts)):
        values[f"flow.{place}"], values[f"stroke.{place}"] = flow.sentence, f"{flow.width:.1f}"
        values[f"label.{place}"], values[f"way.{place}"] = flow.label, f"{flow.link.label}: {flow.link.flow:,}"
    return values


def _measure_ways(steps: Sequence[AnyStep], counts: Mapping[str, StepCounts]) -> Values:
    values: Values = {}
    for step in steps:
        ways = name_ways(step, counts.get(step.id, StepCounts()))
        for place, count in enumerate(ways.values()):
            values[f"left.{place}.{step.id}"] = number(count)
            values[f"left.share.{place}.{step.id}"] = percent(count, sum(ways.values()))
    return values


def _measure_funnel(journey: Journey, counts: Mapping[str, StepCounts]) -> Values:
    came = count_came(journey.steps, counts)
    values = {"came": number(came)}
    for step in journey.steps:
        count = counts.get(step.id, StepCounts())
        values[f"share.{step.id}"] = percent(count.enrollments, came)
        values[f"funnel.{step.id}"] = number(count.enrollments)
        values[f"bar.{step.id}"] = f"{100 * count.enrollments / came if came else 0:.1f}"
        values[f"about.{step.id}"] = describe_box(step, summarize(step, journey.trigger_type), count)
    return values


def _version_parts(steps: Sequence[AnyStep], counts: Mapping[str, StepCounts]) -> Values:
    """Return what changes when numbers or rows come that had no place before."""
    seen = [counts.get(step.id, StepCounts()) for step in steps]
    return {
        "part.graph": version_of([name_counts(count) for count in seen], [bool(count.ways) for count in seen]),
        "part.steps": version_of([bool(count.ways) for count in seen]),
        "part.funnel": version_of(bool(count_came(steps, counts))),
    }

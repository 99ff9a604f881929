"""What became of those whom a SPLIT sent different ways: shares by variant, and whether chance explains them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import msgspec
from sqlalchemy import func, select

from models.journey import Journey
from models.listeners import Goal
from models.rows import EnrollmentRow, EnrollmentStepRow
from models.steps import ConditionStep, SplitStep
from streams.engine.listeners import GOAL
from streams.web.queries.history import LOOKED_THROUGH, STATUSES, newest
from streams.web.queries.query import Reader, Row
from streams.web.queries.statistics import Conversions, Rate, StepCounts, confidence, difference, rate

_MOST_CONDITIONS = 3
_SURE, _VERY_SURE = 0.95, 0.99
_OVER = STATUSES[1:]


class Outcome(msgspec.Struct, frozen=True):
    """Something that may come of an enrolment: for each variant how many it came of, and of how many."""

    name: str
    shares: Mapping[str, tuple[int, int]]

    def rate(self, variant: str) -> Rate | None:
        """Return a variant's share, with its interval."""
        return rate(*self.shares[variant])

    def gaps(self) -> list[tuple[str, str, Rate]]:
        """Return for each two variants by how much the first one's share is larger, with its interval."""
        pairs = combinations(self.shares, 2)
        found = ((one, other, difference(self.shares[one], self.shares[other])) for one, other in pairs)
        return [(one, other, gap) for one, other, gap in found if gap is not None]

    def verdict(self) -> list[str]:
        """Say in sentences which variants differ, and how sure that is."""
        return list(_judge(self.shares))


class Trial(msgspec.Struct, frozen=True):
    """A SPLIT: for how many enrolments each variant was drawn, and the outcomes."""

    step: SplitStep
    entered: Mapping[str, int]
    outcomes: Sequence[Outcome]


async def read_trials(reader: Reader, row: Row, journey: Journey, counts: Mapping[str, StepCounts]) -> list[Trial]:
    """Return the SPLITs of a journey's version; outcomes are those of the 5,000 newest enrolments that are over.

    How many reached the goal is of all who entered, and told last.
    """
    conditions = [step for step in journey.steps if isinstance(step, ConditionStep)][:_MOST_CONDITIONS]
    names = ["completed", *(f"yes at “{step.name or step.id}”" for step in conditions)]
    trials = []
    for step in journey.steps:
        if not isinstance(step, SplitStep):
            continue
        variants = [variant.name for variant in step.config.variants]
        found = {
            each["variant"]: each for each in await reader.fetch(_query(row, journey.version, step.id, conditions))
        }
        outcomes = [
            Outcome(name, {variant: _share(found.get(variant), place) for variant in variants})
            for place, name in enumerate(names)
        ]
        counted = counts.get(step.id, StepCounts())
        if journey.goal is not None:
            outcomes.append(_compare_goal(journey.goal, variants, counted))
        drawn = {variant: counted.conversions.get(variant, Conversions()).enrollments for variant in variants}
        trials.append(Trial(step, drawn, outcomes))
    return trials


def _compare_goal(goal: Goal, variants: Iterable[str], counts: StepCounts) -> Outcome:
    """Return how many of all who got each variant reached the goal by now, those still under way too."""
    reached = {variant: counts.conversions.get(variant, Conversions()) for variant in variants}
    name = f"reached the goal “{goal.name or GOAL}”"
    return Outcome(name, {variant: (one.converted, one.enrollments) for variant, one in reached.items()})


def _share(found: Row | None, place: int) -> tuple[int, int]:
    return (found[f"hits{place}"], found[f"all{place}"]) if found else (0, 0)


def _query(row: Row, version: int, split: str, conditions: Sequence[ConditionStep]) -> Any:
    table = EnrollmentRow
    mine = select(table.id, table.enrolled_at, table.status, table.version)
    mine = mine.where(table.tenant_id == row["tenant_id"], table.journey_id == row["id"])
    window = newest(mine, _OVER, None, LOOKED_THROUGH).subquery()
    answers = [_result(window, step.id, "result").label(f"answer{n}") for n, step in enumerate(conditions)]
    seen = select(_result(window, split, "variant").label("variant"), window.c.status, *answers)
    each = seen.where(window.c.version == version).subquery()
    columns = [func.count().label("all0"), func.count().filter(each.c.status == "COMPLETED").label("hits0")]
    for number in range(len(conditions)):
        answer = each.c[f"answer{number}"]
        columns.append(func.count(answer).label(f"all{number + 1}"))
        columns.append(func.count().filter(answer == "true").label(f"hits{number + 1}"))
    return select(each.c.variant, *columns).where(each.c.variant.is_not(None)).group_by(each.c.variant)


def _result(window: Any, step_id: str, name: str) -> Any:
    """Ask for a value that a step left with an enrolment, looked up by its key."""
    steps = EnrollmentStepRow
    query = select(steps.result[name].astext).where(steps.enrollment_id == window.c.id, steps.step_id == step_id)
    return query.scalar_subquery()


def _judge(shares: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    """Yield a sentence for each two variants; with more than two, each has to be surer to count."""
    pairs = list(combinations(shares, 2))
    sures = [confidence(shares[one], shares[other]) for one, other in pairs]
    if not any(sure is not None for sure in sures):
        yield "Too few to compare yet."
        return
    for (one, other), alone in zip(pairs, sures, strict=True):
        if not alone:
            yield f"“{one}” and “{other}”{' are alike so far.' if alone == 0 else ': too few to compare yet.'}"
            continue
        sure = max(0.0, 1 - (1 - alone) * len(pairs))
        better, worse = sorted((one, other), key=lambda name: -shares[name][0] / shares[name][1])
        if sure >= _SURE:
            level = 99 if sure >= _VERY_SURE else 95
            yield f"“{better}” does better than “{worse}”, {level} % sure: chance rarely makes such a difference."
        else:
            yield f"“{one}” and “{other}” do not differ for sure: chance alone may well explain it."

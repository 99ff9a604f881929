"""What a batch of activity adds to the counts: of steps and ways, of refusals, of hours, of journeys."""

from collections import Counter
from datetime import datetime
from typing import assert_never

from streams.engine.entries import EnrollmentRefused, GoalReached, OfEnrollment
from streams.engine.results import (
    NO_RESULT,
    ConditionResult,
    NoResult,
    Result,
    SendResult,
    SplitResult,
    UnknownResult,
    UpdateResult,
    WaitResult,
)
from streams.history.rows import StepCount

NEVER_REACHED = frozenset({"branch", "ended"})
"""Reasons of skipped steps that nobody came to, or whose wait was cut off: nothing was left out there."""


class Counts:
    """Additions to the counts; each is a count of what the records say, so that it holds at any batch size."""

    def __init__(self) -> None:
        self.totals: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.hours: Counter[tuple[str, datetime | None, str]] = Counter()
        self.unknown: Counter[str] = Counter()
        self._hour: datetime | None = None
        self._steps: dict[tuple[str, int, str, str], StepCount] = {}

    def turn_to(self, at: datetime) -> None:
        """Count in the hour of this moment from now on."""
        self._hour = at.replace(minute=0, second=0, microsecond=0)

    def add(self, journey_id: str, what: str) -> None:
        """Count an enrolment that began or ended: in all, and by the hour."""
        self.totals[journey_id, what] += 1
        self.hours[journey_id, self._hour, what] += 1

    def add_refusal(self, entry: EnrollmentRefused) -> None:
        """Count an entry that a journey refused; refusals that name no journey belong to none."""
        if isinstance(entry.journey_id, str):
            self.refusals[entry.journey_id, entry.reason] += 1

    def add_goal(self, entry: GoalReached) -> None:
        """Count a goal: for the version, for each variant that led there, and for the SEND that came last."""
        self.add(entry.journey_id, "converted")
        self.whole(entry).converted += 1
        place = entry.journey_id, entry.journey_version
        for step_id, variant in entry.variants.items():
            self.step(*place, step_id, variant).converted += 1
        if entry.last_send is not None:
            self.step(*place, entry.last_send.step_id).converted += 1

    def whole(self, entry: OfEnrollment) -> StepCount:
        """Return what is added to a version as a whole, which has no step's id."""
        return self.step(entry.journey_id, entry.journey_version, "")

    def step(self, journey_id: str, version: int, step_id: str, variant: str = "") -> StepCount:
        """Return what is added to a step, or to one of its ways out."""
        key = journey_id, version, step_id, variant
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = StepCount(*key)
        return found

    def add_result(self, step: StepCount, result: Result, *, is_first: bool) -> None:
        """Count what a completed step sent, or the way on that it chose; `is_first` on the step's first visit."""
        if result is NO_RESULT:
            return
        match result:
            case SendResult(channel=channel):
                self.hours[step.journey_id, self._hour, f"sent:{channel}"] += 1
            case ConditionResult(result=answer):
                self._add_way(step, "yes" if answer else "no")
            case SplitResult(variant=variant):
                self._add_way(step, variant).enrollments += is_first
            case WaitResult():
                self._add_end(step, result)
            case NoResult() | UpdateResult() | UnknownResult():
                pass
            case _:
                assert_never(result)

    def _add_end(self, step: StepCount, result: WaitResult) -> None:
        """Count what ended a WAIT with events or rules: yes if it came, and whether by rules or which event."""
        match result.ended or "":
            case "time":
                self._add_way(step, "no")
            case "event" | "rules" as came:
                self._add_way(step, "yes")
                self._add_way(step, f"event {result.listener}" if came == "event" else came)
            case _:
                pass

    def _add_way(self, step: StepCount, way: str) -> StepCount:
        count = self.step(step.journey_id, step.version, step.step_id, way)
        count.entered += 1
        count.completed += 1
        return count

    @property
    def journeys(self) -> set[str]:
        """All journeys that anything is counted of."""
        counted = {journey for journey, _ in self.totals} | {journey for journey, _ in self.refusals}
        return counted | {journey for journey, *_ in self._steps}

    @property
    def steps(self) -> list[StepCount]:
        """The additions to steps and ways, in one order for all batches: partitions share these rows."""
        return [self._steps[key] for key in sorted(self._steps)]

"""What the API takes and gives of journeys: how they stand, their versions, and what their steps have seen."""

from datetime import datetime
from typing import Any

from pydantic import Field

from models.journey import JourneyStatus
from streams.web.api.shapes import Shape
from streams.web.queries.statistics import Conversions, StepCounts


class JourneySummary(Shape):
    """How a journey stands, with its totals."""

    id: str
    tenant_id: str
    club_id: str | None
    name: str
    description: str | None
    status: JourneyStatus
    trigger_type: str
    campaign_id: str | None
    version: int
    revision: int
    total_enrolled: int
    total_completed: int
    total_exited: int
    total_failed: int
    total_converted: int
    activated_at: datetime | None
    paused_at: datetime | None
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    problem: str | None = Field(default=None, description="Why the workers do not have it as it stands, if so.")
    paused_because: str | None = Field(default=None, description="Why the breaker paused it, if it did.")


class JourneyDetail(JourneySummary):
    """A journey with its newest definition."""

    definition: dict[str, Any]


class Version(Shape):
    """One version of a journey."""

    version: int
    created_at: datetime
    created_by: str | None
    definition: dict[str, Any] | None = None


class Fault(Shape):
    """What is wrong with a journey, and with which step."""

    step: str | None
    text: str


class Verdict(Shape):
    """Whether a journey can be stored."""

    valid: bool
    problems: list[Fault]


class Clone(Shape):
    """The copy's name."""

    name: str = Field(min_length=1, max_length=255)


class Conversion(Shape):
    """How many enrolments there were and how many reached the goal: the share, and its 95 % interval (Wilson)."""

    enrollments: int
    converted: int
    share: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, counted: Conversions) -> "Conversion":
        """Return conversions with their rate, which nobody has of nothing."""
        rate = counted.rate
        numbers = {"enrollments": counted.enrollments, "converted": counted.converted}
        shares = {name: getattr(rate, name, None) for name in ("share", "low", "high")}
        return cls(**numbers, **shares)


class StepStatistics(Shape):
    """What a step of a version has seen: visits, but for `enrollments` that came at all and those `inside` now.

    `share` is the part of those who entered the journey that came here. `converted` counts goals that a SEND was
    the last command before, `conversions` the enrolments that got each variant of a SPLIT, and their goals.
    """

    step_id: str
    step_number: int
    type: str
    entered: int
    enrollments: int
    inside: int
    completed: int
    skipped: int
    failed: int
    converted: int
    share: float
    variants: dict[str, int]
    conversions: dict[str, Conversion]

    @classmethod
    def of(cls, id_: str, number: int, type_: str, counts: StepCounts, total: int) -> "StepStatistics":
        """Return what a step's counts say where so many enrolments entered the journey."""
        words = ("entered", "enrollments", "inside", "completed", "skipped", "failed", "converted")
        return cls(
            step_id=id_, step_number=number, type=type_, **{word: getattr(counts, word) for word in words},
            share=counts.enrollments / total if total else 0.0, variants=dict(counts.ways),
            conversions={name: Conversion.of(one) for name, one in counts.conversions.items()},
        )  # fmt: skip


class Statistics(Shape):
    """A journey's version as a funnel, how many reached its goal if it has one, and what the journey refused."""

    version: int
    goal: Conversion | None
    steps: list[StepStatistics]
    refused: dict[str, int]

"""A journey as authored: its trigger, its settings and its steps (frozen, camelCase in files)."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from models import limits
from models.definition import Definition
from models.form import Since
from models.ids import journey_id
from models.listeners import Exit, Follow, Goal
from models.rules import Condition
from models.steps import AnyStep, Step

MANUAL = "MANUAL"

_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_NOBODY = "00000000-0000-0000-0000-000000000000"


class JourneyStatus(StrEnum):
    """Where a journey stands; only ACTIVE enrols (R29)."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ARCHIVED = "ARCHIVED"


class JourneyTrigger(Definition):
    """Conditions on the event that hold before the journey is entered."""

    conditions: tuple[Condition, ...] = ()


class Journey(Definition):
    """One version of a journey, as its file says; `id`, step numbers and step ids are filled in."""

    tenant_id: str = Field(min_length=1, max_length=limits.TENANT_ID, pattern=limits.TENANT_PATTERN)
    name: str = Field(min_length=1, max_length=limits.NAME)
    id: str = Field(pattern=_UUID)
    version: int = Field(default=1, ge=1, le=limits.COUNT)
    status: JourneyStatus | None = None
    club_id: Annotated[str, Field(max_length=limits.LABEL)] | None = None
    description: str | None = None
    trigger_type: str = Field(min_length=1, max_length=limits.LABEL)
    trigger_config: JourneyTrigger = JourneyTrigger()
    campaign_id: Annotated[str, Field(max_length=limits.NAME)] | None = None
    allow_reentry: bool = False
    reentry_after: str | None = None
    enrollment_key: str | None = None
    max_enrollments: int | None = Field(default=None, ge=1, le=limits.COUNT, strict=True)
    timezone: str = "UTC"
    exits: Annotated[tuple[Exit, ...] | None, Since(2)] = Field(default=None, max_length=limits.LISTENERS)
    goal: Annotated[Goal | None, Since(2)] = None
    follow: Annotated[tuple[Follow, ...] | None, Since(2)] = Field(default=None, max_length=limits.LISTENERS)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=limits.STEPS)

    @model_validator(mode="before")
    @classmethod
    def _name_journey(cls, journey: Any) -> Any:
        """Give a journey without an id the one that its tenant and name stand for."""
        if not isinstance(journey, dict) or journey.get("id") is not None:
            return journey
        tenant, name = journey.get("tenantId", journey.get("tenant_id")), journey.get("name")
        if not isinstance(tenant, str) or not isinstance(name, str):
            return journey | {"id": _NOBODY}  # the missing name is the problem to report, not the id
        return journey | {"id": journey_id(tenant, name)}

    @field_validator("steps")
    @classmethod
    def _number_steps(cls, steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
        """Number steps by position from 1, name them "step-<number>", and put them in order of number."""
        numbered = []
        for position, step in enumerate(steps, start=1):
            number = step.step_number or position
            numbered.append(step.model_copy(update={"step_number": number, "id": step.id or f"step-{number}"}))
        return tuple(sorted(numbered, key=lambda step: step.step_number))

    def plain(self) -> dict[str, Any]:
        """Return the journey as plain data, as its file would hold it, without its status."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"status"})

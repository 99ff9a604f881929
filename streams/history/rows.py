"""The rows of Postgres that a batch of activity changes, as the fold sees them; field names are column names."""

from datetime import datetime
from typing import Any, Literal

import msgspec

EnrollmentStatus = Literal["ACTIVE", "COMPLETED", "EXITED", "FAILED"]
StepStatus = Literal["IN_PROGRESS", "COMPLETED", "SKIPPED", "FAILED"]
Moment = datetime | str
"""A time; text where it came from a row and goes back into it."""


class Enrollment(msgspec.Struct, gc=False):
    """A row of journey_enrollments. `is_new` says that this batch began it, or that its beginning is not known.

    Of one that is not new, `trigger_data` has only what changed, unless it was read for a record that comes late.
    """

    id: str
    is_new: bool = True
    status: EnrollmentStatus = "ACTIVE"
    current_step_id: str | None = None
    current_step_number: int = 0
    waiting_until: Moment | None = None
    completed_at: Moment | None = None
    exited_at: Moment | None = None
    exit_reason: str | None = None
    detail: str | None = None
    converted_at: Moment | None = None
    tenant_id: str = ""
    club_id: str | None = None
    journey_id: str = ""
    version: int = 0
    customer_id: str = ""
    enrollment_key: str = ""
    entry_number: int = 1
    enrolled_at: Moment | None = None
    trigger_data: dict[str, Any] | None = None


class Step(msgspec.Struct, gc=False):
    """A row of journey_enrollment_steps; one without a status is not in the table yet."""

    enrollment_id: str
    step_id: str
    step_number: int = 0
    status: StepStatus | None = None
    visits: int = 0
    entered_at: Moment | None = None
    completed_at: Moment | None = None
    result: msgspec.Raw | dict[str, Any] | None = None


class StepCount(msgspec.Struct, gc=False):
    """What a batch adds to a row of journey_step_counts; without a step's id, to that of the whole version."""

    journey_id: str
    version: int
    step_id: str
    variant: str
    entered: int = 0
    enrollments: int = 0
    inside: int = 0
    completed: int = 0
    skipped: int = 0
    failed: int = 0
    converted: int = 0

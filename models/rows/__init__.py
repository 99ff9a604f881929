"""The tables of Postgres: journeys as authored, history as projected; the only place that knows their columns."""

from models.rows.authored import (
    JourneyRow,
    JourneyStepRow,
    JourneyVersionRow,
)
from models.rows.base import Row
from models.rows.history import (
    ActivityRow,
    CustomerRow,
    EnrollmentRow,
    EnrollmentStepRow,
    FailureCountRow,
    HourCountRow,
    ParkedRow,
    PositionRow,
    RefusalCountRow,
    StepCountRow,
)
from models.rows.operation import (
    AuditRow,
    DeadLetterStateRow,
    OutboxRow,
    RunRow,
    TokenRow,
)

__all__ = [
    "ActivityRow",
    "AuditRow",
    "CustomerRow",
    "DeadLetterStateRow",
    "EnrollmentRow",
    "EnrollmentStepRow",
    "FailureCountRow",
    "HourCountRow",
    "JourneyRow",
    "JourneyStepRow",
    "JourneyVersionRow",
    "OutboxRow",
    "ParkedRow",
    "PositionRow",
    "RefusalCountRow",
    "Row",
    "RunRow",
    "StepCountRow",
    "TokenRow",
]

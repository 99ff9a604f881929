"""The tables of history: what the projection makes of activity."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from models.rows.base import NONE, ONE, ZERO, Id, Row, in_calendar, of_journey, one_of


class CustomerRow(Row):
    """A customer's profile as the activity topic last told it; deleting it deletes all history of the customer."""

    __tablename__ = "customers"
    __table_args__ = (*in_calendar("created_at", "updated_at"),)

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class EnrollmentRow(Row):
    """One entry of a customer into a journey, ACTIVE or over."""

    __tablename__ = "journey_enrollments"
    __table_args__ = (
        ForeignKeyConstraint(
            ["tenant_id", "customer_id"], ["customers.tenant_id", "customers.customer_id"], ondelete="CASCADE"
        ),
        UniqueConstraint(
            "journey_id", "customer_id", "enrollment_key", "entry_number", name="uq_enrollments_entry"
        ),
        Index("ix_enrollments_status", "tenant_id", "journey_id", "status", "enrolled_at", "id"),
        Index("ix_enrollments_customer", "customer_id", "tenant_id"),
        Index(
            "ix_enrollments_due",
            "waiting_until",
            postgresql_include=["tenant_id", "journey_id"],
            postgresql_where=text("waiting_until IS NOT NULL"),
        ),
        Index(
            "ix_enrollments_step", "journey_id", "current_step_id", "id", postgresql_where=text("status = 'ACTIVE'")
        ),
        one_of("status", "ACTIVE", "COMPLETED", "EXITED", "FAILED"),
        *in_calendar("waiting_until", "enrolled_at", "completed_at", "exited_at", "converted_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    club_id: Mapped[str | None]
    journey_id: Mapped[Id] = mapped_column(of_journey())
    version: Mapped[int]
    customer_id: Mapped[str]
    enrollment_key: Mapped[str] = mapped_column(server_default=NONE)
    entry_number: Mapped[int] = mapped_column(server_default=ONE)
    status: Mapped[str]
    current_step_id: Mapped[str | None]
    current_step_number: Mapped[int] = mapped_column(server_default=ZERO)
    waiting_until: Mapped[datetime | None]
    enrolled_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    exited_at: Mapped[datetime | None]
    exit_reason: Mapped[str | None]
    detail: Mapped[str | None]
    trigger_data: Mapped[dict[str, Any] | None]
    """The data of the event that enrolled, as followed since (R42)."""
    converted_at: Mapped[datetime | None]
    """When the goal was reached, also after the end (R40)."""


class EnrollmentStepRow(Row):
    """What became of a step for one enrolment; a step of its version without a row is PENDING."""

    __tablename__ = "journey_enrollment_steps"
    __table_args__ = (
        Index(
            "ix_journey_enrollment_steps_message",
            text("(result ->> 'messageId')"),
            postgresql_where=text("result ? 'messageId'"),
        ),
        one_of("status", "PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "SKIPPED"),
        *in_calendar("entered_at", "completed_at"),
    )

    enrollment_id: Mapped[Id] = mapped_column(
        ForeignKey("journey_enrollments.id", ondelete="CASCADE"), primary_key=True
    )
    step_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(Computed("md5(enrollment_id::text || ':' || step_id)::uuid", persisted=True))
    step_number: Mapped[int]
    status: Mapped[str]
    visits: Mapped[int] = mapped_column(server_default=ZERO)
    entered_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]


class StepCountRow(Row):
    """How often a step of a journey's version was passed, and how many enrolments are there now.

    `entered`, `completed`, `skipped` and `failed` count visits, `enrollments` those who came at all, each once.
    `variant` names a way out of a SPLIT, CONDITION or WAIT; of the ways of the latter two, an enrolment may take
    several, and `enrollments` is 0. `converted` counts goals: of enrolments with a SPLIT's variant, or whose last
    command before it was of a SEND. The row without a step's id is that of the version as a whole.
    """

    __tablename__ = "journey_step_counts"

    journey_id: Mapped[Id] = mapped_column(of_journey(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    entered: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    enrollments: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    inside: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    completed: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    skipped: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    failed: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    converted: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class RefusalCountRow(Row):
    """How often a journey refused an entry, by reason."""

    __tablename__ = "journey_refusal_counts"

    journey_id: Mapped[Id] = mapped_column(of_journey(), primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    refused: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class HourCountRow(Row):
    """What happened in a journey within an hour: enrolled, completed, exited, failed, converted, sent:<channel>."""

    __tablename__ = "journey_hours"
    __table_args__ = (Index(None, "hour"),)

    journey_id: Mapped[Id] = mapped_column(of_journey(), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class FailureCountRow(Row):
    """How many enrolments of a journey failed in a second, by when that was written; the breaker's window of it."""

    __tablename__ = "journey_failures"

    journey_id: Mapped[Id] = mapped_column(of_journey(), primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)


class ActivityRow(Row):
    """One activity record: the timeline, and with `refused` the answer to "why not"."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_refused", "tenant_id", "customer_id", "at", "offset", postgresql_where=text("refused")),
        Index("ix_activity_refused_at", "tenant_id", "at", "offset", postgresql_where=text("refused")),
        Index("ix_activity_at", "at", postgresql_using="brin"),
        *in_calendar("at"),
    )

    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    activity_id: Mapped[Id]
    club_id: Mapped[str | None]
    cause: Mapped[dict[str, Any]] = mapped_column(JSON)
    """JSON, not JSONB: only ever read whole, and written at a quarter of the cost."""
    entries: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    refused: Mapped[bool] = mapped_column(Boolean)


class PositionRow(Row):
    """The next offset to project, written in the transaction that wrote all before it."""

    __tablename__ = "projection_positions"

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger)


class ParkedRow(Row):
    """An activity record that the history could not hold: as it came, and why not."""

    __tablename__ = "history_parked"
    # A hash: a customer's id may be as long as it likes here.
    __table_args__ = (Index("ix_history_parked_customer", "customer_id", postgresql_using="hash"),)

    topic: Mapped[str] = mapped_column(primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    tenant_id: Mapped[str | None]
    customer_id: Mapped[str | None]
    record: Mapped[bytes] = mapped_column(LargeBinary)
    error: Mapped[str]

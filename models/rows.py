"""The tables of Postgres: journeys as authored, history as projected; the only file that knows their columns."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}


Id = Annotated[str, mapped_column(Uuid(as_uuid=False))]
"""A UUID, as text in Python."""


class Row(DeclarativeBase):
    """What all tables share: how Python types and constraint names are written in Postgres."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {  # noqa: RUF012 - read by SQLAlchemy, which wants a plain dict
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
    }


def _one_of(column: str, *words: str) -> CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def _in_calendar(*columns: str) -> list[CheckConstraint]:
    """Keep to the years that a datetime has: a moment beyond them could be written, and read by nobody."""
    return [
        CheckConstraint(f"{column} >= '0001-01-01 00:00Z' AND {column} < '10000-01-01 00:00Z'", name=column)
        for column in columns
    ]


_none = text("''")
_zero = text("0")
_one = text("1")


def _journey() -> ForeignKey:
    return ForeignKey("journeys.id", ondelete="CASCADE")


class JourneyRow(Row):
    """A journey as it stands now: its newest version's settings, its status, and its totals."""

    __tablename__ = "journeys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("tenant_id", "campaign_id"),
        Index(None, "tenant_id", "status"),
        Index(None, "tenant_id", "trigger_type"),
        _one_of("status", "DRAFT", "ACTIVE", "PAUSED", "ARCHIVED"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    club_id: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default="DRAFT")
    trigger_type: Mapped[str]
    trigger_config: Mapped[dict[str, Any] | None]
    campaign_id: Mapped[str | None]
    allow_reentry: Mapped[bool] = mapped_column(server_default=text("false"))
    reentry_after: Mapped[str | None]
    enrollment_key: Mapped[str | None]
    max_enrollments: Mapped[int | None]
    timezone: Mapped[str] = mapped_column(server_default="UTC")
    version: Mapped[int] = mapped_column(server_default=_one)
    revision: Mapped[int] = mapped_column(BigInteger, server_default=_one)
    """Grows with every change, of status too: followers of the definitions topic never go back."""
    total_enrolled: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    total_completed: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    total_exited: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    total_failed: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    total_converted: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    activated_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    """Why the workers do not have its newest version or status, if they do not: Kafka refused it."""


class JourneyVersionRow(Row):
    """One version of a journey, whole, for as long as the journey is kept."""

    __tablename__ = "journey_versions"

    journey_id: Mapped[Id] = mapped_column(_journey(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str | None]


class JourneyStepRow(Row):
    """A step of a journey's newest version; `id` is as authored."""

    __tablename__ = "journey_steps"
    __table_args__ = (
        UniqueConstraint("journey_id", "step_number"),
        _one_of("type", "TRIGGER", "SEND", "WAIT", "CONDITION", "SPLIT", "UPDATE", "END"),
    )

    journey_id: Mapped[Id] = mapped_column(_journey(), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    step_number: Mapped[int]
    type: Mapped[str]
    name: Mapped[str | None]
    config: Mapped[dict[str, Any]]
    next_step_id: Mapped[str | None]
    next_step_yes_id: Mapped[str | None]
    next_step_no_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class CustomerRow(Row):
    """A customer's profile as the activity topic last told it; deleting it deletes all history of the customer."""

    __tablename__ = "customers"
    __table_args__ = (*_in_calendar("created_at", "updated_at"),)

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
        _one_of("status", "ACTIVE", "COMPLETED", "EXITED", "FAILED"),
        *_in_calendar("waiting_until", "enrolled_at", "completed_at", "exited_at", "converted_at"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    tenant_id: Mapped[str]
    club_id: Mapped[str | None]
    journey_id: Mapped[Id] = mapped_column(_journey())
    version: Mapped[int]
    customer_id: Mapped[str]
    enrollment_key: Mapped[str] = mapped_column(server_default=_none)
    entry_number: Mapped[int] = mapped_column(server_default=_one)
    status: Mapped[str]
    current_step_id: Mapped[str | None]
    current_step_number: Mapped[int] = mapped_column(server_default=_zero)
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
        _one_of("status", "PENDING", "IN_PROGRESS", "COMPLETED", "FAILED", "SKIPPED"),
        *_in_calendar("entered_at", "completed_at"),
    )

    enrollment_id: Mapped[Id] = mapped_column(
        ForeignKey("journey_enrollments.id", ondelete="CASCADE"), primary_key=True
    )
    step_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[Id] = mapped_column(Computed("md5(enrollment_id::text || ':' || step_id)::uuid", persisted=True))
    step_number: Mapped[int]
    status: Mapped[str]
    visits: Mapped[int] = mapped_column(server_default=_zero)
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

    journey_id: Mapped[Id] = mapped_column(_journey(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step_id: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[str] = mapped_column(primary_key=True)
    entered: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    enrollments: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    inside: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    completed: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    skipped: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    failed: Mapped[int] = mapped_column(BigInteger, server_default=_zero)
    converted: Mapped[int] = mapped_column(BigInteger, server_default=_zero)


class RefusalCountRow(Row):
    """How often a journey refused an entry, by reason."""

    __tablename__ = "journey_refusal_counts"

    journey_id: Mapped[Id] = mapped_column(_journey(), primary_key=True)
    reason: Mapped[str] = mapped_column(primary_key=True)
    refused: Mapped[int] = mapped_column(BigInteger, server_default=_zero)


class HourCountRow(Row):
    """What happened in a journey within an hour: enrolled, completed, exited, failed, converted, sent:<channel>."""

    __tablename__ = "journey_hours"
    __table_args__ = (Index(None, "hour"),)

    journey_id: Mapped[Id] = mapped_column(_journey(), primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, server_default=_zero)


class ActivityRow(Row):
    """One activity record: the timeline, and with `refused` the answer to "why not"."""

    __tablename__ = "activity"
    __table_args__ = (
        Index("ix_activity_refused", "tenant_id", "customer_id", "at", "offset", postgresql_where=text("refused")),
        Index("ix_activity_refused_at", "tenant_id", "at", "offset", postgresql_where=text("refused")),
        Index("ix_activity_at", "at", postgresql_using="brin"),
        *_in_calendar("at"),
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


class OutboxRow(Row):
    """A record on its way to the definitions topic, gone once it is there; `value` is null for a tombstone.

    One that Kafka refused has a time at which it is tried again, and the journey's `problem` says why.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str]
    value: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    retry_at: Mapped[datetime | None]


class AuditRow(Row):
    """Who changed what, when, and how it was before."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "tenant_id", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    tenant_id: Mapped[str]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]


class TokenRow(Row):
    """A token of the API: whose, for which tenant ("*": all) and role; of the token itself only its SHA-256."""

    __tablename__ = "access_tokens"
    __table_args__ = (UniqueConstraint("name"), _one_of("role", "read", "write", "admin"))

    hash: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tenant_id: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[datetime]


class RunRow(Row):
    """An enrolment or exit of many customers by hand, and how far it is; whom it is about is kept until its end."""

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "idempotency_key"),
        Index("ix_runs_open", "id", postgresql_where=text("finished_at IS NULL")),
        _one_of("action", "enroll", "exit"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str]
    journey_id: Mapped[Id] = mapped_column(_journey())
    idempotency_key: Mapped[str]
    action: Mapped[str]
    total: Mapped[int]
    done: Mapped[int] = mapped_column(server_default=_zero)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    finished_at: Mapped[datetime | None]
    customer_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    data: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]

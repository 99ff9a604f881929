"""The tables of journeys as they are authored: each with its versions and steps."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Index,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.rows.base import ONE, ZERO, Id, Row, of_journey, one_of


class JourneyRow(Row):
    """A journey as it stands now: its newest version's settings, its status, and its totals."""

    __tablename__ = "journeys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        UniqueConstraint("tenant_id", "campaign_id"),
        Index(None, "tenant_id", "status"),
        Index(None, "tenant_id", "trigger_type"),
        one_of("status", "DRAFT", "ACTIVE", "PAUSED", "ARCHIVED"),
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
    version: Mapped[int] = mapped_column(server_default=ONE)
    revision: Mapped[int] = mapped_column(BigInteger, server_default=ONE)
    """Grows with every change, of status too: followers of the definitions topic never go back."""
    total_enrolled: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_completed: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_exited: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_failed: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    total_converted: Mapped[int] = mapped_column(BigInteger, server_default=ZERO)
    activated_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str | None]
    deleted_at: Mapped[datetime | None]
    paused_because: Mapped[str | None]
    """Why the breaker paused it, if it did and nobody has moved it since."""
    problem: Mapped[str | None]
    """Why the workers do not have its newest version or status, if they do not: Kafka refused it."""


class JourneyVersionRow(Row):
    """One version of a journey, whole, for as long as the journey is kept."""

    __tablename__ = "journey_versions"

    journey_id: Mapped[Id] = mapped_column(of_journey(), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    definition: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    created_by: Mapped[str | None]


class JourneyStepRow(Row):
    """A step of a journey's newest version; `id` is as authored."""

    __tablename__ = "journey_steps"
    __table_args__ = (
        UniqueConstraint("journey_id", "step_number"),
        one_of("type", "TRIGGER", "SEND", "WAIT", "CONDITION", "SPLIT", "UPDATE", "END"),
    )

    journey_id: Mapped[Id] = mapped_column(of_journey(), primary_key=True)
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

"""The tables of operation: what is to be published, who changed what, tokens and runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from models.rows.base import ZERO, Id, Row, of_journey, one_of


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


class DeadLetterStateRow(Row):
    """What became of a dead letter; one without a row is open.

    `written_at` is the record's own time: where the topic was made anew, its offsets begin again.
    """

    __tablename__ = "dead_letter_states"

    partition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    offset: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    written_at: Mapped[datetime] = mapped_column(primary_key=True)
    state: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]


class TokenRow(Row):
    """A token of the API: whose, for which tenant ("*": all) and role; of the token itself only its SHA-256."""

    __tablename__ = "access_tokens"
    __table_args__ = (UniqueConstraint("name"), one_of("role", "read", "write", "admin"))

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
        one_of("action", "enroll", "exit"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[str]
    journey_id: Mapped[Id] = mapped_column(of_journey())
    idempotency_key: Mapped[str]
    action: Mapped[str]
    total: Mapped[int]
    done: Mapped[int] = mapped_column(server_default=ZERO)
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    finished_at: Mapped[datetime | None]
    customer_ids: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    data: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]

"""What all tables share: names of constraints, ids, and checks of words and moments."""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    MetaData,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

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


def one_of(column: str, *words: str) -> CheckConstraint:
    """Keep to these words."""
    allowed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def in_calendar(*columns: str) -> list[CheckConstraint]:
    """Keep to the years that a datetime has: a moment beyond them could be written, and read by nobody."""
    return [
        CheckConstraint(f"{column} >= '0001-01-01 00:00Z' AND {column} < '10000-01-01 00:00Z'", name=column)
        for column in columns
    ]


NONE = text("''")
ZERO = text("0")
ONE = text("1")


def of_journey() -> ForeignKey:
    """Go with the journey."""
    return ForeignKey("journeys.id", ondelete="CASCADE")

"""Long lists a page at a time: where a page ended is a key of its last row, which the next one begins beyond.

A page costs the same however far down a list it is, and rows that come in the meantime shift nothing. A cursor
is that key as text; a client hands it back as it came.
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, literal, tuple_

from streams.errors import FairwayError
from streams.web.queries.query import Row

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*\Z")]
Id = UUID
_YEARS = range(1970, 3000)  # what events have; Postgres and Python count beyond them in ways of their own


class BadCursorError(FairwayError):
    """A cursor that no page of this list gave."""

    def __init__(self) -> None:
        super().__init__("The cursor is not one of ours; start without it.")


class Page(msgspec.Struct, frozen=True):
    """Some rows of a list; `next` is where to go on, None at its end."""

    rows: list[Row]
    next: str | None = None


class Keyset:
    """An order of rows by columns that together tell each row apart: (name, kind) each, all up or all down."""

    def __init__(self, *columns: tuple[str, Any], down: bool) -> None:
        self._names = [name for name, _ in columns]
        self._kind = tuple.__class_getitem__(tuple(kind for _, kind in columns))
        self._down = down

    def order(self, source: Any) -> list[ColumnElement[Any]]:
        """Return what to order by; `source` has the columns as attributes."""
        columns = [getattr(source, name) for name in self._names]
        return [column.desc() for column in columns] if self._down else columns

    def beyond(self, source: Any, cursor: str | None) -> list[ColumnElement[bool]]:
        """Return the conditions for rows beyond a cursor: none without one. Raises BadCursorError."""
        if cursor is None:
            return []
        columns = [getattr(source, name) for name in self._names]
        key = read_cursor(cursor, self._kind)
        place = tuple_(
            *(
                literal(str(part) if isinstance(part, UUID) else part, column.type)
                for part, column in zip(key, columns, strict=True)
            )
        )
        return [tuple_(*columns) < place if self._down else tuple_(*columns) > place]

    def cursor(self, row: Row) -> str:
        """Return the cursor of a row."""
        return write_cursor([row[name] for name in self._names])

    def page(self, rows: Sequence[Row], limit: int) -> Page:
        """Return up to so many of the rows that were read, which are one more where there is a next page."""
        return Page(list(rows[:limit]), self.cursor(rows[limit - 1]) if len(rows) > limit else None)


def write_cursor(key: Any) -> str:
    """Return plain data as a cursor."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def read_cursor(cursor: str, kind: Any) -> Any:
    """Return the data of a cursor; raises BadCursorError for what is none of this kind."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        key = msgspec.json.decode(raw, type=kind)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise BadCursorError from None
    if any(isinstance(part, datetime) and part.year not in _YEARS for part in key):
        raise BadCursorError
    return key

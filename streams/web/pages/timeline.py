"""A timeline: activity records in words, newest first, a page at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec
from starlette.requests import Request

from streams.history.wording import describe, describe_cause
from streams.web.pages.site import with_query
from streams.web.queries.query import PAGE, Row


class DescribedRecord(msgspec.Struct, frozen=True):
    """An activity record in words; `pause` is how long nothing had happened before it."""

    at: datetime
    cause: str
    kind: str
    entries: list[Any]
    raw: Mapping[str, Any]
    pause: Any


def describe_records(records: Sequence[Row], enrollment_id: str = "") -> list[DescribedRecord]:
    """Return records in words, with the entries of one enrolment alone, if one is named."""
    found = []
    for record, before in zip_longest(records, records[1:]):
        mine = [
            describe(entry)
            for entry in record["entries"]
            if not enrollment_id or entry.get("enrollmentId") == enrollment_id
        ]
        kinds = [entry.kind for entry in mine]
        kind = next((kind for kind in ("bad", "warn", "waits", "good", "gone") if kind in kinds), "")
        pause = record["at"] - before["at"] if before else None
        raw = {name: record[name] for name in ("at", "activity_id", "cause", "entries")}
        found.append(DescribedRecord(record["at"], describe_cause(record["cause"]), kind, mine, raw, pause))
    return found


def read_place(given: str | None) -> tuple[datetime, int] | None:
    """Return the place in a timeline that an address names; None for none, or for one that can't be read."""
    at, _, offset = (given or "").partition("~")
    try:
        return datetime.fromisoformat(at), int(offset)
    except ValueError:
        return None


def write_place(at: datetime, last: int | str) -> str:
    """Return a place as an address names it: when, and which of that moment."""
    return f"{at.isoformat()}~{last}"


def older(request: Request, records: Sequence[Row]) -> str | None:
    """Return the address of the next page; None if there is none."""
    if len(records) <= PAGE:
        return None
    last = records[PAGE - 1]
    before = write_place(last["at"], last["offset"])
    return with_query(request.url.path, dict(request.query_params) | {"before": before})

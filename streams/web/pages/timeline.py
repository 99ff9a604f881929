"""A timeline: activity records in words, newest first, a page at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec

from streams.history.wording import describe, describe_cause
from streams.web.queries.query import Row


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


def describe_refusals(records: Sequence[Row], journey_id: str = "", reason: str = "") -> list[tuple[Row, Any]]:
    """Return each refusal with its record: those of one journey, for one reason, if they are named."""
    return [
        (record, describe(entry))
        for record in records
        for entry in record["entries"]
        if entry["type"] == "enrollment.refused"
        if not journey_id or entry.get("journeyId") == journey_id
        if not reason or entry["reason"] == reason
    ]

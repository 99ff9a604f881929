"""A timeline: activity records in words, newest first, a page at a time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec

from streams.engine.entries import EnrollmentRefused
from streams.history.records import read_cause, read_entries
from streams.history.wording import Description, describe, describe_cause
from streams.web.queries.query import Row


class DescribedRecord(msgspec.Struct, frozen=True):
    """An activity record in words; `pause` is how long nothing had happened before it."""

    at: datetime
    cause: str
    kind: str
    entries: list[Description]
    raw: Mapping[str, Any]
    pause: Any


def describe_records(records: Sequence[Row], enrollment_id: str = "") -> list[DescribedRecord]:
    """Return records in words, with the entries of one enrolment alone, if one is named."""
    found = []
    for record, before in zip_longest(records, records[1:]):
        mine = [
            entry
            for entry in map(describe, read_entries(record["entries"], record["at"]))
            if not enrollment_id or entry.enrollment_id == enrollment_id
        ]
        kinds = [entry.kind for entry in mine]
        kind = next((kind for kind in ("bad", "warn", "waits", "good", "gone") if kind in kinds), "")
        pause = record["at"] - before["at"] if before else None
        raw = {name: record[name] for name in ("at", "activity_id", "cause", "entries")}
        cause = describe_cause(read_cause(record["cause"]))
        found.append(DescribedRecord(record["at"], cause, kind, mine, raw, pause))
    return found


def describe_refusals(
    records: Sequence[Row], journey_id: str = "", reason: str = ""
) -> list[tuple[Row, str, Description]]:
    """Return each refusal, of a journey or for a reason alone, with its record and that record's cause in words."""
    return [
        (record, describe_cause(read_cause(record["cause"])), describe(entry))
        for record in records
        for entry in read_entries(record["entries"], record["at"])
        if isinstance(entry, EnrollmentRefused)
        if not journey_id or entry.journey_id == journey_id
        if not reason or entry.reason == reason
    ]

"""Activity records as history reads them: decoded once, into the entries that the engine writes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Union, get_args

import msgspec

from streams.engine.effects import Cause
from streams.engine.entries import Entry, OfStep, OtherEntry, StepCompleted
from streams.engine.results import decode_result


class RawStepCompleted(OfStep, frozen=True, tag="step.completed"):
    """A completed step as it lies in a record: its result is kept as it is written."""

    entered_at: datetime
    completed_at: datetime
    result: msgspec.Raw


class UnknownEntry(msgspec.Struct, frozen=True, gc=False):
    """An entry of a kind that this version does not know, or whose fields were hidden."""

    type: str
    journey_id: str = ""
    enrollment_id: str = ""


StoredEntry = RawStepCompleted | OtherEntry | UnknownEntry
"""An entry as history stores it."""

AnyEntry = Entry | UnknownEntry
"""An entry as it is told."""


class Record(msgspec.Struct, frozen=True, gc=False):
    """An activity record; `cause` and `text` are the JSON of its cause and of its entries, as they were written."""

    activity_id: str
    at: datetime
    tenant_id: str
    club_id: str | None
    customer_id: str
    cause: str
    text: str
    entries: Sequence[StoredEntry]
    offset: int


class _Envelope(msgspec.Struct, gc=False, rename="camel"):
    activity_id: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    tenant_id: str
    customer_id: str
    cause: msgspec.Raw
    entries: msgspec.Raw
    club_id: str | None = None


_KINDS = (RawStepCompleted, *get_args(OtherEntry))
_TYPES = [kind.__struct_config__.tag for kind in _KINDS]
_decode_record = msgspec.json.Decoder(_Envelope).decode
_decode_entry = msgspec.json.Decoder(Union[_KINDS]).decode  # noqa: UP007
_decode_entries = msgspec.json.Decoder(list[Union[_KINDS]]).decode  # type: ignore[valid-type]  # noqa: UP007
_decode_fields = msgspec.json.Decoder(list[dict[str, Any]]).decode

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_TIMES = ("enrolledAt", "at", "enteredAt", "completedAt")
_LACKING: dict[str, Any] = {  # what records of an earlier form lack
    "journeyVersion": 0, "entryNumber": 1, "enrollmentKey": "", "triggerData": {}, "stepId": "", "stepNumber": 0,
    "visit": 1, "detail": None, "changes": [],
}  # fmt: skip


def read_record(value: bytes, offset: int) -> Record:
    """Return the activity record of a message; raises ValueError or RecursionError for one that is none."""
    if b"\\" in value and b"\\u0000" in value:  # Postgres has no place for it; the first test is the fast one
        value = _NUL.sub(rb"\1\\ufffd", value)
    given = _decode_record(value)
    cause, text = str(given.cause, "utf-8"), str(given.entries, "utf-8")
    if not cause.startswith("{"):
        raise ValueError("'cause' is no object")
    try:
        entries = _decode_entries(given.entries)
    except msgspec.ValidationError:  # a kind that is not known, or an earlier form
        entries = [_read_entry(fields, given.at) for fields in _decode_fields(given.entries)]
    return Record(
        given.activity_id, given.at, given.tenant_id, given.club_id, given.customer_id, cause,
        text, entries, offset,
    )  # fmt: skip


def read_cause(fields: Mapping[str, Any]) -> Cause:
    """Return a record's cause that was kept as JSON; of one in another form, its kind."""
    try:
        return msgspec.convert(fields, Cause)
    except msgspec.ValidationError:
        return Cause(str(fields.get("kind")))


def read_entries(entries: Iterable[Mapping[str, Any]], at: datetime) -> list[AnyEntry]:
    """Return entries that were kept as JSON; what can't be read is an UnknownEntry, since fields may be hidden."""
    return [_read_kept(fields, at) for fields in entries]


def _read_kept(fields: Mapping[str, Any], at: datetime) -> AnyEntry:
    try:
        entry = _read_entry(fields, at)
    except msgspec.ValidationError:
        entry = _name_entry(fields)
    if not isinstance(entry, RawStepCompleted):
        return entry
    return StepCompleted(
        entry.journey_id, entry.journey_version, entry.enrollment_id, entry.step_id, entry.step_number, entry.visit,
        entry.entered_at, entry.completed_at, decode_result(entry.result),
    )  # fmt: skip


def _read_entry(fields: Mapping[str, Any], at: datetime) -> StoredEntry:
    """Return an entry from its fields; raises msgspec.ValidationError where one is wrong."""
    if fields.get("type") not in _TYPES:
        return _name_entry(fields)
    try:
        return _decode_entry(msgspec.json.encode(fields))  # type: ignore[no-any-return]
    except msgspec.ValidationError:
        whole = {**dict.fromkeys(_TIMES, at), **_LACKING, **fields}
        return _decode_entry(msgspec.json.encode(whole))  # type: ignore[no-any-return]


def _name_entry(fields: Mapping[str, Any]) -> UnknownEntry:
    names = (str(fields.get(name) or "") for name in ("type", "journeyId", "enrollmentId"))
    return UnknownEntry(*names)

"""Raw records to events: what breaks the contract becomes a Rejection with a code and a sentence."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from models import limits
from models.messages import Event
from models.moment import read_instant
from streams.engine.cloudevents import Headers, Mode, find_mode, is_cloudevent, name_attribute, read_fields
from streams.engine.payload import (
    HOLDS_NUL,
    TOO_DEEP,
    WIDE_INTEGER,
    Rejection,
    explain,
    holds_nul,
    holds_wide_integer,
    is_too_deep,
    needs_a_look,
    tell_size,
)

__all__ = ["Headers", "Rejection", "decode"]

_BACKSLASH = ord("\\")  # as a number it is looked for in a fifth of the time
_FIRST_YEAR, _LAST_YEAR = 1970, 2999  # outside, calendar arithmetic on waits would overflow

_Tenant = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.TENANT_ID)]
_Customer = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.CUSTOMER_ID)]
_EventId = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.EVENT_ID)]
_Label = Annotated[str, msgspec.Meta(max_length=limits.LABEL)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Wire(msgspec.Struct, rename="camel", gc=False):
    event_id: _EventId
    tenant_id: _Tenant
    customer_id: _Customer
    occurred_at: Any
    event_type: _Label | None = None
    club_id: _Label | None = None
    data: dict[str, Any] | None = None


class KnownEvent(_Wire, rename="camel", gc=False, forbid_unknown_fields=True):
    """The same without unknown fields, and the time as RFC 3339 has it: nearly every event, then decoded once."""

    occurred_at: _Moment


_FIELDS = frozenset(_Wire.__struct_encode_fields__)
_ALLOWED = limits.ALLOWED | {
    "occurredAt": "must be an ISO 8601 date-time with an offset, from the years 1970 to 2999",
    "eventType": f"must be a text of up to {limits.LABEL} characters",
    "clubId": f"must be a text of up to {limits.LABEL} characters",
    "data": "must be a JSON object with numbers that fit 64 bits",
}

_decode_known = msgspec.json.Decoder(KnownEvent).decode
_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_any = msgspec.json.Decoder().decode
# A time's seventh digit and those after it, which msgspec rounds: ".999999" may even be rounded to no fraction.
_find_long_fraction = re.compile(rb"\.[0-9]{7}").search
_find_path = re.compile(r"`\$\.(\w+)|required field `(\w+)`").search
_is_traceparent = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


def decode(value: bytes | None, headers: Headers, topic: str) -> Event | Rejection:
    """Return the event of a record, or why it is none; `eventType` defaults to the topic's name. Never raises.

    A CloudEvent is known by its headers, or, where it has none, by its own `specversion`.
    """
    if headers and (mode := find_mode(headers)):
        return _decode_cloudevent(mode, value or b"", headers, topic)
    if not value:
        return Rejection("not-json", "The record has no value.")
    if len(value) > limits.EVENT_BYTES:
        return tell_size(value)
    try:
        wire: _Wire = _decode_known(value)
        may_be_rounded = wire.occurred_at.microsecond or value.find(b".999999") >= 0
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_slowly(value, headers, topic)
    if may_be_rounded and _find_long_fraction(value):
        return _decode_slowly(value, headers, topic)
    if wire.data and needs_a_look(wire.data):
        if is_too_deep(value):
            return TOO_DEEP
        if holds_wide_integer(wire.data):
            return WIDE_INTEGER
    if _BACKSLASH in value and b"\\u0000" in value and _holds_nul(wire, {}):
        return HOLDS_NUL
    return _finish(wire, {}, headers, topic)


def _decode_slowly(value: bytes, headers: Headers, topic: str) -> Event | Rejection:
    """Return what a value holds that has unknown fields or an unusual time, is a CloudEvent, or can't be used."""
    if is_too_deep(value):
        return TOO_DEEP
    try:
        wire: _Wire = _decode_wire(value)
        extra = {name: item for name, item in _decode_any(value).items() if name not in _FIELDS}
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if is_cloudevent(value):
            return _decode_cloudevent("structured", value, headers, topic)
        return explain(value, error) or _find_field(error)
    if holds_wide_integer(wire.data) or holds_wide_integer(extra):
        return WIDE_INTEGER
    if _holds_nul(wire, extra):
        return HOLDS_NUL
    return _finish(wire, extra, headers, topic)


def _decode_cloudevent(mode: Mode, value: bytes, headers: Headers, topic: str) -> Event | Rejection:
    fields = read_fields(mode, value, headers)
    if isinstance(fields, Rejection):
        return fields
    trace = fields.pop("traceparent", None)
    if isinstance(trace, str):  # the attribute is of the event's origin, the header of its last hop
        headers = [("traceparent", trace.encode()), *headers]
    extra = {name: item for name, item in fields.items() if name not in _FIELDS}
    try:
        event = _finish(msgspec.convert(fields, _Wire), extra, headers, topic)
    except msgspec.ValidationError as error:
        event = _find_field(error)
    return event if isinstance(event, Event) else name_attribute(event)


def _finish(wire: _Wire, extra: dict[str, Any], headers: Headers, topic: str) -> Event | Rejection:
    moment = wire.occurred_at
    if type(moment) is not datetime:
        moment = read_instant(moment)
    if moment is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        return _reject_field("occurredAt")
    tenant_id = wire.tenant_id  # a pattern in _Tenant would cost five times as much
    if ":" in tenant_id or not (tenant_id.isprintable() or limits.is_tenant_id(tenant_id)):
        return _reject_field("tenantId")
    data, event_type = wire.data or {}, wire.event_type or topic
    if event_type == "customer.merged" and not _names_another(data.get("fromCustomerId"), wire.customer_id):
        return Rejection("schema", "The field 'data.fromCustomerId' must name the customer who is merged away.")
    return Event(
        wire.event_id,
        tenant_id,
        wire.customer_id,
        moment if moment.tzinfo is UTC else moment.astimezone(UTC),
        event_type,
        wire.club_id,
        data,
        extra,
        _read_traceparent(headers) if headers else None,
    )


def _names_another(merged: object, survivor: str) -> bool:
    return limits.is_customer_id(merged) and merged != survivor


def _read_traceparent(headers: Headers) -> str | None:
    for name, value in headers:
        if name == "traceparent" and value is not None and _is_traceparent(value):
            return value.decode()
    return None


def _holds_nul(wire: _Wire, extra: dict[str, Any]) -> bool:
    return holds_nul([wire.event_id, wire.customer_id, wire.event_type, wire.club_id, wire.data, extra])


def _find_field(error: Exception) -> Rejection:
    found = _find_path(str(error))
    name = found and (found[1] or found[2])
    if name in _ALLOWED:
        return _reject_field(name)
    return Rejection("schema", "The event must be a JSON object with numbers that fit 64 bits.")


def _reject_field(name: str) -> Rejection:
    missing = "" if name in ("eventType", "clubId", "data") else "is required and "
    return Rejection("schema", f"The field '{name}' {missing}{_ALLOWED[name]}.")

"""Raw records to events: what breaks the contract becomes a Rejection with a code and a sentence."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import accumulate
from typing import Annotated, Any, Literal, final

import msgspec

from models.messages import Event

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_YEARS = range(1970, 3000)  # outside, calendar arithmetic on waits would overflow
_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1

Code = Literal["too-large", "not-utf8", "not-json", "too-deep", "schema"]
Headers = Iterable[tuple[str, bytes | None]]


@final
class Rejection(msgspec.Struct, frozen=True):
    """Why a record can't be used; `reason` is a sentence without any of the record's data."""

    code: Code
    reason: str


_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
_Tenant = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Name = Annotated[str, msgspec.Meta(max_length=255)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Wire(msgspec.Struct, rename="camel", gc=False):
    event_id: _Id
    tenant_id: _Tenant
    customer_id: _Id
    occurred_at: _Moment
    event_type: _Name | None = None
    club_id: _Name | None = None
    data: dict[str, Any] | None = None


class _Known(_Wire, rename="camel", gc=False, forbid_unknown_fields=True):
    """The same, refusing unknown fields: nearly every event has none, and then nothing is decoded twice."""


_FIELDS = frozenset(_Wire.__struct_encode_fields__)
_ALLOWED = {
    "eventId": "must be a text of 1 to 512 characters",
    "tenantId": "must be a text of 1 to 255 characters without a colon",
    "customerId": "must be a text of 1 to 512 characters",
    "occurredAt": "must be an ISO 8601 date-time with an offset, from the years 1970 to 2999",
    "eventType": "must be a text of up to 255 characters",
    "clubId": "must be a text of up to 255 characters",
    "data": "must be a JSON object with numbers that fit 64 bits",
}

_decode_known = msgspec.json.Decoder(_Known).decode
_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_any = msgspec.json.Decoder().decode
_TOO_DEEP = Rejection("too-deep", "The JSON is nested deeper than 32 levels.")
_find_path = re.compile(r"`\$\.(\w+)|required field `(\w+)`").search
_strip_strings = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_is_traceparent = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def decode(value: bytes | None, headers: Headers, topic: str) -> Event | Rejection:
    """Return the event of a record, or why it is none; `eventType` defaults to the topic's name. Never raises."""
    if not value:
        return Rejection("not-json", "The record has no value.")
    if len(value) > MAX_BYTES:
        return Rejection("too-large", f"The value has {len(value)} bytes, but 262144 are allowed.")
    extra: dict[str, Any] = {}
    try:
        wire: _Wire = _decode_known(value)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if _is_too_deep(value):
            return _TOO_DEEP
        try:  # either an unknown field or a real problem: look again, slowly
            wire = _decode_wire(value)
            extra = {name: item for name, item in _decode_any(value).items() if name not in _FIELDS}
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return _explain(value, error)
    if (wire.data and _needs_a_look(wire.data)) or extra:
        if _is_too_deep(value):
            return _TOO_DEEP
        if _holds_wide_integer(wire.data) or _holds_wide_integer(extra):
            return Rejection("schema", "The event holds an integer that does not fit 64 bits.")
    if b"\\" in value and b"\\u0000" in value and _holds_nul(wire, extra):
        return Rejection("schema", "The event holds the character U+0000, which is not allowed anywhere.")
    return _finish(wire, extra, headers, topic)


def _finish(wire: _Wire, extra: dict[str, Any], headers: Headers, topic: str) -> Event | Rejection:
    moment = wire.occurred_at
    if moment.year not in _YEARS:
        return _reject_field("occurredAt")
    if ":" in wire.tenant_id or "\x00" in wire.tenant_id:  # a pattern in _Tenant would cost five times as much
        return _reject_field("tenantId")
    data, event_type = wire.data or {}, wire.event_type or topic
    if event_type == "customer.merged" and not _names_another(data.get("fromCustomerId"), wire.customer_id):
        return Rejection("schema", "The field 'data.fromCustomerId' must name the customer who is merged away.")
    return Event(
        wire.event_id,
        wire.tenant_id,
        wire.customer_id,
        moment if moment.tzinfo is UTC else moment.astimezone(UTC),
        event_type,
        wire.club_id,
        data,
        extra,
        _read_traceparent(headers) if headers else None,
    )


def _names_another(merged: object, survivor: str) -> bool:
    return isinstance(merged, str) and 0 < len(merged) <= 512 and merged != survivor


def _read_traceparent(headers: Headers) -> str | None:
    for name, value in headers:
        if name == "traceparent" and value is not None and _is_traceparent(value):
            return value.decode()
    return None


def _is_too_deep(value: bytes) -> bool:
    return value.count(b"{") + value.count(b"[") > MAX_DEPTH and _depth(value) > MAX_DEPTH


def _depth(value: bytes) -> int:
    """Return how deep brackets nest, those within strings not counted."""
    brackets = _strip_strings.sub(b"", value).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _needs_a_look(data: dict[str, Any]) -> bool:
    """Say whether data may nest, or hold wide integers: nearly every event's is flat, with small ones."""
    for item in data.values():
        kind = type(item)
        if kind is str:
            continue
        if kind is int:
            if not _INT64_MIN <= item <= _INT64_MAX:
                return True
        elif kind is dict or kind is list:
            return True
    return False


def _holds_wide_integer(item: Any) -> bool:
    """Say whether this is, or holds, an integer that needs more than 64 bits; the depth is bounded by MAX_DEPTH."""
    if isinstance(item, dict):
        return any(map(_holds_wide_integer, item.values()))
    if isinstance(item, list):
        return any(map(_holds_wide_integer, item))
    return type(item) is int and not _INT64_MIN <= item <= _INT64_MAX


def _holds_nul(wire: _Wire, extra: dict[str, Any]) -> bool:
    texts = (wire.event_id, wire.customer_id, wire.event_type, wire.club_id)
    return any(isinstance(item, str) and "\x00" in item for item in _walk([*texts, wire.data, extra]))


def _walk(value: Any) -> Iterable[Any]:
    """Yield every key and value within; the depth is bounded by MAX_DEPTH."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)
    else:
        yield value


def _explain(value: bytes, error: Exception) -> Rejection:
    try:
        value.decode()
    except UnicodeDecodeError as wrong:
        return Rejection("not-utf8", f"The value is not UTF-8 (byte {wrong.start}).")
    if not isinstance(error, msgspec.ValidationError):
        return Rejection("not-json", "The value is not JSON.")
    found = _find_path(str(error))
    name = found and (found[1] or found[2])
    if name in _ALLOWED:
        return _reject_field(name)
    return Rejection("schema", "The event must be a JSON object with numbers that fit 64 bits.")


def _reject_field(name: str) -> Rejection:
    missing = "" if name in ("eventType", "clubId", "data") else "is required and "
    return Rejection("schema", f"The field '{name}' {missing}{_ALLOWED[name]}.")

"""CloudEvents 1.0 on Kafka: the fields of an event that came as one, and the headers that make a command one.

In structured mode a record's value is the CloudEvent; in binary mode the value is its data, and its attributes
are headers that begin with `ce_`.
"""

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from models.limits import DEPTH, EVENT_BYTES
from streams.engine.effects import Command
from streams.engine.payload import HOLDS_NUL, Rejection, holds_nul, read_data

Headers = Iterable[tuple[str, bytes | None]]
Mode = Literal["structured", "binary"]

COMMAND_TYPE = b"fairway.command.send"
_FIELDS = {
    "id": "eventId", "type": "eventType", "time": "occurredAt",
    "tenantid": "tenantId", "customerid": "customerId", "clubid": "clubId",
}  # fmt: skip
_ATTRIBUTES = {field: attribute for attribute, field in _FIELDS.items()}
_NOT_KEPT = _ATTRIBUTES.keys() | _FIELDS.keys() | {"specversion", "datacontenttype", "data_base64"}
_MEDIA_TYPE = b"application/cloudevents"
_PREFIX = "ce_"
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_name_field = re.compile(r"^The field '(\w+)'").sub


def find_mode(headers: Headers) -> Mode | None:
    """Return the mode of a record whose headers say that it is a CloudEvent."""
    mode: Mode | None = None
    for name, value in headers:
        if name == "content-type":
            if value is not None and value[: len(_MEDIA_TYPE)].lower() == _MEDIA_TYPE:
                return "structured"
        elif name == "ce_specversion":
            mode = "binary"
    return mode


def is_cloudevent(value: bytes) -> bool:
    """Say whether a value that is no plain event says of itself that it is a CloudEvent. Never raises."""
    if b'"specversion"' not in value:
        return False
    try:
        return "specversion" in _decode_object(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False


def read_fields(mode: Mode, value: bytes, headers: Headers) -> dict[str, Any] | Rejection:
    """Return a CloudEvent's data and attributes, those that stand for a field of an event by its name.

    The value of an attribute may be of a wrong type. Never raises.
    """
    found = read_data(value, DEPTH) if mode == "structured" else _read_binary(value, headers)
    if isinstance(found, Rejection):
        return found
    if found.get("specversion") != "1.0":
        return Rejection("schema", "The attribute 'specversion' of a CloudEvent must be '1.0'.")
    if "data_base64" in found:
        data = _read_base64(found["data_base64"])
        if isinstance(data, Rejection):
            return data
        found["data"] = data
    known = {name: item for name, item in found.items() if item is not None}  # null is as good as not there
    fields = {name: item for name, item in known.items() if name not in _NOT_KEPT}
    return fields | {field: known[name] for name, field in _FIELDS.items() if name in known}


def _read_binary(value: bytes, headers: Headers) -> dict[str, Any] | Rejection:
    raw = {name[len(_PREFIX) :]: item for name, item in headers if item is not None and name.startswith(_PREFIX)}
    size = len(value) + sum(len(name) + len(item) for name, item in raw.items())
    if size > EVENT_BYTES:
        return Rejection("too-large", f"The CloudEvent has {size} bytes, but {EVENT_BYTES} are allowed.")
    try:
        found: dict[str, Any] = {name: item.decode() for name, item in raw.items()}
    except UnicodeDecodeError:
        return Rejection("not-utf8", "An attribute of the CloudEvent is not UTF-8.")
    if holds_nul(found):
        return HOLDS_NUL
    data = read_data(value) if value else {}
    return data if isinstance(data, Rejection) else found | {"data": data}


def _read_base64(text: object) -> dict[str, Any] | Rejection:
    try:
        data = b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    return (
        read_data(data) if data else Rejection("schema", "The CloudEvent's 'data_base64' must be data in Base64.")
    )


def name_attribute(rejection: Rejection) -> Rejection:
    """Return a rejection whose sentence names the attribute of a CloudEvent in place of an event's field."""
    reason = _name_field(
        lambda found: f"The attribute '{_ATTRIBUTES.get(found[1], found[1])}' of a CloudEvent", rejection.reason
    )
    return Rejection(rejection.code, reason)


def cloudevent_headers(command: Command) -> list[tuple[str, bytes | None]]:
    """Return the headers that make a record with this command as its value a CloudEvent in binary mode."""
    value = command.value
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", value.command_id.encode()),
        ("ce_type", COMMAND_TYPE),
        ("ce_source", f"/fairway/journeys/{value.journey_id}".encode()),
        ("ce_time", msgspec.to_builtins(value.issued_at).encode()),
        ("ce_tenantid", value.tenant_id.encode()),
        ("ce_channel", value.channel.encode()),
        ("content-type", b"application/json"),
    ]
    if command.traceparent is not None:
        headers.append(("ce_traceparent", command.traceparent.encode()))
    return headers

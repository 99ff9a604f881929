"""What JSON may hold on its way in: its size, its depth, its numbers and its characters."""

import re
from collections.abc import Iterable
from itertools import accumulate
from typing import Any, Literal, final

import msgspec

from models.limits import DEPTH, EVENT_BYTES

Code = Literal[
    "too-large", "not-utf8", "not-json", "too-deep", "schema", "damaged", "failed", "not-damaged", "repaired"
]


@final
class Rejection(msgspec.Struct, frozen=True):
    """Why a record can't be used; `reason` is a sentence without any of the record's data."""

    code: Code
    reason: str


TOO_DEEP = Rejection("too-deep", f"The JSON is nested deeper than {DEPTH} levels.")
WIDE_INTEGER = Rejection("schema", "The event holds an integer that does not fit 64 bits.")
HOLDS_NUL = Rejection("schema", "The event holds the character U+0000, which is not allowed anywhere.")
_NO_OBJECT = Rejection("schema", "The data must be a JSON object with numbers that fit 64 bits.")
_UNWRITABLE = Rejection("schema", "The data can't be written as UTF-8 JSON.")

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_strip_strings = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


def read_data(value: bytes, levels: int = DEPTH - 1) -> dict[str, Any] | Rejection:
    """Return the JSON object that would be an event's data, or why it can be none. Never raises.

    The event itself is a level of JSON, so its data may have one less.
    """
    if len(value) > EVENT_BYTES:
        return tell_size(value)
    if is_too_deep(value, levels):
        return TOO_DEEP
    try:
        data: dict[str, Any] = _decode_object(value)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return explain(value, error) or _NO_OBJECT
    if holds_wide_integer(data):
        return Rejection("schema", "The data holds an integer that does not fit 64 bits.")
    if holds_nul(data):
        return Rejection("schema", "The data holds the character U+0000, which is not allowed anywhere.")
    return data


def check_data(data: dict[str, Any]) -> dict[str, Any] | Rejection:
    """Return data as JSON would bring it, or why it can't be an event's. Never raises."""
    try:
        return read_data(msgspec.json.encode(data))
    except (UnicodeEncodeError, OverflowError, RecursionError, TypeError):
        return _UNWRITABLE


def tell_size(value: bytes) -> Rejection:
    """Return what is said of a value that is too large."""
    return Rejection("too-large", f"The value has {len(value)} bytes, but {EVENT_BYTES} are allowed.")


def is_too_deep(value: bytes, levels: int = DEPTH) -> bool:
    """Say whether brackets nest deeper than this, those within strings not counted."""
    return value.count(b"{") + value.count(b"[") > levels and _depth(value) > levels


def _depth(value: bytes) -> int:
    brackets = _strip_strings.sub(b"", value).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def needs_a_look(data: dict[str, Any]) -> bool:
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


def holds_wide_integer(item: Any) -> bool:
    """Say whether this is, or holds, an integer that needs more than 64 bits; its depth is bounded."""
    if isinstance(item, dict):
        return any(map(holds_wide_integer, item.values()))
    if isinstance(item, list):
        return any(map(holds_wide_integer, item))
    return type(item) is int and not _INT64_MIN <= item <= _INT64_MAX


def holds_nul(value: Any) -> bool:
    """Say whether a text or a name within holds U+0000; its depth is bounded."""
    return any(isinstance(item, str) and "\x00" in item for item in _walk(value))


def _walk(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)
    else:
        yield value


def explain(value: bytes, error: Exception) -> Rejection | None:
    """Return what is wrong with bytes that can't be decoded; None if they are JSON, but of another shape."""
    try:
        value.decode()
    except UnicodeDecodeError as wrong:
        return Rejection("not-utf8", f"The value is not UTF-8 (byte {wrong.start}).")
    return None if isinstance(error, msgspec.ValidationError) else Rejection("not-json", "The value is not JSON.")

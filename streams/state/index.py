"""Marks: the ordered index entries of a customer's waits and memberships, as bytes that sort as they must.

A mark is a hint; the row is the truth. A wait's mark is `w`, due time in microseconds, enrolment, journey, row
key; that of a wait held back by a paused journey `h`, journey, due time, enrolment, row key; a member's
`m`, journey, row key; that of a row which is known to be damaged `d`, row key.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from models.customer import Enrollment, decode
from streams.engine.salvage import is_sound

DAMAGED = b"d"
"""What the marks begin with of the rows that are known to be damaged; the key follows."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DueWait(NamedTuple):
    """What a wait's mark says."""

    due: datetime
    enrollment_id: str
    journey_id: str
    key: bytes


def marks_of(key: bytes, enrollments: Iterable[Enrollment]) -> set[bytes]:
    """Return the marks of a customer with these ACTIVE enrolments."""
    marks = set()
    for enrollment in enrollments:
        tail = pack(enrollment.journey_id) + key
        marks.add(b"m" + tail)
        if enrollment.waiting_until is not None:
            due = _micros(enrollment.waiting_until).to_bytes(8, "big")
            marks.add(b"w" + due + bytes.fromhex(enrollment.id.replace("-", "")) + tail)
    return marks


def marks_of_row(key: bytes, row: bytes | None) -> set[bytes]:
    """Return the marks of a row from the changelog; internal rows have none, and one that is damaged says so.

    Rows without enrolments are not decoded: their damage shows when they are asked for.
    """
    if row is None or b'"enrollments"' not in row or key.startswith(b":"):
        return set()
    try:
        key.decode()
        customer = decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {DAMAGED + key}
    return marks_of(key, customer.enrollments.values()) if is_sound(customer) else {DAMAGED + key}


@lru_cache(maxsize=4096)
def pack(journey_id: str) -> bytes:
    """Return the 16 bytes of a journey's id."""
    return bytes.fromhex(journey_id.replace("-", ""))


@lru_cache(maxsize=4096)
def unpack(packed: bytes) -> str:
    """Return the journey's id that 16 bytes stand for."""
    return _read_id(packed)


def _read_id(packed: bytes) -> str:
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def read_wait(mark: bytes) -> DueWait:
    """Return what the mark of a wait says, held or not."""
    if mark.startswith(b"h"):
        mark = b"w" + mark[17:41] + mark[1:17] + mark[41:]
    due = _EPOCH + timedelta(microseconds=int.from_bytes(mark[1:9], "big"))
    return DueWait(due, _read_id(mark[9:25]), unpack(mark[25:41]), mark[41:])


def hold(mark: bytes) -> bytes:
    """Return the mark under which this wait is held back."""
    return b"h" + mark[25:41] + mark[1:25] + mark[41:]


def due_before(now: datetime) -> bytes:
    """Return the mark below which lie all waits due at `now` or before."""
    return b"w" + (_micros(now) + 1).to_bytes(8, "big")


def _micros(moment: datetime) -> int:
    return max(0, round(moment.timestamp() * 1_000_000))  # exact: below 2**53

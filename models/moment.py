"""Moments as people and programs write them: one reader for events, controls, files and fields (R11, R18).

ISO 8601 in its extended format, as RFC 3339 has it and as Java's OffsetDateTime and ISO_DATE_TIME print it: seconds
and fractions may be left out, an offset may be +02, +0200 or +02:00, and a zone's name may follow in brackets.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo

from models.duration import FIRST, LAST

_TEXT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?"
    r"(?:(Z|z|[+-][0-9]{2}(?::?[0-5][0-9](?::?[0-5][0-9])?)?)(?:\[!?[\w+\-/=.~]+\])*)?)?",
    re.ASCII,
)
_MICROSECONDS = 6  # digits of a second's fraction that count; the rest is cut off, never rounded
_LAST_SECOND = (23, 59, 59)


def read_instant(value: object) -> datetime | None:
    """Return the UTC moment of an ISO 8601 date-time with an offset, or None if it is none."""
    return _read(value, None) if isinstance(value, str) else None


def read_moment(value: object, zone: tzinfo) -> datetime | None:
    """Return the UTC moment of an ISO 8601 text or an aware datetime, or None if it is no date.

    Without an offset the text is local time of the zone; a date alone is the first moment of that day.
    """
    if isinstance(value, str):
        return _read(value, zone)
    return _to_utc(value) if isinstance(value, datetime) and value.tzinfo is not None else None


def _read(text: str, zone: tzinfo | None) -> datetime | None:
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    date, hour, minute, second, fraction, offset = match.groups(default="")
    is_midnight, is_leap = hour == "24", second == "60"
    if is_midnight and (minute + second + fraction).strip("0"):
        return None
    clock = f"{'00' if is_midnight else hour or '00'}:{minute or '00'}:{'59' if is_leap else second or '00'}"
    try:
        moment = datetime.fromisoformat(f"{date}T{clock}.{fraction[:_MICROSECONDS] or '0'}{offset.upper()}")
    except ValueError:
        return None
    if moment.tzinfo is None:
        if zone is None:
            return None
        moment = moment.replace(tzinfo=zone)
    return _add_odd(moment, is_midnight=is_midnight, is_leap=is_leap)


def _add_odd(moment: datetime, *, is_midnight: bool, is_leap: bool) -> datetime | None:
    """Move on to what 24:00 means, the next day, and a leap second, the next second; the latter ends a UTC day."""
    if not is_leap:
        return _to_utc(moment, days=is_midnight)
    moment = _to_utc(moment)
    is_last = (moment.hour, moment.minute, moment.second) == _LAST_SECOND
    return _to_utc(moment, seconds=1) if is_last else None


def _to_utc(moment: datetime, *, days: int = 0, seconds: int = 0) -> datetime:
    try:
        found = (moment + timedelta(days=days, seconds=seconds)).astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year == 1 else LAST
    return min(max(found, FIRST), LAST)

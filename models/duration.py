"""Durations such as "3 days", and calendar arithmetic over time zones (R17, R18).

Every function here is total over time: a result before the year 1 or after 9999 becomes FIRST or LAST.
"""

import re
from calendar import monthrange
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import msgspec

FIRST = datetime(1, 1, 2, tzinfo=UTC)  # a day from the ends, so that every zone's local time exists
LAST = datetime(9999, 12, 30, tzinfo=UTC)

_SECOND = 1_000_000
_EXACT = {"second": _SECOND, "minute": 60 * _SECOND, "hour": 3600 * _SECOND}
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}
_UNITS = (*_EXACT, *_DAYS, *_MONTHS)

_NUMBER = r"[0-9]{1,9}"
_DECIMAL = rf"{_NUMBER}(?:[.,][0-9]{{1,6}})?"
_PART = re.compile(rf"({_DECIMAL})\s*({'|'.join(_UNITS)})s?(?:\s*,\s*|\s+and\s+|\s+|$)", re.IGNORECASE)
_ISO = re.compile(
    rf"P(?=.)(?:({_NUMBER})Y)?(?:({_NUMBER})M)?(?:({_NUMBER})W)?(?:({_NUMBER})D)?"
    rf"(?:T(?=.)(?:({_DECIMAL})H)?(?:({_DECIMAL})M)?(?:({_DECIMAL})S)?)?"
)
_ISO_UNITS = ("year", "month", "week", "day", "hour", "minute", "second")
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?")


class Duration(msgspec.Struct, frozen=True):
    """Months and days of the calendar, and an exact rest in microseconds; an offset into the past is negative."""

    months: int = 0
    days: int = 0
    microseconds: int = 0

    def __neg__(self) -> "Duration":
        return Duration(-self.months, -self.days, -self.microseconds)

    def __str__(self) -> str:
        """Return the ISO 8601 form, which `parse_offset` reads back as the same duration."""
        if self.months < 0 or self.days < 0 or self.microseconds < 0:
            return f"-{-self}"
        seconds, rest = divmod(self.microseconds, _SECOND)
        fraction = f".{rest:06}" if rest else ""
        days = "".join(f"{count}{unit}" for count, unit in ((self.months, "M"), (self.days, "D")) if count)
        exact = f"T{seconds}{fraction}S" if self.microseconds or not days else ""
        return f"P{days}{exact}"


def parse_duration(text: str) -> Duration:
    """Return the duration that a text names; raises ValueError with a sentence that says what is accepted."""
    iso = _ISO.fullmatch(text.strip())
    parts = list(zip(iso.groups(), _ISO_UNITS, strict=True)) if iso else _words(text.strip())
    total = {"months": 0, "days": 0, "microseconds": 0}
    for count, unit in parts:
        if count:
            kind, amount = _measure(text, count, unit)
            total[kind] += amount
    return Duration(**total)


def _words(text: str) -> list[tuple[str | None, str]]:
    parts, end = [], 0
    while end < len(text) and (part := _PART.match(text, end)):
        parts.append((part[1], part[2].lower()))
        end = part.end()
    if not parts or end < len(text) or text.endswith(","):
        raise ValueError(f"'{text}' is not a duration; write for example '30 minutes', '1 day 2 hours' or 'PT30M'.")
    return parts


def _measure(text: str, count: str, unit: str) -> tuple[str, int]:
    whole, _, fraction = count.replace(",", ".").partition(".")
    if "," in count and len(fraction) == 3:
        meant = f"{whole}{fraction} or {whole}.{fraction.rstrip('0') or '0'}"
        raise ValueError(f"'{text}' has a comma before three digits, which may mean thousands; write {meant}.")
    if unit in _EXACT:
        return "microseconds", int(whole + fraction.ljust(6, "0")) * (_EXACT[unit] // _SECOND)
    if fraction:
        raise ValueError(f"'{text}' has a part of a {unit}; {unit}s are whole, so write the rest in hours.")
    return ("days", int(whole) * _DAYS[unit]) if unit in _DAYS else ("months", int(whole) * _MONTHS[unit])


def parse_offset(text: str) -> Duration:
    """Return a duration that may have a sign, as "-1 day"; raises ValueError with a sentence."""
    sign, rest = text.strip()[:1], text.strip()[1:]
    duration = parse_duration(rest if sign in ("+", "-") else text)
    return -duration if sign == "-" else duration


def add(moment: datetime, duration: Duration, zone: tzinfo) -> datetime:
    """Return a UTC moment moved by months, then days, both in the zone's calendar, then by the exact rest.

    The 31st moves to the last day of a shorter month. A local time that does not exist moves forward by the
    gap, one that exists twice means the first.
    """
    try:
        if duration.months or duration.days:
            local = _bound(moment).astimezone(zone).replace(tzinfo=None)
            local = _add_months(local, duration.months) if duration.months else local
            moment = place(local + timedelta(days=duration.days), zone)
        return _bound(moment + _span(duration.microseconds))
    except OverflowError:
        return FIRST if str(duration).startswith("-") else LAST


def _add_months(local: datetime, months: int) -> datetime:
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise OverflowError
    return local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))


def place(local: datetime, zone: tzinfo) -> datetime:
    """Return the UTC moment of a naive local time: fold 0 is the first of two, and passes over a gap."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


@lru_cache(maxsize=1024)
def _span(microseconds: int) -> timedelta:
    return timedelta(microseconds=microseconds)


def _bound(moment: datetime) -> datetime:
    return moment if FIRST <= moment <= LAST else min(max(moment, FIRST), LAST)


def next_time(at: datetime, local_time: time, weekdays: frozenset[int], zone: tzinfo) -> datetime:
    """Return the first UTC moment from `at` on with this local time, on one of these weekdays (0 is Monday).

    No weekdays means every day; the weekday is that of the date as written, also when a gap moves the moment
    past midnight.
    """
    day = _bound(at).astimezone(zone).date() - timedelta(days=1)  # a gap may move yesterday's into today
    try:
        while True:
            moment = place(datetime.combine(day, local_time), zone)
            if moment >= at and (not weekdays or day.weekday() in weekdays):
                return _bound(moment)
            day += timedelta(days=1)
    except OverflowError:
        return LAST


def read_time(text: str) -> time | None:
    """Return the local time of "09:00" or "09:00:30", or None."""
    match = _TIME.fullmatch(text)
    return time(int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all time zones, without the one that differs from machine to machine."""
    return frozenset(available_timezones()) - {"localtime"}


def read_zone(name: object) -> ZoneInfo | None:
    """Return the time zone of this name, or None; safe for any value, since only known names reach a file."""
    return _zone(name) if isinstance(name, str) and name in zone_names() else None


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)

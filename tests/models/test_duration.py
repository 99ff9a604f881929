import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duration import (
    FIRST,
    LAST,
    Duration,
    add,
    next_time,
    parse_duration,
    parse_offset,
    read_time,
    read_zone,
    zone_names,
)

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # clocks change by half an hour
ST_JOHNS = ZoneInfo("America/St_Johns")  # UTC-3:30
TOKYO = ZoneInfo("Asia/Tokyo")  # no clock changes
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # midnight of 2018-11-04 did not exist
APIA = ZoneInfo("Pacific/Apia")  # the whole 2011-12-30 did not exist

SECOND = 1_000_000
HOUR = 3600 * SECOND


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30 minutes", Duration(microseconds=1800 * SECOND)),
        ("1 minute", Duration(microseconds=60 * SECOND)),
        ("2 hours", Duration(microseconds=2 * HOUR)),
        ("1.5 hours", Duration(microseconds=5400 * SECOND)),
        ("45 seconds", Duration(microseconds=45 * SECOND)),
        ("0.000001 seconds", Duration(microseconds=1)),
        ("3 days", Duration(days=3)),
        ("1 week", Duration(days=7)),
        ("2 weeks", Duration(days=14)),
        ("6 months", Duration(months=6)),
        ("1 year", Duration(months=12)),
        ("1 day 2 hours", Duration(days=1, microseconds=2 * HOUR)),
        ("1 day, 2 hours and 5 seconds", Duration(days=1, microseconds=2 * HOUR + 5 * SECOND)),
        (" 2 Hours ", Duration(microseconds=2 * HOUR)),
        ("2hours", Duration(microseconds=2 * HOUR)),
        ("0 days", Duration()),
        ("PT30M", Duration(microseconds=1800 * SECOND)),
        ("PT0.5S", Duration(microseconds=SECOND // 2)),
        ("P1DT2H", Duration(days=1, microseconds=2 * HOUR)),
        ("P1W", Duration(days=7)),
        ("P2M", Duration(months=2)),
        ("P1Y2M3DT4H5M6S", Duration(months=14, days=3, microseconds=4 * HOUR + 306 * SECOND)),
    ],
)
def test_R17_a_duration_is_read_in_words_or_as_iso_8601(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration
    assert parse_offset(text) == parse_offset(f"+{text.strip()}") == duration
    assert parse_offset(f"-{text.strip()}") == -duration


@pytest.mark.parametrize("text", [
    "", " ", "soon", "5", "hours", "2 fortnights", "1 day,", "1 day and", "1 day2 hours 3", "-1 day", "+1 day",
    "P", "PT", "P1DT", "p1d", "PT1D", "P1.5D", "2 hours\0", "\u0663 days", "1234567890 days", "0x1 days",
])  # fmt: skip
def test_R17_anything_else_is_refused_with_a_sentence(text: str) -> None:
    sentence = f"'{text.strip()}' is not a duration; write for example '30 minutes', '1 day 2 hours' or 'PT30M'."
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse_duration(text)


def test_R17_a_part_of_a_calendar_unit_is_refused() -> None:
    sentence = "^'1.5 days' has a part of a day; days are whole, so write the rest in hours.$"
    with pytest.raises(ValueError, match=sentence):
        parse_duration("1.5 days")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1,500 seconds", "1500 or 1.5"),
        ("2,000 hours", "2000 or 2.0"),
        ("1 day 1,250 minutes", "1250 or 1.25"),
        ("PT1,500S", "1500 or 1.5"),
    ],
)
def test_R17_a_comma_before_three_digits_may_mean_two_things_and_is_refused(text: str, meant: str) -> None:
    sentence = f"^'{text}' has a comma before three digits, which may mean thousands; write {meant}.$"
    with pytest.raises(ValueError, match=sentence):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1,5 seconds", 1.5),
        ("1,50 seconds", 1.5),
        ("1,2500 seconds", 1.25),
        ("1.500 seconds", 1.5),
        ("1 minute, 500 seconds", 560),
    ],
)
def test_R17_any_other_comma_is_plain(text: str, seconds: float) -> None:
    assert parse_duration(text) == Duration(microseconds=round(seconds * SECOND))


counts = st.integers(0, 10**9)
durations = st.builds(Duration, months=counts, days=counts, microseconds=st.integers(0, 10**15 - 1))
short = st.builds(Duration, st.integers(0, 400), st.integers(0, 4000), st.integers(0, 10**13))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
any_moment = st.datetimes(timezones=st.just(UTC))
zones = st.sampled_from([LONDON, NEW_YORK, LORD_HOWE, ST_JOHNS, TOKYO, SAO_PAULO, APIA])


@given(durations)
def test_R17_writing_and_reading_a_duration_is_identity(duration: Duration) -> None:
    small = Duration(duration.months % 10**9, duration.days % 10**9, duration.microseconds)
    assert parse_duration(str(small)) == parse_offset(str(small)) == small
    assert parse_offset(str(-small)) == -small


@pytest.mark.parametrize(
    ("zone", "start", "duration", "end"),
    [
        (LONDON, "2026-03-28T09:00", "1 day", "2026-03-29T08:00"),  # 09:00 is 09:00 over the change to summer
        (LONDON, "2026-03-28T09:00", "24 hours", "2026-03-29T09:00"),
        (LONDON, "2026-10-24T08:00", "1 day", "2026-10-25T09:00"),
        (LONDON, "2026-03-28T01:30", "1 day", "2026-03-29T01:30"),  # 01:30 does not exist: 02:30 summer time
        (LONDON, "2026-10-24T00:30", "1 day", "2026-10-25T00:30"),  # 01:30 exists twice: the first
        (LONDON, "2026-10-25T01:30", "0 days", "2026-10-25T01:30"),  # the second 01:30 stays where it is
        (NEW_YORK, "2026-03-07T07:30", "1 day", "2026-03-08T07:30"),  # 02:30 EST -> 03:30 EDT
        (NEW_YORK, "2026-10-31T05:30", "1 day", "2026-11-01T05:30"),
        (NEW_YORK, "2026-10-31T16:00", "1 day", "2026-11-01T17:00"),
        (LORD_HOWE, "2026-04-03T13:00", "1 week", "2026-04-10T13:30"),  # half an hour, southern autumn
        (LORD_HOWE, "2026-10-02T15:45", "1 day", "2026-10-03T15:45"),  # 02:15 does not exist: 02:45
        (LORD_HOWE, "2026-04-03T14:45", "1 day", "2026-04-04T14:45"),  # 01:45 exists twice: the first
        (ST_JOHNS, "2026-03-07T12:30", "1 day", "2026-03-08T11:30"),
        (TOKYO, "2026-03-28T09:00", "1 month", "2026-04-28T09:00"),
        (TOKYO, "2026-01-31T03:00", "1 month", "2026-02-28T03:00"),  # the month's end
        (TOKYO, "2028-01-31T03:00", "1 month", "2028-02-29T03:00"),
        (TOKYO, "2026-01-31T03:00", "1 month 1 day", "2026-03-01T03:00"),  # months before days
        (TOKYO, "2026-12-15T03:00", "2 months", "2027-02-15T03:00"),
        (LONDON, "2026-03-28T00:30", "1 day 1 hour", "2026-03-29T01:30"),  # days before hours
        (LONDON, "2026-03-30T08:00", "-1 day", "2026-03-29T08:00"),
        (LONDON, "2026-03-31T11:00", "-1 month", "2026-02-28T12:00"),
        (LONDON, "2026-03-29T08:00", "-1 week", "2026-03-22T09:00"),
        (LONDON, "2026-03-29T02:00", "-2 hours", "2026-03-29T00:00"),
        (APIA, "2011-12-29T22:00", "1 day", "2011-12-30T22:00"),  # a day that does not exist: a day later
    ],
)
def test_R17_days_are_days_of_the_calendar_and_hours_are_exact(
    zone: ZoneInfo, start: str, duration: str, end: str
) -> None:
    assert add(utc(start), parse_offset(duration), zone) == utc(end)


@given(moments, st.integers(0, 10**15), zones)
def test_R21_a_wait_of_exact_units_ends_exactly_then(moment: datetime, microseconds: int, zone: ZoneInfo) -> None:
    assert add(moment, Duration(microseconds=microseconds), zone) - moment == timedelta(microseconds=microseconds)


@given(moments, short, short, zones)
def test_R17_a_longer_duration_never_ends_earlier(
    moment: datetime, one: Duration, more: Duration, zone: ZoneInfo
) -> None:
    both = Duration(one.months + more.months, one.days + more.days, one.microseconds + more.microseconds)
    day = timedelta(days=1)  # month ends and clock changes may take back less than four days
    assert add(moment, both, zone) >= add(moment, one, zone) - 4 * day
    assert add(moment, one, zone) >= moment


@given(any_moment, durations, st.booleans(), zones, st.times(), st.frozensets(st.integers(0, 6)))
def test_R17_no_moment_and_no_duration_raise(
    moment: datetime, duration: Duration, back: bool, zone: ZoneInfo, local: time, weekdays: frozenset[int]
) -> None:
    assert FIRST <= add(moment, -duration if back else duration, zone) <= LAST
    assert FIRST <= next_time(moment, local, weekdays, zone) <= LAST


def test_R17_time_has_two_ends() -> None:
    assert add(utc("2026-01-01"), Duration(months=10**9), LONDON) == LAST
    assert add(utc("2026-01-01"), Duration(days=10**9), LONDON) == LAST
    assert add(utc("2026-01-01"), Duration(microseconds=10**30), LONDON) == LAST
    assert add(utc("2026-01-01"), -Duration(microseconds=10**30), LONDON) == FIRST
    assert next_time(LAST, time(9), frozenset(), LONDON) == LAST
    assert next_time(datetime.max.replace(tzinfo=UTC), time(9), frozenset([0]), LONDON) == LAST


WEEKEND = frozenset([5, 6])


@pytest.mark.parametrize(
    ("zone", "at", "local", "weekdays", "moment"),
    [
        (TOKYO, "2026-06-01T23:59:59.999999", time(9), frozenset(), "2026-06-02T00:00"),  # before
        (TOKYO, "2026-06-02T00:00", time(9), frozenset(), "2026-06-02T00:00"),  # exactly
        (TOKYO, "2026-06-02T00:00:00.000001", time(9), frozenset(), "2026-06-03T00:00"),  # after
        (LONDON, "2026-06-05T07:59", time(9), WEEKEND, "2026-06-06T08:00"),  # Friday
        (LONDON, "2026-06-06T08:00", time(9), WEEKEND, "2026-06-06T08:00"),
        (LONDON, "2026-06-07T08:00:01", time(9), WEEKEND, "2026-06-13T08:00"),
        (LONDON, "2026-06-01T08:00:01", time(9), frozenset([0]), "2026-06-08T08:00"),  # a week on
        (LONDON, "2026-03-28T10:00", time(9), frozenset(), "2026-03-29T08:00"),
        (LONDON, "2026-03-29T00:59", time(1, 30), frozenset(), "2026-03-29T01:30"),  # in the gap: 02:30
        (LONDON, "2026-03-29T01:30", time(1, 30), frozenset(), "2026-03-29T01:30"),
        (LONDON, "2026-03-29T01:31", time(1, 30), frozenset(), "2026-03-30T00:30"),
        (LONDON, "2026-10-25T00:30", time(1, 30), frozenset(), "2026-10-25T00:30"),  # twice: the first
        (LONDON, "2026-10-25T01:00", time(1, 30), frozenset(), "2026-10-26T01:30"),  # the second is none
        (NEW_YORK, "2026-11-01T04:00", time(9), frozenset(), "2026-11-01T14:00"),
        (LORD_HOWE, "2026-10-03T15:00", time(2, 15), frozenset(), "2026-10-03T15:45"),
        (ST_JOHNS, "2026-03-08T04:00", time(9), frozenset(), "2026-03-08T11:30"),
        (SAO_PAULO, "2018-11-04T02:30", time(0), frozenset(), "2018-11-04T03:00"),
        (APIA, "2011-12-30T10:30", time(9), frozenset([4]), "2011-12-30T19:00"),  # the Friday that was not
    ],
)
def test_R18_a_time_of_day_means_the_next_such_moment(
    zone: ZoneInfo, at: str, local: time, weekdays: frozenset[int], moment: str
) -> None:
    assert next_time(utc(at), local, weekdays, zone) == utc(moment)


@given(moments, st.times(), st.frozensets(st.integers(0, 6)), zones)
def test_R18_the_next_time_is_never_past_and_within_nine_days(
    at: datetime, local: time, weekdays: frozenset[int], zone: ZoneInfo
) -> None:
    assert at <= next_time(at, local, weekdays, zone) <= at + timedelta(days=9)


@pytest.mark.parametrize(("text", "local"), [
    ("09:00", time(9)), ("23:59:59", time(23, 59, 59)), ("00:00", time(0)), ("9:00", None), ("24:00", None),
    ("09:60", None), ("09:00Z", None), ("", None), ("0900", None), ("09:00\n", None),
])  # fmt: skip
def test_R18_a_time_of_day_has_hours_and_minutes(text: str, local: time | None) -> None:
    assert read_time(text) == local


@pytest.mark.parametrize("name", [
    "", "Mars/Olympus", "europe/london", "../../etc/passwd", "/etc/passwd", "Europe", "Europe/London\0", "\ud800",
    "x" * 100_000, "Europe/../Europe/London", "localtime", None, 5, ["UTC"], {},
])  # fmt: skip
def test_R18_any_other_value_is_no_time_zone(name: object) -> None:
    assert read_zone(name) is None


def test_R18_every_known_time_zone_can_be_read() -> None:
    assert read_zone("Europe/London") is read_zone("Europe/London")
    assert all(str(read_zone(name)) == name for name in zone_names())

"""Moments as people and programs write them (R11, R18)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duration import FIRST, LAST
from models.moment import read_instant, read_moment

LONDON = ZoneInfo("Europe/London")
NEW_YORK = ZoneInfo("America/New_York")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # midnight of 2018-11-04 did not exist


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WITH_OFFSET = [
    ("2026-11-23T10:00:00Z", "2026-11-23T10:00"),
    ("2026-11-23t10:00z", "2026-11-23T10:00"),
    ("2026-11-23 10:00:00Z", "2026-11-23T10:00"),
    ("2026-05-01T10:00Z", "2026-05-01T10:00"),  # Java's OffsetDateTime leaves seconds out that are none
    ("2026-05-01T10:00:00+02", "2026-05-01T08:00"),
    ("2026-05-01T10:00:00+0200", "2026-05-01T08:00"),
    ("2026-05-01T10:00:00-02:30", "2026-05-01T12:30"),
    ("2026-05-01T10:00:00+02:00:30", "2026-05-01T07:59:30"),
    ("2026-05-01T10:00:00-00:00", "2026-05-01T10:00"),
    ("2026-05-01T10:00:00,5Z", "2026-05-01T10:00:00.5"),
    ("2026-11-23T10:00:00.25+02:00", "2026-11-23T08:00:00.25"),
    ("2026-05-01T10:00:00+02:00[Europe/Paris]", "2026-05-01T08:00"),  # Java's ISO_DATE_TIME
    ("2026-05-01T10:00Z[UTC]", "2026-05-01T10:00"),
    ("2026-05-01T10:00+09:00[!Asia/Tokyo][u-ca=japanese]", "2026-05-01T01:00"),  # RFC 9557
    ("2026-12-31T23:59:59.9999999Z", "2026-12-31T23:59:59.999999"),  # cut off, not rounded into the next year
    ("2026-12-31T23:59:59.123456789Z", "2026-12-31T23:59:59.123456"),
    ("2026-12-31T23:59:59.0000009Z", "2026-12-31T23:59:59"),
    ("2026-05-01T24:00Z", "2026-05-02T00:00"),
    ("2026-12-31T24:00:00.000Z", "2027-01-01T00:00"),
    ("2026-05-01T24:00+02:00", "2026-05-01T22:00"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00"),  # a leap second
    ("2016-12-31T18:59:60.5-05:00", "2017-01-01T00:00:00.5"),
    ("2017-01-01T05:29:60+05:30", "2017-01-01T00:00"),
]


@pytest.mark.parametrize(("text", "moment"), WITH_OFFSET)
def test_R18_a_date_time_with_an_offset_is_the_same_moment_everywhere(text: str, moment: str) -> None:
    assert read_instant(text) == read_moment(text, LONDON) == read_moment(text, NEW_YORK) == utc(moment)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-07-23T10:00", "2026-07-23T09:00"),  # London's summer
        ("2026-07-23 10:00:30", "2026-07-23T09:00:30"),
        ("2026-07-23T10:00:00.9999999", "2026-07-23T09:00:00.999999"),
        ("2026-07-23", "2026-07-22T23:00"),
        ("2026-07-23T24:00", "2026-07-23T23:00"),
        ("2026-03-29T24:00", "2026-03-29T23:00"),  # the day on which clocks go forward has 23 hours
        ("2026-03-29T01:30", "2026-03-29T01:30"),  # does not exist: 02:30
        ("2026-10-25T01:30", "2026-10-25T00:30"),  # exists twice: the first
        (datetime(2026, 7, 23, 10, tzinfo=LONDON), "2026-07-23T09:00"),
    ],
)
def test_R18_a_date_without_an_offset_is_of_the_zone(value: object, moment: str) -> None:
    assert read_moment(value, LONDON) == utc(moment)
    assert read_instant(value) is None


def test_R18_a_bare_date_is_the_first_moment_of_that_day() -> None:
    assert read_moment("2018-11-04", SAO_PAULO) == utc("2018-11-04T03:00")  # 00:00 does not exist: 01:00
    assert read_moment("2018-11-03T24:00", SAO_PAULO) == utc("2018-11-04T03:00")


@pytest.mark.parametrize("value", [
    None, True, 0, 1700000000, 1.5, "", "now", "1700000000", "20261123", "2026-11", "2026-02-30", "2026-11-23Z",
    "2026-W48-1", "2026-W48-1T10:00Z", "2026-327", "2026-327T10:00Z", "20261123T100000Z", "2026-11-23T1000Z",
    "2026-11-23x10:00", "2026-11-23T10", "2026-11-23T10Z", "2026-11-23T24:01", "2026-11-23T24:00:00.1Z",
    "2026-11-23T25:00Z", "2026-11-23T10:60Z", "2026-11-23T10:00:61Z", "2026-11-23T10:00:60Z",
    "2026-11-23T10:00+25:00", "2026-11-23T10:00+02:60", "2026-11-23T10:00\n", "2026-11-23T10:00:00.Z",
    "2026-11-23T10:00:005Z", "2026-11-23T10:00:00:5Z", "2026-11-23T10:00:00.9999999WZ", "2026-11-23T10:00 Z",
    "2026-11-23T10:00[Europe/London]", "2026-11-23T10:00Z[", "2026-11-23T10:00Z[]", "2026-11-23T10:00Z[a b]",
    " 2026-11-23", "\uff12026-11-23", "2026-11-23T\u0661\u0660:00Z", "2026-11-23T10:00 \ud800", "0000-01-01T00:00Z",
    "+2026-11-23T10:00Z", "-2026-11-23T10:00Z", "12026-11-23T10:00Z", [], {}, date(2026, 11, 23),
    datetime(2026, 11, 23),
])  # fmt: skip
def test_R18_what_is_no_date_reads_as_none(value: object) -> None:
    assert read_moment(value, LONDON) is None
    assert read_instant(value) is None


ODD = st.lists(st.sampled_from([*"0123456789-+:.,TZtz [", "[UTC]", "24:00", "60"]), max_size=4).map("".join)


@given(
    st.text() | st.datetimes().map(datetime.isoformat) | st.sampled_from(WITH_OFFSET).map(lambda one: one[0]), ODD
)
def test_R18_reading_a_date_never_raises(text: str, more: str) -> None:
    for found in (
        read_moment(text + more, LONDON),
        read_moment(text[:-3] + more, NEW_YORK),
        read_instant(text + more),
    ):
        assert found is None or FIRST <= found <= LAST


@given(st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.timezones()))
def test_R18_what_python_writes_is_read_as_it_was(moment: datetime) -> None:
    assert read_instant(moment.isoformat()) == moment.astimezone(UTC)
    assert read_instant(moment.astimezone(UTC).isoformat(timespec="minutes")) == moment.astimezone(UTC).replace(
        second=0, microsecond=0
    )


@given(st.datetimes(timezones=st.just(UTC)), st.text("0123456789", min_size=1, max_size=12))
def test_R18_a_fraction_is_cut_off_after_microseconds(moment: datetime, digits: str) -> None:
    whole = min(max(moment.replace(microsecond=0), FIRST), LAST - timedelta(seconds=1))
    text = whole.isoformat().replace("+00:00", f".{digits}Z")
    assert read_instant(text) == whole.replace(microsecond=int(digits[:6].ljust(6, "0")))


def test_R18_dates_beyond_the_ends_of_time_are_the_ends() -> None:
    assert read_moment("9999-12-31T23:59:59", NEW_YORK) == LAST
    assert read_moment("9999-12-31T23:59:59-12:00", LONDON) == LAST
    assert read_moment("9999-12-31T24:00Z", LONDON) == read_instant("9999-12-31T24:00Z") == LAST
    assert read_moment("0001-01-01T00:00:00+12:00", LONDON) == FIRST
    assert read_moment("0001-01-01", LONDON) == FIRST

"""How pages write numbers and times."""

from datetime import UTC, datetime, timedelta

import pytest

from streams.web.pages.formats import (
    NONE,
    brief,
    hexadecimal,
    laps,
    local,
    number,
    percent,
    plural,
    relative,
    short,
    span,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (9_999, "9999"), (12_345, "12.3k"), (123_456, "123k"), (1_234_567, "1.2M")]
)
def test_counts_in_the_graph_are_short(value: int, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(("average", "text"), [(1.0, ""), (1.04, ""), (12.0, "x 12"), (1234.56, "x 1,234.6")])
def test_rounds_of_a_loop_are_told_where_there_are_any(average: float, text: str) -> None:
    assert laps(average) == text.replace("x", "\N{MULTIPLICATION SIGN}")


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(hours=2, minutes=5, seconds=9), "2 h 5 min"),
        (timedelta(days=3, minutes=5), "3 d"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(length: timedelta, text: str) -> None:
    assert span(length) == text


def test_a_moment_is_told_from_now() -> None:
    assert relative(NOON + timedelta(hours=1), NOON) == "in 1 h"
    assert relative(NOON - timedelta(hours=1), NOON) == "1 h ago"


def test_a_moment_is_told_in_a_zone_or_in_utc_if_the_zone_is_unknown() -> None:
    assert local(NOON, "America/New_York") == "Mon 23 Nov 2026, 07:00:00 America/New_York"
    assert local(NOON, "Mars") == "Mon 23 Nov 2026, 12:00:00 UTC"


def test_numbers_are_readable_and_nothing_is_a_dash() -> None:
    assert (number(1234567), number(None), percent(1, 3), percent(1, 0)) == ("1,234,567", NONE, "33.3 %", NONE)
    assert (brief(None), brief({"a": "é"})) == ("nothing", '{"a": "é"}')


def test_bytes_are_shown_sixteen_a_line() -> None:
    assert hexadecimal(b"\xffAB") == f"000000  {'ff 41 42':<47}  .AB"


def test_one_is_not_many() -> None:
    assert [plural(1, "byte"), plural(2_000, "byte"), plural(0, "person", "people")] == [
        "1 byte",
        "2,000 bytes",
        "0 people",
    ]

"""Token buckets (R67): never more than a rate allows, in line, and nobody for ever."""

import heapq
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from models.duration import LAST
from models.rates import Rate
from streams.engine.allowance import Allowance, Buckets, drop_full
from tests.engine.build import NOON

RATES = {"EMAIL": Rate(60, "minute")}  # one a second


def allow(buckets: Buckets, burst: int = 3) -> Allowance:
    share = RATES["EMAIL"].share(1)._replace(burst=burst)
    return Allowance("pinehurst", RATES, {"EMAIL": share}, buckets)


def seconds(number: float) -> datetime:
    return NOON + timedelta(seconds=number)


def claim(allowance: Allowance, at: float, *, held: bool = False) -> float | None:
    until = allowance.claim("email ", seconds(at), None, was_held=held)
    return None if until is None else (until - NOON).total_seconds()


def test_R67_a_bucket_lets_its_burst_go_and_then_holds_each_until_the_next_token() -> None:
    allowance = allow({})
    assert [claim(allowance, 0) for _ in range(6)] == [None, None, None, 1, 2, 3]
    assert allowance.held == ["EMAIL"] * 3


def test_R67_whoever_is_held_goes_before_what_is_new() -> None:
    allowance = allow({})
    assert [claim(allowance, 0) for _ in range(5)] == [None, None, None, 1, 2]
    assert claim(allowance, 1) == 3
    assert claim(allowance, 1, held=True) is None
    assert claim(allowance, 2, held=True) is None
    assert claim(allowance, 2.5) == 4


def test_R67_those_that_are_late_together_don_t_go_together() -> None:
    allowance = allow({})
    assert [claim(allowance, 0) for _ in range(8)] == [None, None, None, 1, 2, 3, 4, 5]
    assert [claim(allowance, 60, held=True) for _ in range(5)] == [None, None, None, 61, 62]


def test_R67_a_place_in_line_is_taken_only_if_it_comes_in_time() -> None:
    allowance = allow({}, burst=1)
    assert claim(allowance, 0) is None
    before = allowance.buckets
    assert allowance.claim("EMAIL", NOON, seconds(0.5), was_held=False) == seconds(1)
    assert allowance.buckets is before
    assert allowance.held == []
    assert allowance.claim("EMAIL", NOON, seconds(1), was_held=False) == seconds(1)
    assert allowance.buckets != before


def test_R67_a_channel_without_a_rate_is_free() -> None:
    allowance = allow({})
    assert allowance.claim("SMS", NOON, None, was_held=False) is None
    assert allowance.buckets == {}


def test_R67_a_bucket_is_forgotten_when_it_is_full_and_nobody_is_held() -> None:
    allowance = allow({}, burst=1)
    assert [claim(allowance, 0) for _ in range(2)] == [None, 1]
    assert drop_full(allowance.buckets, seconds(0.9)) == allowance.buckets
    assert drop_full(allowance.buckets, seconds(1)) == {}


def test_R67_at_the_end_of_time_nobody_is_held() -> None:
    allowance = allow({}, burst=1)
    assert [allowance.claim("EMAIL", LAST, None, was_held=False) for _ in range(3)] == [None, None, None]


@given(
    gaps=st.lists(st.floats(0, 4), min_size=1, max_size=60),
    late=st.lists(st.floats(0, 20), min_size=1, max_size=20),
    burst=st.integers(1, 5),
)
def test_R67_no_window_holds_more_than_the_burst_and_its_tokens_and_all_go(
    gaps: list[float], late: list[float], burst: int
) -> None:
    """Each comes after a gap; each that is held is seen to late by some time, as under load or after an outage."""
    ahead: list[tuple[datetime, int, bool]] = []
    at = NOON
    for number, gap in enumerate(gaps):
        at += timedelta(seconds=gap)
        ahead.append((at, number, False))
    heapq.heapify(ahead)
    allowance, gone, looks = allow({}, burst), [], 0
    while ahead:
        now, number, held = heapq.heappop(ahead)
        looks += 1
        assert looks < 100 * len(gaps)
        until = allowance.claim("EMAIL", now, None, was_held=held)
        if until is None:
            gone.append(now)
        else:
            assert until > now
            heapq.heappush(ahead, (until + timedelta(seconds=late[looks % len(late)]), number, True))
    assert len(gone) == len(gaps)
    for first, start in enumerate(gone):
        for count, end in enumerate(gone[first:], 1):
            assert count <= burst + (end - start) / timedelta(seconds=1)

"""How fast a program was, from what the broker was seen to hold."""

import pytest

from tests.benchmarks.progress import Mark, judge


def tell(seconds: float, each: int, shifts: tuple[float, ...], end: int) -> tuple[int, ...]:
    """Return what partitions told by then that do `each` a second, and tell it once a second, each at its time."""
    return tuple(min(end, max(0, int((seconds - shift) // 1) * each)) for shift in shifts)


def watch(each: int, shifts: tuple[float, ...], end: int) -> list[Mark]:
    """Return the marks of a program that needs 30 microseconds for each, looked at 50 times a second."""
    seen = [(tell(tick / 50, each, shifts, end), tick / 50) for tick in range(1, 1000)]
    return [Mark(counts, at, each * len(shifts) * at * 30e-6) for counts, at in seen if sum(counts)]


@pytest.mark.parametrize("shifts", [(0.0,), (0.0, 0.25, 0.5, 0.75), (0.0, 0.02, 0.04, 0.9)])
def test_what_is_told_once_a_second_and_together_does_not_blur_the_rate(shifts: tuple[float, ...]) -> None:
    found = judge(watch(5000, shifts, 45_000))
    assert found is not None
    assert found == pytest.approx((5000 * len(shifts), 30.0), rel=0.02)


def test_the_start_counts_for_nothing() -> None:
    late = [Mark((count,), 10 + count / 1000, 7 + count * 20e-6) for count in range(500, 9000, 500)]
    assert judge([Mark((100,), 1.0, 0.5), *late]) == pytest.approx((1000, 20.0))


def test_once_a_partition_is_through_the_others_are_not_looked_at() -> None:
    even = [Mark((at * 100, at * 100), float(at), at * 1e-3) for at in range(1, 11)]
    alone = [Mark((1000, 1000 + at * 400), 10.0 + at, 10e-3 + at * 1e-3) for at in range(1, 3)]
    assert judge(even + alone) == pytest.approx((200, 5.0))


def test_a_run_too_short_is_not_judged() -> None:
    assert judge([Mark((count,), count / 10_000, 0.0) for count in range(0, 5000, 100)]) is None
    assert judge([Mark((9000,), 1.0, 0.0)]) is None

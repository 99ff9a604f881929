"""R32: a due wait fires when all is read that had arrived when it was due, and after ten minutes in any case."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from streams.partition.backlog import Backlog
from tests.partition.model import START

A, B = "teetime.booked", "payment.succeeded"


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def look(backlog: Backlog, seconds: float, positions: Mapping[str, int], ends: Mapping[str, int]) -> float | None:
    """Return up to which second waits may have been due that fire now; None if none may."""
    until = backlog.fires_until(at(seconds), positions, ends)
    return None if until is None else (until - START).total_seconds()


def test_nothing_fires_before_all_is_read_that_lay_there_when_the_partition_was_opened() -> None:
    backlog, ends = Backlog(START, {A: 10, B: 3}), {A: 10, B: 3}
    assert look(backlog, 1, {}, ends) is None
    assert look(backlog, 2, {A: 10}, ends) is None
    assert look(backlog, 3, {A: 9, B: 3}, ends) is None
    assert look(backlog, 4, {A: 10, B: 3}, ends) == 4


def test_where_nothing_lies_unread_a_wait_fires_at_once() -> None:
    backlog = Backlog(START, {A: 0, B: 0})
    for second in (0, 0.001, 5):
        assert look(backlog, second, {A: 7}, {A: 7, B: 0}) == second


def test_behind_others_a_wait_fires_when_all_is_read_that_was_known_when_it_was_due() -> None:
    backlog = Backlog(START, {})
    assert look(backlog, 10, {A: 5}, {A: 9}) == 0  # it was due at 10, and 9 is how far the topic went
    assert look(backlog, 10.5, {A: 8}, {A: 20}) == 0
    assert look(backlog, 11, {A: 9}, {A: 30}) == 10
    assert look(backlog, 12, {A: 19}, {A: 40}) == 10
    assert look(backlog, 13, {A: 30}, {A: 40}) == 11


def test_what_came_after_a_wait_was_due_does_not_hold_it_however_much_comes() -> None:
    backlog, read, known = Backlog(START, {}), 0, 1000
    for second in range(100):
        until = look(backlog, second, {A: read}, {A: known})
        assert until is not None
        assert second - until <= 12  # a thousand records behind, at a hundred a second
        read, known = read + 100, known + 100


def test_input_that_is_not_read_within_ten_minutes_holds_no_longer() -> None:
    backlog, ends = Backlog(START, {A: 10}), {A: 10}
    assert look(backlog, 599.9, {}, ends) is None
    assert not backlog.is_overtaken
    assert look(backlog, 600, {}, ends) == 0
    assert backlog.is_overtaken
    assert look(backlog, 601, {A: 10}, ends) == 601
    assert not backlog.is_overtaken


def test_a_topic_that_is_no_longer_read_is_not_waited_for() -> None:
    backlog = Backlog(START, {A: 10, B: 3})
    assert look(backlog, 1, {A: 10}, {A: 10}) == 1


@pytest.mark.parametrize("per_second", [1, 10, 1000])
def test_looking_often_costs_a_mark_a_second(per_second: int) -> None:
    backlog = Backlog(START, {A: 10})
    for number in range(10 * per_second):
        look(backlog, number / per_second, {}, {A: 10})
    assert len(backlog._marks) <= 11

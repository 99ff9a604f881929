"""Partitions that are left out of fetches are asked soon, and where nothing changes less often."""

from faust.types import TP

from streams.worker.left_out import LeftOut

ONE, OTHER = TP("teetime.booked", 0), TP("fairway.activity", 1)
SOON, SELDOM = 0.02, 0.2


def test_they_are_asked_soon_and_after_a_second_without_a_change_more_seldom() -> None:
    left_out = LeftOut()
    asked = [(0.0, {ONE}), (0.99, {ONE}), (1.0, {ONE}), (9.0, {ONE}), (9.1, {ONE, OTHER}), (10.2, {ONE, OTHER})]
    assert [left_out.ask_again_after(partitions, now) for now, partitions in asked] == [
        SOON, SOON, SELDOM, SELDOM, SOON, SELDOM,
    ]  # fmt: skip


def test_they_are_asked_soon_again_when_one_is_told_where_to_go_on() -> None:
    left_out = LeftOut()
    assert left_out.ask_again_after({ONE}, 0.0) == SOON
    assert left_out.ask_again_after({ONE}, 5.0) == SELDOM
    left_out.expect()
    assert left_out.ask_again_after({ONE}, 5.1) == SOON

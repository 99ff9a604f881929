"""Lines of one kind are written once a minute, and none is lost from the count."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.logs.repeats import Repeats


def test_the_first_line_is_written_at_once_and_the_others_with_their_count_after_a_minute() -> None:
    repeats = Repeats[str]()
    assert [repeats.admit("lost", f"line {number}", number) for number in range(3)] == [True, False, False]
    assert repeats.is_holding
    assert repeats.due(59.9) == []
    assert repeats.due(60.0) == [("line 2", 2)]
    assert not repeats.is_holding
    assert not repeats.admit("lost", "line 3", 61.0), "the minute begins anew with the line that stands for others"
    assert repeats.due(120.0) == [("line 3", 1)]


def test_a_kind_that_was_quiet_for_a_minute_is_written_at_once_again() -> None:
    repeats = Repeats[str]()
    assert repeats.admit("lost", "line", 0)
    assert repeats.due(60.0) == []
    assert repeats.admit("lost", "line", 60.0)


def test_kinds_do_not_hold_each_other_back() -> None:
    repeats = Repeats[str]()
    assert repeats.admit("lost", "a", 0)
    assert repeats.admit("found", "b", 0)


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 30)), max_size=100))
def test_every_line_is_written_or_counted_and_no_kind_is_written_twice_a_minute(
    lines: list[tuple[int, float]],
) -> None:
    repeats, at, total = Repeats[int](), 0.0, 0
    written: list[tuple[int, float]] = []
    for kind, pause in lines:
        at += pause
        for line, count in repeats.due(at):
            written.append((line, at))
            total += count
        if repeats.admit(kind, kind, at):
            written.append((kind, at))
            total += 1
    total += sum(count for _, count in repeats.due(at, minute=0))
    assert total == len(lines)
    for kind in range(4):
        moments = [moment for line, moment in written if line == kind]
        assert all(after - before >= 60 for before, after in pairwise(moments))

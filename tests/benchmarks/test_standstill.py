"""What a phase came to, from the commands that were seen."""

import pytest

from tests.benchmarks.latency import Seen
from tests.benchmarks.standstill import Lap, Waits, judge

LAP = Lap("a change", 100.0, 110.0, frozenset({0, 1}), frozenset({2}))


def test_partitions_that_moved_are_told_from_those_that_stayed() -> None:
    seen = [Seen(101.0, 0.5, 0), Seen(102.0, 0.9, 1), Seen(103.0, 0.1, 2), Seen(104.0, 0.2, 2)]
    assert judge(LAP, seen) == Waits("a change", pytest.approx(900), 2, pytest.approx(900), 1, pytest.approx(200))


@pytest.mark.parametrize("sent_at", [99.9, 108.1, 120.0])
def test_what_was_sent_before_a_phase_or_at_its_end_does_not_count(sent_at: float) -> None:
    assert judge(LAP, [Seen(101.0, 0.1, 0), Seen(sent_at, 9.0, 0)]).worst_moved == pytest.approx(100)


def test_a_phase_in_which_nothing_moved_has_no_worst_of_these() -> None:
    quiet = LAP._replace(moved=frozenset(), stayed=frozenset({0}))
    assert judge(quiet, [Seen(101.0, 0.1, 0)])[2:] == (0, 0.0, 1, pytest.approx(100))

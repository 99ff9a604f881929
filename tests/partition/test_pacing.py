"""When a partition commits: soon while there is little to do, and seldom while there is more to do at once."""

from datetime import timedelta

import pytest

from streams.partition.pacing import Load, Pace, Pacing
from tests.partition.model import START

PACING = Pacing(interval=timedelta(seconds=1))
LASTS = 0.02  # seconds that a commit lasts
BEGUN = 5.0  # seconds after the last commit began


def is_time(
    inputs: int, *, waiting: bool, after: float, size: int = 0, lasts: float = LASTS, fresh: bool = False
) -> bool:
    """Say whether a partition commits what it has done, so long after its last commit began."""
    begun, now = START + timedelta(seconds=BEGUN), START + timedelta(seconds=after)
    return PACING.is_time(Load(inputs, size, waiting, begun, START, timedelta(seconds=lasts), fresh), now)


@pytest.mark.parametrize(
    ("inputs", "waiting", "lasts", "after"),
    [
        pytest.param(1, False, LASTS, 2 * LASTS, id="a few: after twice what a commit lasts"),
        pytest.param(19, False, LASTS, 2 * LASTS, id="as many as are not worth a commit: the same"),
        pytest.param(19, False, 60.0, 1.0, id="a few, and commits last long: after the interval"),
        pytest.param(20, False, LASTS, 1.0, id="some: after the interval"),
        pytest.param(1, True, LASTS, BEGUN + 40.0, id="more at once: 40 intervals from when it began to take in"),
        pytest.param(999, True, LASTS, BEGUN + 40.0, id="nearly enough: the same"),
        pytest.param(1000, True, LASTS, BEGUN + 3 * LASTS, id="enough: three times what a commit lasts"),
        pytest.param(1000, True, 60.0, BEGUN + 40.0, id="enough, and commits last long: 40 intervals"),
    ],
)
def test_a_partition_commits_at_the_moment_and_not_before(
    inputs: int, waiting: bool, lasts: float, after: float
) -> None:
    assert not is_time(inputs, waiting=waiting, lasts=lasts, after=after - 0.001)
    assert is_time(inputs, waiting=waiting, lasts=lasts, after=after)


@pytest.mark.parametrize(
    ("lasts", "after"),
    [
        pytest.param(LASTS, BEGUN + 1, id="after the interval"),
        pytest.param(2.0, BEGUN + 2, id="commits last long: as long as one"),
        pytest.param(60.0, BEGUN + 40, id="commits last very long: 40 intervals"),
    ],
)
def test_what_came_of_a_topic_without_a_backlog_does_not_wait_for_the_backlog_of_others(
    lasts: float, after: float
) -> None:
    assert not is_time(1, waiting=True, fresh=True, lasts=lasts, after=after - 0.001)
    assert is_time(1, waiting=True, fresh=True, lasts=lasts, after=after)


@pytest.mark.parametrize(("inputs", "size"), [(5000, 0), (1, 8 * 1024 * 1024)], ids=["inputs", "bytes"])
def test_a_full_transaction_is_committed_at_once(inputs: int, size: int) -> None:
    assert not is_time(inputs - 1, waiting=True, after=BEGUN, size=max(0, size - 1))
    assert is_time(inputs, waiting=True, after=BEGUN, size=size)


def test_how_long_a_commit_lasts_is_an_average_over_the_last_ones() -> None:
    pace = Pace(PACING, START, owes_offsets=False)
    for _ in range(60):
        pace.note_commit(START, START + timedelta(seconds=2), with_offsets=True)
    assert pace.load(1, 1, has_more=False).lasts == pytest.approx(timedelta(seconds=2), abs=timedelta(seconds=0.01))


def test_the_group_s_offsets_are_due_a_second_after_the_first_commit_without_them() -> None:
    pace = Pace(PACING, START, owes_offsets=False)
    assert (pace.owes_offsets, pace.offsets_due) == (False, None)
    for second in range(3):
        moment = START + timedelta(seconds=second)
        pace.note_commit(moment, moment, with_offsets=False)
    assert (pace.owes_offsets, pace.offsets_due) == (True, START + timedelta(seconds=1))
    pace.note_commit(START, START, with_offsets=True)
    assert not pace.owes_offsets


def test_an_owner_that_comes_after_another_commits_the_offsets_that_may_be_owed() -> None:
    assert Pace(PACING, START, owes_offsets=True).offsets_due == START + timedelta(seconds=1)


def test_a_transaction_begins_when_the_commit_before_it_has_ended() -> None:
    pace = Pace(PACING, START, owes_offsets=False)
    pace.begin(START + timedelta(seconds=1), START + timedelta(seconds=2))
    load = pace.load(3, 4, has_more=True)
    assert load[:3] == (3, 4, True)
    assert (load.committed, load.begun) == (START + timedelta(seconds=1), START + timedelta(seconds=2))


def test_a_transaction_is_fresh_until_it_is_committed() -> None:
    pace = Pace(PACING, START, owes_offsets=False)
    assert not pace.load(1, 1, has_more=True).is_fresh
    pace.note_fresh()
    assert pace.load(1, 1, has_more=True).is_fresh
    pace.begin(START, START)
    assert not pace.load(1, 1, has_more=True).is_fresh

"""When a partition commits: soon while there is little to do, and seldom while there is more to do at once."""

import asyncio
from datetime import timedelta

import pytest

from streams.partition.pacing import Load, Pace, Pacing
from tests.partition.model import START

PACING = Pacing(interval=timedelta(seconds=1))
LASTS = 0.02  # seconds that a commit lasts


def is_time(
    inputs: int,
    *,
    waiting: bool,
    after: float,
    size: int = 0,
    lasts: float = LASTS,
    fresh: bool = False,
    beside: bool = False,
) -> bool:
    """Say whether a partition commits what it has done, so long after its last commit began."""
    now = START + timedelta(seconds=after)
    return PACING.is_time(Load(inputs, size, waiting, START, START, timedelta(seconds=lasts), fresh, beside), now)


@pytest.mark.parametrize(
    ("inputs", "waiting", "lasts", "after"),
    [
        pytest.param(1, False, LASTS, 2 * LASTS, id="a few: after twice what a commit lasts"),
        pytest.param(19, False, LASTS, 2 * LASTS, id="as many as are not worth a commit: the same"),
        pytest.param(19, False, 60.0, 1.0, id="a few, and commits last long: after the interval"),
        pytest.param(20, False, LASTS, 1.0, id="some: after the interval"),
        pytest.param(1, True, LASTS, 40.0, id="more at once: 40 intervals from when it began to take in"),
        pytest.param(999, True, LASTS, 40.0, id="nearly enough: the same"),
        pytest.param(1000, True, LASTS, 3 * LASTS, id="enough: three times what a commit lasts"),
        pytest.param(1000, True, 60.0, 40.0, id="enough, and commits last long: 40 intervals"),
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
        pytest.param(LASTS, 0.5, id="after half the interval"),
        pytest.param(2.0, 2.0, id="commits last long: as soon as the last one is done"),
        pytest.param(60.0, 40, id="commits last very long: 40 intervals"),
    ],
)
def test_what_came_of_a_topic_without_a_backlog_does_not_wait_for_the_backlog_of_others(
    lasts: float, after: float
) -> None:
    assert not is_time(1, waiting=True, fresh=True, lasts=lasts, after=after - 0.001)
    assert is_time(1, waiting=True, fresh=True, lasts=lasts, after=after)


@pytest.mark.parametrize(
    ("inputs", "lasts", "after"),
    [
        pytest.param(1, LASTS, 2 * LASTS, id="a few: as ever, which is sooner"),
        pytest.param(1, 0.4, 0.5, id="a few, and commits last long: after half the interval"),
        pytest.param(1, 0.7, 0.7, id="and longer: as soon as the last one is done"),
        pytest.param(20, LASTS, 0.5, id="some: after half the interval"),
        pytest.param(1, 60.0, 1.0, id="commits last very long: after the interval"),
    ],
)
def test_what_came_of_a_topic_without_a_backlog_waits_less_while_other_partitions_have_one(
    inputs: int, lasts: float, after: float
) -> None:
    assert not is_time(inputs, waiting=False, fresh=True, beside=True, lasts=lasts, after=after - 0.001)
    assert is_time(inputs, waiting=False, fresh=True, beside=True, lasts=lasts, after=after)


@pytest.mark.parametrize(("inputs", "size"), [(5000, 0), (1, 8 * 1024 * 1024)], ids=["inputs", "bytes"])
def test_a_full_transaction_is_committed_at_once(inputs: int, size: int) -> None:
    assert not is_time(inputs - 1, waiting=True, after=0.0, size=max(0, size - 1))
    assert is_time(inputs, waiting=True, after=0.0, size=size)


def test_a_little_goes_along_with_a_commit_that_has_just_begun_and_a_part_of_much_does_not() -> None:
    assert is_time(1, waiting=False, after=0.001)
    assert not is_time(1, waiting=False, after=0.002)
    assert not is_time(1, waiting=True, after=0.001)


@pytest.mark.parametrize(
    ("inputs", "waiting", "fresh", "after", "goes"),
    [
        pytest.param(299, True, False, 19.9, False, id="it has begun, and has more to do at once"),
        pytest.param(300, True, False, 0.0, True, id="it has some"),
        pytest.param(1, True, False, 20.0, True, id="it began half as long ago as it may last"),
        pytest.param(1, True, True, 0.0, True, id="somebody waits for it"),
        pytest.param(1, False, False, 0.0, True, id="it has no more to do"),
    ],
)
def test_a_partition_goes_along_with_others_unless_it_has_only_begun(
    inputs: int, waiting: bool, fresh: bool, after: float, goes: bool
) -> None:
    load = Load(inputs, 0, waiting, START, START + timedelta(hours=1), timedelta(seconds=LASTS), fresh)
    assert PACING.goes_along(load, START + timedelta(seconds=after)) is goes


def test_a_transaction_that_others_passed_by_lasts_no_longer_for_that() -> None:
    now = START + timedelta(seconds=40)
    for inputs in (1, 1000):
        load = Load(inputs, 0, True, START, now - timedelta(seconds=0.05), timedelta(seconds=LASTS))
        assert not PACING.is_time(load, now - timedelta(seconds=0.001))
        assert PACING.is_time(load, now)
    assert PACING.is_time(load, load.begun + 3 * load.lasts)


def test_how_long_a_commit_lasts_is_an_average_over_the_last_ones() -> None:
    pace = Pace(PACING, START)
    for _ in range(60):
        pace.note_commit(timedelta(seconds=2))
    assert pace.load(1, 1, START, has_more=False).lasts == pytest.approx(
        timedelta(seconds=2), abs=timedelta(seconds=0.01)
    )


def test_a_worker_knows_when_its_last_commit_began() -> None:
    pace = Pace(PACING, START)
    pace.begin(START + timedelta(seconds=1))
    assert pace.load(3, 4, START, has_more=True)[:5] == (3, 4, True, START, START + timedelta(seconds=1))


async def test_a_partition_knows_whether_others_have_more_to_do() -> None:
    pace = Pace(PACING, START)
    in_line = asyncio.create_task(pace.turns.wait(lambda: False, is_asked=False))
    await asyncio.sleep(0)
    assert pace.load(1, 1, START, has_more=False).is_beside
    await in_line
    assert not pace.load(1, 1, START, has_more=False).is_beside


async def test_when_one_partition_commits_the_others_are_woken_and_called_and_know_it() -> None:
    pace, sleeper = Pace(PACING, START), asyncio.Event()
    pace.wake(sleeper)
    in_line = [asyncio.create_task(pace.turns.wait(lambda: False, is_asked=False)) for _ in range(3)]
    await asyncio.sleep(0)
    before = pace.round
    pace.begin(START)
    await asyncio.sleep(0)
    assert sleeper.is_set()
    assert all(task.done() for task in in_line)
    assert pace.round > before

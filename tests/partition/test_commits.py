"""When a partition commits: soon while there is little to do, and seldom while there is more to do at once."""

from datetime import timedelta

import pytest

from streams.kafka.fetch import Fetch
from tests.partition.model import START, Broker, Source, event
from tests.partition.test_histories import TOPIC, Process

LASTS = 0.02  # seconds that a commit lasts
BEGUN = 5.0  # seconds after the last commit began; the interval is a second


async def is_time(inputs: int, *, waiting: bool, seconds: float) -> bool:
    """Say whether a task commits what it has done, so long after its last commit began."""
    now = START
    process = Process(Broker(), lambda: now)
    process.assign(1)
    task = process.task
    await task.open()
    now += timedelta(seconds=BEGUN)
    await task.commit()
    task._committed = START
    task._commit_seconds = LASTS
    task._transaction.inputs = inputs
    if waiting:
        task.take(Fetch(TOPIC, 0, 0, 1, [Source(0, event(0, "a"))], 1, 0))
    return task._is_time_to_commit(START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("inputs", "waiting", "seconds"),
    [
        pytest.param(1, False, 2 * LASTS, id="a few: after twice what a commit lasts"),
        pytest.param(20, False, 1.0, id="some: after the interval"),
        pytest.param(1, True, BEGUN + 40.0, id="more at once: 40 intervals from when it began to take in"),
        pytest.param(1000, True, BEGUN + 3 * LASTS, id="enough: three times what a commit lasts"),
    ],
)
async def test_a_partition_commits_at_the_moment_and_not_before(inputs: int, waiting: bool, seconds: float) -> None:
    assert not await is_time(inputs, waiting=waiting, seconds=seconds - 0.001)
    assert await is_time(inputs, waiting=waiting, seconds=seconds)


async def test_more_than_fits_a_transaction_is_committed_at_once() -> None:
    assert await is_time(5000, waiting=True, seconds=BEGUN)
    assert not await is_time(4999, waiting=True, seconds=BEGUN)


async def test_a_commit_that_lasts_long_does_not_hold_a_transaction_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "LASTS", 60.0)
    assert await is_time(1000, waiting=True, seconds=BEGUN + 40.0)
    assert await is_time(1, waiting=False, seconds=1.0)

"""Time goes on evenly, whatever happens to the wall clock."""

import time
from datetime import timedelta

import pytest

from streams import clock


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_a_wall_clock_that_steps_by_an_hour_moves_nothing(step: float, monkeypatch: pytest.MonkeyPatch) -> None:
    before = clock.now()
    wall = time.time
    monkeypatch.setattr(time, "time", lambda: wall() + step)
    after = clock.now()
    assert timedelta(0) <= after - before < timedelta(seconds=5)
    assert clock.wall_step() == pytest.approx(step, abs=5)

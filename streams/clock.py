"""The only reader of the clock.

Time runs from the wall clock as it stood at the start, on the machine's steady clock (which also counts
suspension): a wall clock that is set back or forward later makes no wait fire early, twice or never.
"""

import time
from datetime import UTC, datetime, timedelta

_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_START_WALL = time.time()
_START_STEADY = time.clock_gettime(_STEADY)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def steady() -> float:
    """Return seconds on a clock that never steps; only differences mean anything."""
    return time.clock_gettime(_STEADY)


def timestamp() -> float:
    """Return the time in seconds since 1970."""
    return _START_WALL + (time.clock_gettime(_STEADY) - _START_STEADY)


def now() -> datetime:
    """Return the time, aware and in UTC."""
    return _EPOCH + timedelta(seconds=timestamp())


def wall_step() -> float:
    """Return by how many seconds the wall clock has been set forward since the start (negative: back)."""
    return time.time() - timestamp()

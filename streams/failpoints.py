"""Named points at which a fault driver kills the worker: `FAIRWAY_FAILPOINT=commit.before:3` dies at the third."""

import os
import signal

from streams.errors import FairwayError

NAMES = tuple(
    f"{step}.{moment}"
    for step in ("fence", "restore", "send", "offsets", "commit", "store")
    for moment in ("before", "after")
)

_armed: dict[str, int] = {}


def arm(point: str) -> None:
    """Arm one point, as `name` or `name:count`; raises FairwayError for a name that does not exist."""
    _armed.clear()
    if not point:
        return
    name, _, count = point.partition(":")
    if name not in NAMES or not (count or "1").isdigit():
        raise FairwayError(
            f"FAIRWAY_FAILPOINT is '{point}', but must be: name:count with one of {', '.join(NAMES)}."
        )
    _armed[name] = int(count or 1)


def reach(name: str) -> None:
    """Die here, as if by kill -9, if this point is armed and its count is up; costs one look when none is."""
    if name in _armed:
        _armed[name] -= 1
        if _armed[name] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

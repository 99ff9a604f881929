"""How health is told: lengths of time, and partitions by their numbers."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


def span(length: timedelta) -> str:
    """Return a length of time in its two largest units."""
    left, parts = int(abs(length.total_seconds())), []
    for unit, seconds in _UNITS:
        if left >= seconds:
            parts.append(f"{left // seconds} {unit}")
            left %= seconds
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 s"


def count_of(number: int, word: str) -> str:
    """Return a number with its word: 1 topic, 2 topics."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def runbook(alert: str) -> str:
    """Return where the runbook of an alert stands."""
    return f"docs/runbooks.md#{alert.lower()}"


def name_partitions(numbers: Iterable[int]) -> str:
    """Return partitions by their numbers, neighbours as a range: "partition 3", "partitions 0-3, 7"."""
    places = sorted(numbers)
    runs = [[number for _, number in run] for _, run in groupby(enumerate(places), lambda pair: pair[1] - pair[0])]
    named = ", ".join(_name_run(run[0], run[-1]) for run in runs)
    return f"partition{'s' * (len(places) != 1)} {named}"


def _name_run(first: int, last: int) -> str:
    if last - first < 2:
        return ", ".join(map(str, range(first, last + 1)))
    return f"{first}\N{EN DASH}{last}"

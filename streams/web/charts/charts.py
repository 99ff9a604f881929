"""Small charts as geometry: bars, lines over time and ranges; pure functions, drawn by charts.svg."""

from collections.abc import Sequence
from math import erf, sqrt

import msgspec

WIDTH, HEIGHT = 600.0, 72.0


class Bar(msgspec.Struct, frozen=True):
    """One bar, in pixels of a chart 600 wide; `label` is what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: int


def bars(values: Sequence[int], labels: Sequence[str], *, height: float = HEIGHT) -> list[Bar]:
    """Return bars side by side, the highest as high as the chart; any that is not zero can be seen."""
    most = max(values, default=0) or 1
    pitch = WIDTH / max(1, len(values))
    found = []
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        tall = max(2.0, height * value / most) if value else 0.0
        found.append(Bar(place * pitch + 1, height - tall, max(1.0, pitch - 2), tall, label, value))
    return found


def line(values: Sequence[float], *, width: float = WIDTH, height: float = HEIGHT, least: float = 1.0) -> str:
    """Return SVG path data of values from left to right; the full height stands for `least` at least."""
    if not values:
        return ""
    most = max(least, *values)
    pitch = width / max(1, len(values) - 1)
    points = [
        f"{place * pitch:.1f} {height - 2 - (height - 4) * value / most:.1f}" for place, value in enumerate(values)
    ]
    return "M" + "L".join(points if len(points) > 1 else [points[0], f"{width:.1f} {points[0].split()[1]}"])


def area(path: str, *, width: float = WIDTH, height: float = HEIGHT) -> str:
    """Return path data of all that lies under a line."""
    return f"{path}L{width:.1f} {height:.1f}L0 {height:.1f}Z" if path else ""


class Rate(msgspec.Struct, frozen=True):
    """A share of a sample, with its 95 % interval (Wilson)."""

    share: float
    low: float
    high: float


def rate(hits: int, all_: int) -> Rate | None:
    """Return what share the hits are, and where the true one lies in 95 of 100 cases; None of nothing."""
    if not all_:
        return None
    z, share = 1.96, hits / all_
    middle = (share + z * z / (2 * all_)) / (1 + z * z / all_)
    reach = z * sqrt(share * (1 - share) / all_ + z * z / (4 * all_ * all_)) / (1 + z * z / all_)
    return Rate(share, max(0.0, middle - reach), min(1.0, middle + reach))


def confidence(first: tuple[int, int], second: tuple[int, int]) -> float | None:
    """Return how sure it is, 0 to 1, that two shares (hits, all) differ (two-proportion z test); None: too few."""
    (hits1, all1), (hits2, all2) = first, second
    if not all1 or not all2:
        return None
    pooled = (hits1 + hits2) / (all1 + all2)
    if hits1 * all2 == hits2 * all1:
        return 0.0
    if min(all1, all2) * min(pooled, 1 - pooled) < 5:
        return None
    spread = sqrt(pooled * (1 - pooled) * (1 / all1 + 1 / all2))
    return erf(abs(hits1 / all1 - hits2 / all2) / spread / sqrt(2))

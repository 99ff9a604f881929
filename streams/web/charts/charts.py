"""Small charts as geometry: bars, lines over time and ranges; pure functions, drawn by charts.svg."""

from collections.abc import Sequence

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

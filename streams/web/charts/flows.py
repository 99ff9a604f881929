"""How much went each way of a journey, and how that is told: what changes in a picture where nothing moves."""

from collections.abc import Mapping

import msgspec

from models.journey import Journey
from streams.web.charts.outline import IMPLIED_END, Link, find_links
from streams.web.charts.text import fit, measure
from streams.web.queries.statistics import StepCounts

_LABEL_SIZE, _LONGEST_LABEL, _LABEL_EDGE = 12.0, 150.0, 16.0
_THIN, _THICK = 1.5, 12.0


class Flow(msgspec.Struct, frozen=True):
    """What went by a link: `share` is its part of all that left its step, None where it has no label or none left.

    `width` is the line's; `room` is how wide the label is at its longest, so that it may change where it stands.
    """

    link: Link
    share: float | None
    label: str
    room: float
    width: float

    @property
    def sentence(self) -> str:
        """How often this way was taken, in words."""
        end = "the end" if self.link.end == IMPLIED_END else self.link.end
        way = f", way {self.link.label}" if self.link.label else ""
        return f"{self.link.flow:,} times from {self.link.start} to {end}{way}"


def find_flows(journey: Journey, counts: Mapping[str, StepCounts]) -> list[Flow]:
    """Return what went by each link of a version of a journey, in the order of its links."""
    links = find_links(journey, counts)
    most = max((link.flow for link in links), default=0) or 1
    left: dict[str, int] = {}
    for link in links:
        left[link.start] = left.get(link.start, 0) + link.flow
    return [_make_flow(link, left[link.start], link.flow / most) for link in links]


def _make_flow(link: Link, left: int, part: float) -> Flow:
    width = _THIN + part * (_THICK - _THIN)
    if not link.label:
        return Flow(link, None, "", 0.0, width)
    name, share = fit(link.label, _LONGEST_LABEL, _LABEL_SIZE), link.flow / left if left else None
    label = name if share is None else f"{name} {100 * share:.0f} %"
    return Flow(link, share, label, measure(f"{name} 100 %", _LABEL_SIZE) + _LABEL_EDGE, width)

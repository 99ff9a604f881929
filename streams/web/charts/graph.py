"""A journey as a picture: boxes for steps, lines as thick as their flow; a pure function, drawn by graph.svg."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import msgspec

from models.journey import Journey
from models.steps import AnyStep
from streams.engine.listeners import GOAL
from streams.web.charts.flows import Flow, find_flows
from streams.web.charts.layout import GAP_Y, Cell, Layers, arrange
from streams.web.charts.listening import describe_goal, list_exits
from streams.web.charts.outline import IMPLIED_END, summarize
from streams.web.queries.statistics import Conversions, StepCounts

BOX, ROW = (216.0, 88.0), 18.0
"""A step with one row of numbers, and how much each further row adds to its height."""
COLUMNS = 2
NOTE, NOTE_GAP = (216.0, 66.0), 16.0
_SMALL = (120.0, 36.0)
_LABEL_HEIGHT = 22.0
_TURN = GAP_Y * 0.4
_TIP = 10.0
"""How long an arrow's tip is: its line ends before it, for it would hide the tip where it is thick."""


class Box(msgspec.Struct, frozen=True):
    """A step where it is drawn; x and y are its left upper corner, `about` is what it says when pointed at."""

    id: str
    kind: str
    name: str
    summary: str
    about: str
    x: float
    y: float
    width: float
    height: float
    counts: StepCounts

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """The counts that are shown, each with its word, row by row."""
        return name_counts(self.counts)


class Line(msgspec.Struct, frozen=True):
    """A flow where it is drawn: `path` is SVG path data, the arrow's tip is its end."""

    flow: Flow
    path: str
    label_x: float
    label_y: float
    back: bool


class Note(msgspec.Struct, frozen=True):
    """What may happen at any step, in a box below the steps: an exit, the goal, what is followed."""

    kind: str
    name: str
    count: str
    summary: str
    x: float
    y: float
    width: float
    height: float


class Graph(msgspec.Struct, frozen=True):
    """All of the picture, in pixels."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    notes: tuple[Note, ...]


def draw(journey: Journey, counts: Mapping[str, StepCounts], whole: Conversions | None = None) -> Graph:
    """Return the picture of a version of a journey with these counts by step id, and of the version as a whole."""
    flows = find_flows(journey, counts)
    sizes = {step.id: _size(counts.get(step.id, StepCounts())) for step in journey.steps}
    if any(flow.link.end == IMPLIED_END for flow in flows):
        sizes[IMPLIED_END] = _SMALL
    spans = [
        (flow.link.start, flow.link.end, (flow.room, _LABEL_HEIGHT) if flow.room else (0.0, 0.0)) for flow in flows
    ]
    layers = arrange(sizes, spans)
    lines = [_draw_line(layers, number, flow) for number, flow in enumerate(flows)]
    boxes, notes = tuple(_draw_boxes(journey, layers, counts)), _draw_notes(journey, layers, whole or Conversions())
    width, height = layers.width, layers.height
    if notes:
        width = max(width, *(note.x + note.width + NOTE_GAP for note in notes))
        height = notes[-1].y + notes[-1].height + NOTE_GAP
    return Graph(width, height, boxes, tuple(lines), notes)


def _draw_notes(journey: Journey, layers: Layers, whole: Conversions) -> tuple[Note, ...]:
    """Return the notes in rows as wide as the steps are, at least two in each."""
    width, height = NOTE
    in_row = max(2, int(layers.width // (width + NOTE_GAP)))
    notes = []
    for number, (kind, name, count, summary) in enumerate(_list_notes(journey, whole)):
        row, place = divmod(number, in_row)
        x, y = NOTE_GAP + place * (width + NOTE_GAP), layers.height + row * (height + NOTE_GAP)
        notes.append(Note(kind, name, count, summary, x, y, width, height))
    return tuple(notes)


def _list_notes(journey: Journey, whole: Conversions) -> Iterator[tuple[str, str, str, str]]:
    if journey.goal is not None:
        yield "GOAL", journey.goal.name or GOAL, count_goal(whole), describe_goal(journey.goal)
    for name, what in list_exits(journey):
        yield "EXIT", name, "", what
    for one in journey.follow or ():
        yield "FOLLOW", one.event_type, "", ", ".join(one.names) or "all that the trigger had"


def count_goal(whole: Conversions) -> str:
    """Return how many enrolments reached the goal, of how many; nothing as long as there are none."""
    return f"{whole.converted:,} of {whole.enrollments:,}" if whole.enrollments else ""


_ALWAYS = ("inside", "now"), ("completed", "done")
_IF_ANY = ("converted", "goals"), ("skipped", "skipped"), ("failed", "failed")


def name_counts(counts: StepCounts) -> list[tuple[str, str]]:
    """Return which counts a box shows, each with its word; what is rare only where there is any."""
    return [*_ALWAYS, *(one for one in _IF_ANY if getattr(counts, one[0]))]


def _size(counts: StepCounts) -> tuple[float, float]:
    rows = -(-len(name_counts(counts)) // COLUMNS)
    return BOX[0], BOX[1] + ROW * (rows - 1)


def describe_box(step: AnyStep, summary: str, counts: StepCounts) -> str:
    """Return all that a box tells of a step, none of it shortened."""
    came = f", by {counts.enrollments:,} enrolments" if counts.entered > counts.enrollments else ""
    return (
        f"{step.type} {_name(step)}\n{summary}\n{counts.entered:,} entered{came} · {counts.inside:,}"
        f" waiting now · {counts.completed:,} done · {counts.skipped:,} skipped · {counts.failed:,} failed"
    )


def shorten(text: str, letters: int) -> str:
    """Return the text, its end replaced by … if it is longer than so many letters."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def _draw_boxes(journey: Journey, layers: Layers, counts: Mapping[str, StepCounts]) -> list[Box]:
    steps = {step.id: step for step in journey.steps}
    boxes = []
    for top, row in zip(layers.tops, layers.ranks, strict=True):
        for cell in row:
            if not isinstance(cell.name, str):
                continue
            place = (cell.x - cell.width / 2, top, cell.width, cell.height)
            step, count = steps.get(cell.name), counts.get(cell.name, StepCounts())
            if step is None:
                boxes.append(Box(cell.name, "END", "End", "", "", *place, count))
                continue
            summary = summarize(step, journey.trigger_type)
            about = describe_box(step, summary, count)
            boxes.append(Box(cell.name, step.type, _name(step), summary, about, *place, count))
    return boxes


def _name(step: object) -> str:
    return str(getattr(step, "name", None) or getattr(step, "id", ""))


def _draw_line(layers: Layers, number: int, flow: Flow) -> Line:
    route = layers.routes[number]
    back = number in layers.back
    path = _path_back(layers, route) if back else _path(_points(layers, route))
    labelled: Cell | None = route[1] if flow.room else None
    x = labelled.x if labelled else 0.0
    y = layers.tops[labelled.rank] + _middle(layers, labelled) if labelled else 0.0
    return Line(flow, path, x, y, back)


def _middle(layers: Layers, cell: Cell) -> float:
    return max(other.height for other in layers.ranks[cell.rank]) / 2


def _bottom(layers: Layers, rank: int) -> float:
    return layers.tops[rank] + max(cell.height for cell in layers.ranks[rank])


Point = tuple[float, float]


def _points(layers: Layers, route: list[Cell]) -> list[Point]:
    """Return where a link goes down: from below its start, straight past each rank, to above its end."""
    start, *bends, end = route
    points = [(start.x, layers.tops[start.rank] + start.height), (start.x, _bottom(layers, start.rank))]
    for bend in bends:
        points += [(bend.x, layers.tops[bend.rank]), (bend.x, _bottom(layers, bend.rank))]
    return [*points, (end.x, layers.tops[end.rank] - _TIP)]


def _path_back(layers: Layers, route: list[Cell]) -> str:
    """Return the way up: round below its start, up its lane, round above its end."""
    start, lane, *_, end = route
    bottom, top = layers.tops[start.rank] + start.height, layers.tops[end.rank]
    down, up, x = _bottom(layers, start.rank) + _TURN, top - _TURN, lane.x
    return (
        f"M{start.x:.0f} {bottom:.0f}Q{start.x:.0f} {down:.0f} {start.x + _TURN:.0f} {down:.0f}"
        f"H{x - _TURN:.0f}Q{x:.0f} {down:.0f} {x:.0f} {down - _TURN:.0f}"
        f"V{up + _TURN:.0f}Q{x:.0f} {up:.0f} {x - _TURN:.0f} {up:.0f}"
        f"H{end.x + _TURN:.0f}Q{end.x:.0f} {up:.0f} {end.x:.0f} {top - _TIP:.0f}"
    )


def _path(points: list[Point]) -> str:
    """Return SVG path data: straight where a step is straight, else a curve that leaves and arrives upright."""
    parts = [f"M{points[0][0]:.0f} {points[0][1]:.0f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        if round(x0) == round(x1):
            parts.append(f"L{x1:.0f} {y1:.0f}")
        else:
            half = (y0 + y1) / 2
            parts.append(f"C{x0:.0f} {half:.0f} {x1:.0f} {half:.0f} {x1:.0f} {y1:.0f}")
    return "".join(parts)

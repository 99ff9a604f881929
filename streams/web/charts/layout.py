"""Layered drawing of a directed graph, top to bottom: ranks, an order with few crossings, and positions.

Links that span ranks, and labels, are held apart by small cells of their own, so that no line runs through a box
and no label lies on another. Links back up are lanes beside the boxes. All of it is a pure function of its input.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise

import msgspec

GAP_X, GAP_Y, LANE = 28.0, 38.0, 14.0
_SWEEPS = 12

Name = Hashable


class Cell(msgspec.Struct):
    """A box, a label or a bend of a link, in one rank; `x` is its middle."""

    name: Name
    width: float
    height: float
    rank: int
    x: float = 0.0
    lane: bool = False


class Layers:
    """Cells by rank, and the cells that each link runs through, start to end; those in `back` lead up."""

    def __init__(self) -> None:
        self.ranks: list[list[Cell]] = []
        self.routes: dict[int, list[Cell]] = {}
        self.back: set[int] = set()
        self.tops: list[float] = []
        self.height = self.width = 0.0


def arrange(
    sizes: Mapping[str, tuple[float, float]],
    links: Sequence[tuple[str, str, tuple[float, float]]],
) -> Layers:
    """Place boxes of these sizes; a link is (start, end, size of its label or (0, 0)); the first box is on top."""
    layers = Layers()
    layers.back = _find_back(list(sizes), links)
    ranks = _rank(list(sizes), links, layers.back)
    boxes = {name: Cell(name, *sizes[name], rank) for name, rank in ranks.items()}
    for number, (start, end, label) in enumerate(links):
        layers.routes[number] = _route(number, boxes[start], boxes[end], label, back=number in layers.back)
    _stack(layers, boxes)
    _order(layers)
    _align(layers)
    return layers


def find_ranks(names: Sequence[str], ways: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return what has these names by its depth: below all that leads to it, side by side what leads not there."""
    links = [(start, end, (0.0, 0.0)) for start, end in ways]
    ranks = _rank(list(names), links, _find_back(list(names), links))
    return [[name for name in names if ranks[name] == rank] for rank in sorted(set(ranks.values()))]


def _find_back(names: list[str], links: Sequence[tuple[str, str, tuple[float, float]]]) -> set[int]:
    """Return the links that close a loop, found depth first, in the order written."""
    ways: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for number, (start, end, _) in enumerate(links):
        ways[start].append((number, end))
    back: set[int] = set()
    done: set[str] = set()
    for first in names:
        path: list[tuple[str, int]] = [] if first in done else [(first, 0)]
        open_: set[str] = {first} if path else set()
        while path:
            name, taken = path.pop()
            if taken == len(ways[name]):
                open_.discard(name)
                done.add(name)
                continue
            path.append((name, taken + 1))
            number, end = ways[name][taken]
            if end in open_:
                back.add(number)
            elif end not in done:
                open_.add(end)
                path.append((end, 0))
    return back


def _rank(
    names: list[str], links: Sequence[tuple[str, str, tuple[float, float]]], back: set[int]
) -> dict[str, int]:
    """Return each box's rank: below all that lead to it, with a rank in between for a label."""
    ahead: dict[str, list[tuple[str, int]]] = defaultdict(list)
    before = dict.fromkeys(names, 0)
    for number, (start, end, label) in enumerate(links):
        if number not in back:
            ahead[start].append((end, 2 if label[0] else 1))
            before[end] += 1
    ranks = dict.fromkeys(names, 0)
    ready = [name for name in names if not before[name]]
    while ready:
        name = ready.pop()
        for end, length in ahead[name]:
            ranks[end] = max(ranks[end], ranks[name] + length)
            before[end] -= 1
            if not before[end]:
                ready.append(end)
    return ranks


def _route(number: int, start: Cell, end: Cell, label: tuple[float, float], *, back: bool) -> list[Cell]:
    """Return the cells of a link; the label is the first of them after its start."""
    steps = range(start.rank, end.rank - 1, -1) if back else range(start.rank + 1, end.rank)
    bends = [Cell((number, rank), 4.0, 0.0, rank, lane=back) for rank in steps]
    if label[0]:
        bends[0].width, bends[0].height = label
    return [start, *bends, end]


def _stack(layers: Layers, boxes: Mapping[str, Cell]) -> None:
    """Sort all cells into ranks, lanes last; ranks without cells are closed up."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    for box in boxes.values():
        cells[box.rank].append(box)
    for route in sorted(layers.routes.values(), key=lambda route: route[1].lane if len(route) > 2 else False):
        for bend in route[1:-1]:
            cells[bend.rank].append(bend)
    layers.ranks = [cells[rank] for rank in sorted(cells)]
    for rank, row in enumerate(layers.ranks):
        for cell in row:
            cell.rank = rank


def _neighbours(layers: Layers) -> tuple[dict[Name, list[Cell]], dict[Name, list[Cell]]]:
    above: dict[Name, list[Cell]] = defaultdict(list)
    below: dict[Name, list[Cell]] = defaultdict(list)
    for number, route in layers.routes.items():
        chain = route[-2:0:-1] if number in layers.back else route
        for upper, lower in pairwise(chain):
            below[upper.name].append(lower)
            above[lower.name].append(upper)
    return above, below


def _order(layers: Layers) -> None:
    """Order each rank by the middle of its neighbours, down and up; keep the order with fewest crossings."""
    above, below = _neighbours(layers)
    best, fewest = [list(row) for row in layers.ranks], _crossings(layers, below)
    places = {cell.name: place for row in layers.ranks for place, cell in enumerate(row)}

    def middle(cell: Cell, near: dict[Name, list[Cell]]) -> float:
        spots = [places[other.name] for other in near[cell.name]]
        return sum(spots) / len(spots) if spots else places[cell.name]

    for sweep in range(_SWEEPS if fewest else 0):
        down = sweep % 2 == 0
        for row in layers.ranks if down else layers.ranks[::-1]:
            row.sort(key=lambda cell: (cell.lane, middle(cell, above if down else below)))
            places.update((cell.name, place) for place, cell in enumerate(row))
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(row) for row in layers.ranks], crossings
    layers.ranks = best


def _crossings(layers: Layers, below: Mapping[Name, list[Cell]]) -> int:
    count = 0
    for upper, lower in pairwise(layers.ranks):
        places = {cell.name: place for place, cell in enumerate(lower)}
        pairs = [(at, places[to.name]) for at, cell in enumerate(upper) for to in below[cell.name]]
        count += sum(a < c and b > d for a, b in pairs for c, d in pairs)
    return count


def _align(layers: Layers) -> None:
    """Give every cell its place: as near to the middle of its neighbours as those beside it allow."""
    above, below = _neighbours(layers)
    for row in layers.ranks:
        _place(row, [0.0] * len(row))
    for sweep in range(_SWEEPS * 2):
        near = above if sweep % 2 == 0 else below
        for row in layers.ranks if sweep % 2 == 0 else layers.ranks[::-1]:
            wanted = [
                sum(other.x for other in near[cell.name]) / len(near[cell.name]) if near[cell.name] else cell.x
                for cell in row
            ]
            _place(row, wanted)
    _keep_lanes_right(layers)
    left = min(cell.x - cell.width / 2 for row in layers.ranks for cell in row)
    for row in layers.ranks:
        for cell in row:
            cell.x += GAP_X - left
    layers.width = max(cell.x + cell.width / 2 for row in layers.ranks for cell in row) + GAP_X
    top = GAP_Y
    for row in layers.ranks:
        layers.tops.append(top)
        top += max(cell.height for cell in row) + GAP_Y
    layers.height = top


def _keep_lanes_right(layers: Layers) -> None:
    """Make each lane a straight line to the right of all that it passes, short ones inside."""
    drawn: list[Cell] = []
    for number in sorted(layers.back, key=lambda number: len(layers.routes[number])):
        lane = layers.routes[number][1:-1]
        ranks = {bend.rank for bend in lane}
        passed = [cell for rank in ranks for cell in layers.ranks[rank] if not cell.lane]
        passed += [cell for cell in drawn if cell.rank in ranks]
        right = max(cell.x + cell.width / 2 for cell in passed)
        for cell in lane:
            cell.x = right + LANE + max(bend.width for bend in lane) / 2
        drawn += lane


def _place(row: list[Cell], wanted: list[float]) -> None:
    """Move a row's cells to where they want to be, in order and apart: isotonic regression, least squares."""
    offsets, offset = [], 0.0
    for cell, next_ in zip(row, [*row[1:], None], strict=True):
        offsets.append(offset)
        offset += (cell.width + next_.width) / 2 + GAP_X if next_ else 0.0
    blocks: list[tuple[float, int]] = []
    for goal, shift in zip(wanted, offsets, strict=True):
        total, size = goal - shift, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / size:
            earlier = blocks.pop()
            total, size = total + earlier[0], size + earlier[1]
        blocks.append((total, size))
    levels = [total / size for total, size in blocks for _ in range(size)]
    for cell, level, shift in zip(row, levels, offsets, strict=True):
        cell.x = level + shift

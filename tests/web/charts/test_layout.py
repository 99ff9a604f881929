"""Drawings of graphs: nothing lies on anything else, whatever the graph."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.web.charts.layout import Cell, Layers, arrange

BOX, LABEL, BARE = (216.0, 88.0), (60.0, 22.0), (0.0, 0.0)


def graph(links: list[tuple[int, int, bool]]) -> Layers:
    names = {f"s{number}": BOX for number in range(1 + max((max(a, b) for a, b, _ in links), default=0))}
    return arrange(names, [(f"s{a}", f"s{b}", LABEL if labelled else BARE) for a, b, labelled in links])


def spots(layers: Layers) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every box and label."""
    return [
        (cell.x - cell.width / 2, top, cell.x + cell.width / 2, top + max(cell.height, 1))
        for top, row in zip(layers.tops, layers.ranks, strict=True)
        for cell in row
    ]


def place(layers: Layers, name: str) -> Cell:
    return next(cell for row in layers.ranks for cell in row if cell.name == name)


nodes = st.integers(0, 14)


@given(st.lists(st.tuples(nodes, nodes, st.booleans()), max_size=30))
def test_no_box_label_or_bend_lies_on_another(links: list[tuple[int, int, bool]]) -> None:
    layers = graph(links)
    for (left1, top1, right1, bottom1), (left2, top2, right2, bottom2) in combinations(spots(layers), 2):
        apart = right1 <= left2 + 0.01 or right2 <= left1 + 0.01 or bottom1 <= top2 or bottom2 <= top1
        assert apart


@given(st.lists(st.tuples(nodes, nodes, st.booleans()), max_size=30))
def test_every_link_leads_down_unless_it_closes_a_loop(links: list[tuple[int, int, bool]]) -> None:
    layers = graph(links)
    for number, route in layers.routes.items():
        start, end = route[0], route[-1]
        assert start.rank >= end.rank if number in layers.back else start.rank < end.rank


@given(st.lists(st.tuples(nodes, nodes, st.booleans()), max_size=30))
def test_all_is_inside_the_picture(links: list[tuple[int, int, bool]]) -> None:
    layers = graph(links)
    for left, top, right, bottom in spots(layers):
        assert left >= 0
        assert top >= 0
        assert right <= layers.width
        assert bottom <= layers.height


def test_a_chain_is_a_straight_line() -> None:
    layers = graph([(0, 1, False), (1, 2, False), (2, 3, False)])
    assert len({place(layers, f"s{number}").x for number in range(4)}) == 1


def test_two_ways_stand_left_and_right_of_where_they_part_and_meet() -> None:
    layers = graph([(0, 1, True), (0, 2, True), (1, 3, False), (2, 3, False)])
    first, second, middle = place(layers, "s1").x, place(layers, "s2").x, place(layers, "s0").x
    assert min(first, second) < middle < max(first, second)
    assert place(layers, "s3").x == pytest.approx(middle, abs=1)


def test_a_loop_is_found_and_its_lane_runs_beside_what_it_passes() -> None:
    layers = graph([(0, 1, False), (1, 2, False), (2, 1, False)])
    assert layers.back == {2}
    lane = layers.routes[2][1]
    assert lane.x > place(layers, "s1").x + BOX[0] / 2


def test_two_hundred_steps_are_drawn() -> None:
    links = [(number, number + 1, False) for number in range(199)]
    links += [(number, number + 7, True) for number in range(0, 190, 5)]
    assert len([cell for row in graph(links).ranks for cell in row if isinstance(cell.name, str)]) == 200

"""Reachability: the same as a search from each step finds, in time that grows as the steps do."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from streams.engine.reach import find_reach

STEPS = [f"s{number}" for number in range(12)]
GRAPHS = st.dictionaries(st.sampled_from(STEPS), st.lists(st.none() | st.sampled_from(STEPS), max_size=3))


def search(ways: Mapping[str, list[str | None]], start: str) -> set[str]:
    seen: set[str] = set()
    ahead: list[str | None] = [start]
    while ahead:
        here = ahead.pop()
        if here is not None and here in ways and here not in seen:
            seen.add(here)
            ahead += ways[here]
    return seen


@given(GRAPHS)
def test_each_step_reaches_what_a_search_from_it_finds(ways: dict[str, list[str | None]]) -> None:
    bits = {id_: 1 << number for number, id_ in enumerate(ways)}
    assert find_reach(ways) == {id_: sum(bits[found] for found in search(ways, id_)) for id_ in ways}


def test_the_time_grows_with_the_steps_and_not_with_their_square() -> None:
    ways = {f"s{n}": (f"s{n + 1}", f"s{n - 1}") for n in range(20_000)}  # a set for each step: 400,000,000 entries
    assert set(find_reach(ways).values()) == {(1 << 20_000) - 1}

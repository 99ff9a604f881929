"""Which steps can still be reached from each step of a journey (R26)."""

from collections.abc import Collection, Mapping


def find_reach(ways: Mapping[str, Collection[str | None]]) -> dict[str, int]:
    """Return the steps that can be reached from each, itself included: bit n stands for the n-th step.

    `ways` are the ids of the steps that come directly after each, and None for the end. Takes time
    in proportion to steps and ways, where a set for each step would take it to the square of them.
    """
    ahead = {
        id_: [target for target in targets if target is not None and target in ways]
        for id_, targets in ways.items()
    }
    reach = dict.fromkeys(ways, 0)
    for loop in reversed(_find_loops(ahead)):
        found = 0
        for id_, bit in loop.items():
            found |= bit
            for target in ahead[id_]:
                found |= reach[target]
        reach.update(dict.fromkeys(loop, found))
    return reach


def _find_loops(ahead: Mapping[str, Collection[str]]) -> list[dict[str, int]]:
    """Return the steps with their bits, those that lead to each other together, before those that they lead to.

    Kosaraju's algorithm: http://en.wikipedia.org/wiki/Kosaraju's_algorithm
    """
    bits = {id_: 1 << position for position, id_ in enumerate(ahead)}
    behind: dict[str, list[str]] = {id_: [] for id_ in ahead}
    for id_, targets in ahead.items():
        for target in targets:
            behind[target].append(id_)
    seen: set[str] = set()
    return [
        {id_: bits[id_] for id_ in found}
        for start in reversed(_visit(ahead, ahead, set()))
        if (found := _visit([start], behind, seen))
    ]


def _visit(starts: Collection[str], ways: Mapping[str, Collection[str]], seen: set[str]) -> list[str]:
    """Return the steps that are reached from these and were not seen before, each after those that it leads to."""
    order = []
    ahead = [(start, False) for start in starts]
    while ahead:
        id_, is_left = ahead.pop()
        if is_left:
            order.append(id_)
        elif id_ not in seen:
            seen.add(id_)
            ahead.append((id_, True))
            ahead += [(target, False) for target in ways[id_]]
    return order

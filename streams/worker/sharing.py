"""Who owns which partitions, and who keeps copies of them: decided by the group's leader.

A partition stays with its owner as long as all have as many; what goes, goes to whoever has the most of its state.
One that somebody works on goes only to a member on the same disk, or whose copy has caught up. Until then that
member warms up: it keeps a copy, and lets the group agree anew when that has caught up.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

_Sets = dict[str, set[int]]


class Member(NamedTuple):
    """What a member has, by what it tells.

    `fresh` are the copies that have caught up, None of one of an earlier release that keeps none; `copying` all its
    copies, or what lies on its `disk`. Of `own` it has yet to restore those in `opening`. `generation` is the one
    in which it was given them.
    """

    own: frozenset[int] = frozenset()
    fresh: frozenset[int] | None = None
    copying: frozenset[int] = frozenset()
    opening: frozenset[int] = frozenset()
    generation: int = -1
    disk: str = ""

    def rank(self, partition: int) -> tuple[bool, bool]:
        """Return how much of this partition's state the member lacks: what sorts first lacks least."""
        return partition not in (self.own | (self.fresh or frozenset())), partition not in self.copying


class Share(NamedTuple):
    """What a member gets: partitions, copies to keep, and those among them that are to become its own."""

    own: frozenset[int] = frozenset()
    copies: frozenset[int] = frozenset()
    warming: frozenset[int] = frozenset()


def share_out(members: Mapping[str, Member], partitions: int, standbys: int) -> dict[str, Share]:
    """Return what each member gets: every partition once, and so many copies of each as there are members for."""
    own = _keep(members, partitions)
    warming: _Sets = {name: set() for name in members}
    for partition, giver, taker in _plan_moves(members, own):
        fresh = members[taker].fresh
        is_there = not standbys and members[giver].disk == members[taker].disk != ""
        if fresh is None or is_there or partition in fresh | members[giver].opening:
            own[giver].remove(partition)
            own[taker].add(partition)
        else:
            warming[taker].add(partition)
    copies = _choose_copies(members, own, standbys)
    return {
        name: Share(frozenset(own[name]), frozenset(copies[name] | warming[name]), frozenset(warming[name]))
        for name in members
    }


def _keep(members: Mapping[str, Member], partitions: int) -> _Sets:
    """Leave each partition with the member that had it last; give those of nobody to whoever lacks least."""
    own: _Sets = {name: set() for name in members}
    left = set(range(partitions))
    for name in sorted(members, key=lambda name: (-members[name].generation, name)):
        own[name] = left & members[name].own
        left -= own[name]
    for partition in sorted(left) if members else ():
        best = min(members, key=lambda name: (*members[name].rank(partition), len(own[name]), name))
        own[best].add(partition)
    return own


def _plan_moves(members: Mapping[str, Member], own: _Sets) -> Iterable[tuple[int, str, str]]:
    """Yield which partitions have to go from whom to whom so that all have as many, or one more."""
    planned = {name: set(has) for name, has in own.items()}
    names = sorted(planned)
    while names:
        giver = max(names, key=lambda name: len(planned[name]))
        taker = min(names, key=lambda name: len(planned[name]))
        if len(planned[giver]) - len(planned[taker]) < 2:
            return
        partition = min(planned[giver], key=lambda number: (*members[taker].rank(number), number))
        planned[giver].remove(partition)
        planned[taker].add(partition)
        yield partition, giver, taker


def _choose_copies(members: Mapping[str, Member], own: _Sets, standbys: int) -> _Sets:
    """Choose who keeps copies: whoever has one, as long as all have as many; those of one owner lie apart."""
    copies: _Sets = {name: set() for name in members}
    takers = sorted(name for name, member in members.items() if member.fresh is not None)
    most = -(-standbys * sum(map(len, own.values())) // max(1, len(takers)))
    for owner, partition in sorted((name, number) for name in own for number in own[name]):

        def cost(name: str, owner: str = owner, partition: int = partition) -> tuple[object, ...]:
            copied, member = copies[name], members[name]
            return len(copied) >= most, *member.rank(partition), len(copied & own[owner]), len(copied), name

        for name in sorted((name for name in takers if name != owner), key=cost)[:standbys]:
            copies[name].add(partition)
    return copies

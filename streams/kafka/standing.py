"""A worker's standing in its group: what it may commit, and whether that may have been another's meanwhile."""

import asyncio
from typing import NamedTuple


class Membership(NamedTuple):
    """How the group knows a worker in one generation, and which partitions it has given to it."""

    group: str
    generation: int  # below 0: in none
    member: str
    instance: str | None
    partitions: frozenset[int] = frozenset()
    is_shared: bool = True
    """Whether the generation fences all workers of the group; else some are fenced by an id a partition only."""

    def follows(self, before: "Membership") -> bool:
        """Say whether nobody else can have had, between the two, a partition that both of them have."""
        return (
            self.generation - before.generation in (0, 1)
            and before.generation >= 0
            and self.member == before.member
            and self.is_shared == before.is_shared
        )


class Standing:
    """A worker's membership as of now, and since when it has had each of its partitions without a break."""

    def __init__(self, group: str) -> None:
        self.membership = Membership(group, -1, "", None)
        self._eras: dict[int, int] = {}
        self._joins = 0
        self._changed = asyncio.Event()

    def join(self, membership: Membership) -> None:
        """Be a member in this way from now on."""
        self._joins += 1
        kept = self._eras if membership.follows(self.membership) else {}
        partitions = membership.partitions if membership.generation >= 0 else ()
        self._eras = {partition: kept.get(partition, self._joins) for partition in partitions}
        self.membership = membership
        self._changed.set()
        self._changed = asyncio.Event()

    def era(self, partition: int) -> int | None:
        """Return a number that is another whenever the partition may have been another worker's meanwhile.

        None if it is not this worker's.
        """
        return self._eras.get(partition)

    async def after(self, membership: Membership) -> Membership:
        """Return the membership as of now, once it is another than this."""
        while self.membership == membership:
            await self._changed.wait()
        return self.membership

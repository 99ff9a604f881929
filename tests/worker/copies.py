"""What keeps copies, where there are none."""

from collections.abc import Callable, Collection

from streams.state.store import Store


class NoCopies:
    """Standbys of a worker that keeps no copies, and is to have none."""

    warming: frozenset[int] = frozenset()
    find_opening: Callable[[], Collection[int]]
    is_at_work: Callable[[], bool]

    async def release(self, own: Collection[int]) -> None: ...

    def take(self, partition: int) -> Store | None: ...

    async def follow(self) -> None: ...

    async def finish(self) -> None: ...

    async def close(self) -> None: ...

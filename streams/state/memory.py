"""An ordered map in memory, for tests and for workers without a disk (FAIRWAY_STORE=memory)."""

from collections.abc import Iterable
from itertools import islice

from sortedcontainers import SortedDict

from streams.state.ordered_map import Change


class MemoryMap:
    """An ordered map that lives as long as the process."""

    def __init__(self) -> None:
        self._values: SortedDict[bytes, bytes] = SortedDict()

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        value: bytes | None = self._values.get(key)
        return value

    def get_all(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the value of each key."""
        return [self._values.get(key) for key in keys]

    def write(self, changes: Iterable[Change]) -> None:
        """Put, or with None delete, all these or none."""
        for key, value in changes:
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value

    def items(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from `start` to before `stop`, in order."""
        keys = self._values.irange(start, stop, inclusive=(True, False))
        return [(key, self._values[key]) for key in islice(keys, limit)]

    def close(self) -> None:
        """Keep everything, as a disk would."""

    def set_aside(self, reason: str) -> None:
        """Forget everything."""
        self._values.clear()

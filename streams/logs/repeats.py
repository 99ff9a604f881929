"""Lines of one kind are written once a minute, with how often they came."""

from collections.abc import Hashable
from typing import Generic, TypeVar

import msgspec

MINUTE = 60.0

Line = TypeVar("Line")


class _Kind(msgspec.Struct, Generic[Line]):
    """What was held back of a kind of line since it was last written."""

    since: float
    held: int = 0
    last: Line | None = None


class Repeats(Generic[Line]):
    """Says which lines are written at once, and which stand for those of their kind when their minute is over."""

    def __init__(self) -> None:
        self._kinds: dict[Hashable, _Kind[Line]] = {}

    def admit(self, kind: Hashable, line: Line, at: float) -> bool:
        """Say whether a line is written now; one whose kind was written within this minute is held back."""
        found = self._kinds.get(kind)
        if found is None:
            self._kinds[kind] = _Kind(at)
            return True
        found.held, found.last = found.held + 1, line
        return False

    @property
    def is_holding(self) -> bool:
        """Say whether any line is held back."""
        return any(found.held for found in self._kinds.values())

    def due(self, at: float, *, minute: float = MINUTE) -> list[tuple[Line, int]]:
        """Return the last line of each kind that was held back for a minute, and how many it stands for."""
        over = {kind: found for kind, found in self._kinds.items() if at - found.since >= minute}
        for kind, found in over.items():
            if found.held:
                self._kinds[kind] = _Kind(at)
            else:
                del self._kinds[kind]
        return [(found.last, found.held) for found in over.values() if found.last is not None]

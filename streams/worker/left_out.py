"""How soon to ask partitions that are left out of a fetch whether they want more; pure."""

from collections.abc import Set

from faust.types import TP

_SOON_SECONDS = 0.02  # they handle what they have
_SELDOM_SECONDS = 0.2  # they wait for Postgres, say, or are being restored
_LONG_SECONDS = 1.0  # after which it is the latter


class LeftOut:
    """Those that want nothing for now, and since when they have been the same."""

    def __init__(self) -> None:
        self._partitions: Set[TP] = frozenset()
        self._since = 0.0

    def ask_again_after(self, partitions: Set[TP], now: float) -> float:
        """Return seconds; `now` is in seconds, too."""
        if partitions != self._partitions:
            self._partitions, self._since = partitions, now
        return _SOON_SECONDS if now - self._since < _LONG_SECONDS else _SELDOM_SECONDS

    def expect(self) -> None:
        """Ask soon again: one of them is about to want something."""
        self._partitions = frozenset()

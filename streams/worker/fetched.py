"""What was fetched and not taken yet, and of which partitions of it to ask whether their readers have room; pure.

aiokafka keeps it in a dict, which this replaces. New ones are asked at once, full ones soon again, and those that
have been full for long only seldom. To look at all 126 that 64 partitions of two topics had, whenever one of them
came, took 3 % of a worker's time.
"""

from collections.abc import Callable, Set
from typing import Any

from faust.types import TP

_SOON_SECONDS = 0.02  # they handle what they have
_SELDOM_SECONDS = 0.2  # they wait for Postgres, say, or are being restored
_LONG_SECONDS = 1.0  # after which it is the latter


class Fetched(dict[TP, Any]):
    """What was fetched of each partition. Times are in seconds."""

    def __init__(self, wants: Callable[[str, int], bool]) -> None:
        """`wants` says whether the reader of a topic has room for another fetch of a partition."""
        super().__init__()
        self._wants = wants
        self._new: set[TP] = set()  # and those that had room and were not taken yet
        self._full: dict[TP, float] = {}  # and since when
        self._soon: Set[TP] = set()  # of these, those that have not been for long
        self._next_of_soon = self._next_of_all = 0.0

    def __setitem__(self, place: TP, fetched: Any) -> None:
        super().__setitem__(place, fetched)
        self._new.add(place)

    def choose(self, now: float) -> Set[TP]:
        """Return those whose readers have room, of those that are to be asked now."""
        asked: Set[TP] = self._new
        is_of_all = now >= self._next_of_all
        if is_of_all:
            asked, self._next_of_all = self.keys(), now + _SELDOM_SECONDS
            self._next_of_soon = now + _SOON_SECONDS
        elif now >= self._next_of_soon:
            asked, self._next_of_soon = self._new | self._soon, now + _SOON_SECONDS
        there = asked & self.keys()
        wanted = {place for place in there if self._wants(*place)}
        for place in wanted:
            self._full.pop(place, None)
        for place in there - wanted:
            self._full.setdefault(place, now)
        if is_of_all:
            self._full = {place: since for place, since in self._full.items() if place in self}
            self._soon = {place for place, since in self._full.items() if now - since < _LONG_SECONDS}
        else:
            self._soon = (self._soon | there) - wanted
        self._new = set(wanted)
        return wanted

    def ask_again_after(self, now: float) -> float | None:
        """Return in how many seconds to choose again, if nothing comes; None if nobody is full."""
        if not self._full:
            return None
        return max(0.0, (min(self._next_of_soon, self._next_of_all) if self._soon else self._next_of_all) - now)

    def expect(self) -> None:
        """Ask all at once: one of them is about to want something."""
        self._next_of_all = 0.0
        self._full.clear()

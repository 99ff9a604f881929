"""How many waits stand in a store, counted a part at a time, so that no look at it takes long."""

from streams.state.store import Store

_KINDS = (b"h", b"w")  # held back by a paused journey, and not


class WaitCount:
    """A count of a store's waits that goes round and round."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kind, self._after = 0, b""
        self._counted = 0  # in this round
        self._total: int | None = None  # of the last round

    def is_of(self, store: Store) -> bool:
        """Say whether it is this store that is counted."""
        return self._store is store

    def go_on(self, most: int) -> int:
        """Count at most so many more; return how many the last whole round found, in the first one those so far."""
        while most > 0:
            found, self._after = self._store.count_some(_KINDS[self._kind], self._after, most)
            self._counted += found
            most -= found
            if not self._after and self._end_kind():
                break
        return self._counted if self._total is None else self._total

    def _end_kind(self) -> bool:
        """Go on to the next kind of marks; say whether the round is over."""
        self._kind = (self._kind + 1) % len(_KINDS)
        if self._kind == 0:
            self._total, self._counted = self._counted, 0
        return self._kind == 0

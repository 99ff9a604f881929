"""The store of one partition: rows and marks in an ordered map, changed only at commit, in one write."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from streams.state.errors import ForeignError
from streams.state.index import DAMAGED, due_before, pack, read_wait, unpack
from streams.state.ordered_map import Change, OrderedMap

_CHANGELOG = b"c"
_OFFSET = b"o"
_ROW = b"r"
_WAIT = ord("w")
_IS_DAMAGED = ord(DAMAGED)
_MOST_DAMAGED = 100_000
_COUNTED = 5_000  # marks read at once
_END_OF_WAITS = b"x"


class Store:
    """What a partition holds as of its last commit; all of it moves in one write, the changelog offset too."""

    def __init__(self, entries: OrderedMap) -> None:
        self._entries = entries
        self._first_wait: bytes | None = b"w"  # no wait's mark lies before it: saves a seek over deleted ones
        self.offset = int(entries.get(_OFFSET) or 0)
        marks = entries.items(DAMAGED, _next(DAMAGED), _MOST_DAMAGED)
        self.damaged = {mark[1:] for mark, _ in marks}
        """Keys of rows that are known to be damaged."""

    @property
    def changelog(self) -> str:
        """Return which changelog the rows come from; empty before that was noted."""
        return (self._entries.get(_CHANGELOG) or b"").decode(errors="replace")

    def claim(self, changelog: str) -> None:
        """Note at the first time which changelog the rows come from; raises ForeignError where it is another."""
        found = self._entries.get(_CHANGELOG)
        if found is None and not self.offset:
            self._entries.write([(_CHANGELOG, changelog.encode())])
        elif found != changelog.encode():
            raise ForeignError(f"it was made from {(found or b'?').decode()}, but the changelog is {changelog}")

    def get(self, key: bytes) -> bytes | None:
        """Return the row of a key."""
        return self._entries.get(_ROW + key)

    def get_all(self, keys: Iterable[bytes]) -> list[bytes | None]:
        """Return the row of each key."""
        return self._entries.get_all([_ROW + key for key in keys])

    def write(self, rows: Mapping[bytes, bytes | None], marks: Mapping[bytes, bool], offset: int) -> None:
        """Put rows (None deletes) and marks (False deletes), and note the changelog offset that they stand for."""
        changes: list[Change] = [(_ROW + key, row) for key, row in rows.items()]
        changes += [(mark, b"" if stands else None) for mark, stands in marks.items()]
        changes.append((_OFFSET, str(offset).encode()))
        self._entries.write(changes)
        self.offset = offset
        for mark in [mark for mark in marks if mark[0] == _IS_DAMAGED]:
            (self.damaged.add if marks[mark] else self.damaged.discard)(mark[1:])
        first = min([mark for mark, stands in marks.items() if stands and mark[0] == _WAIT], default=None)
        if first is not None and (self._first_wait is None or first < self._first_wait):
            self._first_wait = first

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` rows with keys above `after`, in order; internal rows (`:…`) come among them."""
        found = self._entries.items(_ROW + after + b"\0", b"s", limit)
        return [(key[1:], row) for key, row in found]

    def next_due(self, after: bytes = b"") -> datetime | None:
        """Return when the next wait is due that is not held, of those above the mark `after`."""
        if self._first_wait is None:
            return None
        found = self._entries.items(max(self._first_wait, after + b"\0"), _END_OF_WAITS, 1)
        if not after:
            self._first_wait = found[0][0] if found else None
        return read_wait(found[0][0]).due if found else None

    def due(self, now: datetime, after: bytes, limit: int) -> list[bytes]:
        """Return up to `limit` marks of waits due at `now` or before and above the mark `after`, oldest first."""
        if self._first_wait is None:
            return []
        start = max(self._first_wait, after + b"\0")
        return [mark for mark, _ in self._entries.items(start, due_before(now), limit)]

    def enrolled(self, journey_id: str, after: bytes, limit: int) -> list[bytes]:
        """Return up to `limit` row keys above `after` with an ACTIVE enrolment in this journey, in order."""
        prefix = b"m" + pack(journey_id)
        return [mark[17:] for mark, _ in self._entries.items(prefix + after + b"\0", _next(prefix), limit)]

    def held(self, journey_id: str, after: bytes, limit: int) -> list[bytes]:
        """Return up to `limit` held marks of a journey above the mark `after`, oldest first."""
        prefix = b"h" + pack(journey_id)
        return [mark for mark, _ in self._entries.items(max(prefix, after + b"\0"), _next(prefix), limit)]

    def holds(self, mark: bytes) -> bool:
        """Say whether a mark stands."""
        return self._entries.get(mark) is not None

    def count_marks(self, kind: bytes) -> int:
        """Return how many marks begin with this letter, at the cost of reading each."""
        count, after = self.count_some(kind, b"", _COUNTED)
        while after:
            more, after = self.count_some(kind, after, _COUNTED)
            count += more
        return count

    def count_some(self, kind: bytes, after: bytes, limit: int) -> tuple[int, bytes]:
        """Return how many of the next `limit` marks above `after` begin with this letter, and the last of them.

        Once there are no more, the last is empty.
        """
        found = self._entries.items(max(kind, after + b"\0"), _next(kind), limit)
        return len(found), found[-1][0] if len(found) == limit else b""

    def journeys(self) -> set[str]:
        """Return the journeys that have members, at the cost of a seek each."""
        return self._journeys(b"m")

    def held_journeys(self) -> set[str]:
        """Return the journeys that have held waits, at the cost of a seek each."""
        return self._journeys(b"h")

    def _journeys(self, letter: bytes) -> set[str]:
        journeys, start = set(), letter
        while found := self._entries.items(start, _next(letter), 1):
            packed = found[0][0][1:17]
            journeys.add(unpack(packed))
            start = _next(letter + packed)
        return journeys

    def close(self) -> None:
        """Let go of files and locks."""
        self._entries.close()

    def set_aside(self, reason: str) -> None:
        """Close the store and put it out of the way, because it can't be used; the next one starts empty."""
        self._entries.set_aside(reason)


def _next(prefix: bytes) -> bytes:
    """Return the first key after all that start with this prefix, a letter and perhaps 16 bytes."""
    return (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix), "big")

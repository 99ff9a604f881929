"""The store of one partition: rows and marks in an ordered map, changed only at commit, in one write."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from streams.state.index import due_before, pack, read_wait, unpack

_CHANGELOG = b"c"
_OFFSET = b"o"
_ROW = b"r"
_WAIT = ord("w")
_END_OF_WAITS = b"x"

Change = tuple[bytes, bytes | None]


class ForeignError(Exception):
    """The store holds rows of another changelog than the partition's."""


class OrderedMap(Protocol):
    """Bytes to bytes, in order of key: RocksDB, or memory for tests and simulations."""

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""

    def get_all(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the value of each key."""

    def write(self, changes: Iterable[Change]) -> None:
        """Put, or with None delete, all these or none."""

    def items(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from `start` to before `stop`, in order."""

    def close(self) -> None:
        """Let go of files and locks."""

    def set_aside(self, reason: str) -> None:
        """Close, and put what is there out of the way; the sentence goes to the log."""


class MemoryMap:
    """An ordered map that lives as long as the process."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        return self._values.get(key)

    def get_all(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the value of each key."""
        return [self._values.get(key) for key in keys]

    def write(self, changes: Iterable[Change]) -> None:
        """Put, or with None delete, all these or none."""
        for key, value in changes:
            if value is None:
                if self._values.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
            else:
                if key not in self._values:
                    insort(self._keys, key)
                self._values[key] = value

    def items(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from `start` to before `stop`, in order."""
        first = bisect_left(self._keys, start)
        last = min(bisect_left(self._keys, stop, lo=first), first + limit)
        return [(key, self._values[key]) for key in self._keys[first:last]]

    def close(self) -> None:
        """Keep everything, as a disk would."""

    def set_aside(self, reason: str) -> None:
        """Forget everything."""
        self._values.clear()
        self._keys.clear()


class Store:
    """What a partition holds as of its last commit; all of it moves in one write, the changelog offset too."""

    def __init__(self, entries: OrderedMap) -> None:
        self._entries = entries
        self._first_wait: bytes | None = b"w"  # no wait's mark lies before it: saves a seek over deleted ones
        self.offset = int(entries.get(_OFFSET) or 0)

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
        changes.extend((mark, b"" if stands else None) for mark, stands in marks.items())
        changes.append((_OFFSET, str(offset).encode()))
        self._entries.write(changes)
        self.offset = offset
        first = min((mark for mark, stands in marks.items() if stands and mark[0] == _WAIT), default=None)
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

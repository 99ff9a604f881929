"""What a store is made on: bytes to bytes, in order of key.

Tests hold each map to the same answers (tests/state/machine.py).
"""

from collections.abc import Iterable
from typing import Protocol

Change = tuple[bytes, bytes | None]
"""A key, and the value to put or, with None, nothing any more."""


class OrderedMap(Protocol):
    """Bytes to bytes, in order of key: RocksDB, or memory for tests and small workers."""

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

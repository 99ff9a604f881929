"""The records of a transaction: their headers, where they go, and what a commit consists of.

Shapes only, without a test of their own.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

Header = tuple[str, bytes | None]
Headers = Sequence[Header]
NO_HEADERS: list[Header] = []  # aiokafka takes nothing but a list
Destination = tuple[str, int]
"""A topic, and a partition of it."""
SNAPPY_MARK = b"\x82SNAPPY\0\0\0\0\1\0\0\0\1"
"""What a stream of snappy blocks begins with."""
GATHER_SECONDS = 0.002
"""For which a commit that begins waits for those of other partitions, to go into one transaction with them."""


class Output(Protocol):
    """What takes the records of one partition of a topic, in the form that the producer wants."""

    def add(self, key: bytes | None, value: bytes | None, headers: list[Header]) -> None:
        """Add a record."""


class Commit(NamedTuple):
    """A transaction, encoded: rows for the changelog, records by topic and partition, and source positions."""

    rows: dict[bytes, bytes | None]
    outputs: Mapping[Destination, Output]
    positions: dict[str, int]

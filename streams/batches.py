"""Records of one partition of a topic, as the broker takes them; it reaches into aiokafka's insides."""

from collections.abc import Callable
from typing import Any

from streams.transaction import Record

# The broker takes one batch of a partition at a time, so a transaction of 4 MB lasts as many round trips as it has
# batches. Compressed to a fifth, those of a request stay small: larger than half a region of its heap they are
# "humongous" to the JVM of a small broker, and each starts a marking of all of it (docs/decisions/031-speed.md).
BATCH_BYTES = 512 * 1024
COMPRESSION = "snappy"


class Batches:
    """Grows by a record at a time, each encoded as it comes, while it is in the processor's cache."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Start with an empty batch; `make` gives one, aiokafka's BatchBuilder."""
        self._make = make
        self._batches: list[Any] = []
        self._open()

    def _open(self) -> None:
        batch = self._make()
        self._batches.append(batch)
        self._append = batch._builder.append  # BatchBuilder's own takes two thirds of the time for itself
        self._count = 0

    def append(self, record: Record) -> None:
        """Add a record; a batch that is full is followed by another."""
        while self._append(self._count, None, record.key, record.value, record.headers) is None:
            self._note_count()
            self._open()
        self._count += 1

    def _note_count(self) -> None:
        self._batches[-1]._relative_offset = self._count

    @property
    def all(self) -> list[Any]:
        """The batches, in order; only the first may be empty."""
        self._note_count()
        return self._batches

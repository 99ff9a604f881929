"""Records of one partition of a topic, as the broker takes them."""

from collections.abc import Callable
from typing import Any

from streams.transaction import Record

# A few fit one request of 512 KiB: to the JVM of a broker with a small heap a larger one is "humongous", and each
# starts a marking of the whole heap (docs/decisions/031-speed.md). aiokafka's 16 KiB leave a third of the rate.
BATCH_BYTES = 128 * 1024


class Batches:
    """Grows by a record at a time, each encoded as it comes, while it is in the processor's cache."""

    def __init__(self, make: Callable[[], Any]) -> None:
        """Start with an empty batch; `make` gives one, aiokafka's BatchBuilder."""
        self._make = make
        self.all: list[Any] = []
        self._open()

    def _open(self) -> None:
        batch = self._make()
        self.all.append(batch)
        self._append = batch.append

    def append(self, record: Record) -> None:
        """Add a record; a batch that is full is followed by another."""
        key, value, headers = record.key, record.value, record.headers
        while self._append(timestamp=None, key=key, value=value, headers=headers) is None:
            self._open()

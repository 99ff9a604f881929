"""As much of a worker as pages look at: the partitions that it has, and their rows."""

from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """How far a partition is restored: rows read, and the changelog's offsets up to where, and where it ends."""

    @property
    def rows(self) -> int:
        """Return how many rows were read."""

    @property
    def offset(self) -> int:
        """Return the changelog offset up to which they were."""

    @property
    def end(self) -> int:
        """Return the offset up to which they have to be."""

    @property
    def seconds_left(self) -> float | None:
        """Return an estimate; None before there is one."""

    @property
    def percent(self) -> float:
        """Return how much is done, 0 to 100."""


class Store(Protocol):
    """The rows of a partition as of its last commit."""

    @property
    def offset(self) -> int:
        """Return the changelog offset that the rows stand for."""

    def get(self, key: bytes) -> bytes | None:
        """Return the row of a key."""

    def scan(self, after: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` rows with keys above `after`, in order."""


class Task(Protocol):
    """One partition at work; rows can be read while its stage is "running"."""

    @property
    def partition(self) -> int:
        """Return its number."""

    @property
    def stage(self) -> str:
        """Return fencing, restoring, open, lost or closed."""

    @property
    def progress(self) -> Progress:
        """Return how far it is restored."""

    @property
    def store(self) -> Store | None:
        """Return its rows."""


class Table(Protocol):
    """The customers table over this worker's partitions."""

    @property
    def changelog(self) -> str:
        """Return the name of its changelog topic."""

    @property
    def partitions(self) -> int:
        """Return how many partitions there are on all workers."""

    @property
    def tasks(self) -> Mapping[int, Task]:
        """Return the partitions that this worker has."""

    def partition_of(self, key: bytes) -> int:
        """Return the partition where this key's row lies, on whichever worker has it."""


def open_store(table: Table, partition: int) -> Store | None:
    """Return the rows of a partition that is open here."""
    task = table.tasks.get(partition)
    return task.store if task is not None and task.stage == "running" else None

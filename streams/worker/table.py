"""The customers table over this worker's partitions: a read-only mapping of row keys to committed rows."""

from collections.abc import Iterator, Mapping

from models.customer import Customer, decode
from streams.kafka.partitioner import partition_of
from streams.partition.task import PartitionTask
from streams.state.store import Store

_PAGE = 200


class Table(Mapping[bytes, Customer]):
    """Changelogged as `<appId>-customers-changelog` and partitioned with the topics of events.

    Holds what was committed last: a partition that is being restored holds nothing yet. Its length is a scan.
    """

    def __init__(self, changelog: str, partitions: int, tasks: Mapping[int, PartitionTask]) -> None:
        self.changelog = changelog
        self.partitions = partitions
        self.tasks = tasks

    def partition_of(self, key: bytes) -> int:
        """Return the partition where this key's row lies, on whichever worker owns it."""
        return partition_of(key, self.partitions)

    def store(self, partition: int) -> Store | None:
        """Return the store of a partition that is open here."""
        task = self.tasks.get(partition)
        return task.store if task is not None and task.stage == "running" else None

    def __getitem__(self, key: bytes) -> Customer:
        store = self.store(self.partition_of(key))
        row = store.get(key) if store is not None else None
        if row is None or key.startswith(b":"):
            raise KeyError(key)
        return decode(row)

    def __iter__(self) -> Iterator[bytes]:
        for partition in sorted(self.tasks):
            yield from self.keys_of(partition)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys_of(self, partition: int, after: bytes = b"") -> Iterator[bytes]:
        """Yield the customers' row keys of one partition above `after`, in order."""
        while (store := self.store(partition)) is not None and (page := store.scan(after, _PAGE)):
            after = page[-1][0]
            yield from (key for key, _ in page if not key.startswith(b":"))

"""The inputs of one partition, as far as the transaction that they end in."""

from collections.abc import Sequence
from datetime import datetime

from streams.kafka.partitioner import partition_of
from streams.partition.isolation import Isolation
from streams.partition.known import KnownCustomers
from streams.partition.outputs import Router
from streams.partition.processor import Processor
from streams.partition.queue import Portion
from streams.partition.transaction import Transaction
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import START, Record, Records, Source, decide, make_router

TOPIC = "customer.updated"
KEY = b"pinehurst:c-7"
HERE = partition_of(KEY, 4)


class Case:
    """The inputs of partition `partition` of 4, and their transaction."""

    def __init__(self, partition: int = HERE, router: Router | None = None) -> None:
        router = router or make_router(partition, 4)
        self.processor = Processor(router, decide)
        self.isolation = Isolation(self.processor)
        self.store = Store(MemoryMap())
        self.transaction = Transaction(self.store, KnownCustomers(9), {}, router, lambda _: Records())

    def take(
        self, topic: str, value: bytes | None, key: bytes | None = None, now: datetime = START
    ) -> dict[str, Sequence[Record]]:
        """Return what a record gives, by topic."""
        self.isolation.take(self.transaction, Portion(topic, [Source(5, value, key, (("h", b"1"),), 9)], 6), now)  # type: ignore[list-item]
        return self.outputs()

    def outputs(self) -> dict[str, Sequence[Record]]:
        """Return what has been emitted, by topic."""
        return {place[0]: records for place, records in self.transaction.outputs.items()}  # type: ignore[misc]

    def code(self) -> bytes | None:
        ((_, record),) = [(place, records[0]) for place, records in self.transaction.outputs.items()]
        return dict(record.headers)["dlq.code"]

"""The table holds the customers of the partitions that run here, as committed last, and nothing internal."""

import pytest

from models.customer import Customer, encode
from streams.kafka.partitioner import partition_of
from streams.partition.task import PartitionTask
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.worker.table import Table
from tests.partition.model import Broker, make_task

KEYS = [f"pinehurst:c-{number}".encode() for number in range(500)]


def make(stage: str = "running") -> Table:
    tasks: dict[int, PartitionTask] = {}
    for partition in (0, 1):
        task = tasks[partition] = make_task(Broker(), partitions=3)
        task.stage = stage  # type: ignore[assignment]
        task.store = Store(MemoryMap())
        rows: dict[bytes, bytes | None] = {
            key: encode(Customer("pinehurst", key.decode().partition(":")[2]))
            for key in KEYS
            if partition_of(key, 3) == partition
        }
        task.store.write(rows | {b":position": b"{}"}, {}, 1)
    return Table("changelog", 3, tasks)


def test_it_holds_the_customers_of_the_partitions_that_are_here() -> None:
    table = make()
    here = [key for key in KEYS if partition_of(key, 3) != 2]
    assert sorted(table) == sorted(here)
    assert len(table) == len(here)
    assert table[here[0]].tenant_id == "pinehurst"
    missing = next(key for key in KEYS if partition_of(key, 3) == 2)
    for key in (missing, b":position", b"pinehurst:nobody"):
        with pytest.raises(KeyError):
            table[key]


def test_a_partition_is_listed_in_order_from_where_the_last_page_ended() -> None:
    table = make()
    whole = list(table.keys_of(1))
    assert whole == sorted(whole)
    assert list(table.keys_of(1, after=whole[100])) == whole[101:]


def test_a_partition_that_does_not_run_holds_nothing_yet() -> None:
    table = make("restoring")
    assert list(table) == []
    assert table.store(0) is None

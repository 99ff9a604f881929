"""Records in batches: all of them, in order, whatever their sizes."""

from functools import partial
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from streams.batches import Batches
from streams.transaction import Record

SIZE = 1000  # bytes
make = partial(BatchBuilder, SIZE, 0, is_transactional=True)
values = st.none() | st.binary(max_size=3 * SIZE)
headers = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=2)
records = st.lists(st.builds(Record, st.binary(max_size=20), values, headers))


def read(batch: BatchBuilder) -> list[Record]:
    """Return the records of a batch as a broker finds them."""
    found = MemoryRecords(bytes(batch._build()))
    return [Record(one.key, one.value, list(one.headers)) for one in found.next_batch()]


@given(records)
def test_what_was_appended_is_in_the_batches_in_order(given_: list[Record]) -> None:
    batches = Batches(make)
    for record in given_:
        batches.append(record)
    counts = [batch.record_count() for batch in batches.all]
    assert sum(counts) == len(given_)
    assert [
        record for batch, count in zip(batches.all, counts, strict=True) if count for record in read(batch)
    ] == given_
    assert all(counts) or not given_


@given(records)
def test_only_a_record_that_fits_no_batch_makes_one_larger(given_: list[Record]) -> None:
    batches = Batches(make)
    for record in given_:
        batches.append(record)
    large: list[Any] = [batch for batch in batches.all if batch.size() > SIZE]
    assert all(batch.record_count() == 1 for batch in large)

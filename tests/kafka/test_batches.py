"""Records in batches: all of them, in order, whatever their sizes, as every client reads them."""

from random import Random

from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from streams.kafka.batches import BATCH_BYTES, Batch, Batches
from streams.kafka.limits import record_size, spare
from tests.partition.model import Record

values = st.none() | st.binary(max_size=300_000) | st.integers(0, 300_000).map(bytes)
headers = st.lists(st.tuples(st.text(max_size=9), st.none() | st.binary(max_size=9)), max_size=2)
records = st.lists(st.builds(Record, st.none() | st.binary(max_size=20), values, headers), max_size=40)


def fill(given_: list[Record], limit: int = 8 * 1024 * 1024) -> list[Batch]:
    """Return the batches of these records, each told who sends it."""
    batches = Batches(limit)
    for record in given_:
        batches.add(*record)
    finished = batches.finish()
    for number, batch in enumerate(finished):
        batch.set_producer_state(9_000_000_000, 7, number)
    return finished


def read(batch: Batch) -> DefaultRecordBatch:
    """Return a batch as whoever fetches it finds it."""
    return DefaultRecordBatch(bytes(batch.build()))


@given(records)
def test_what_was_appended_is_in_the_batches_in_order(given_: list[Record]) -> None:
    found = [one for batch in fill(given_) for one in read(batch)]
    assert [Record(one.key, one.value, list(one.headers)) for one in found] == given_


@given(records)
def test_a_batch_says_what_it_holds_and_who_sends_it(given_: list[Record]) -> None:
    for number, batch in enumerate(fill(given_)):
        made = read(batch)
        assert made.validate_crc()
        assert made.is_transactional
        assert (made.producer_id, made.producer_epoch, made.base_sequence) == (9_000_000_000, 7, number)
        assert (made.base_offset, made.last_offset_delta + 1) == (0, batch.record_count())
        assert [one.offset for one in made] == list(range(batch.record_count()))
        assert {one.timestamp for one in read(batch)} == {made.first_timestamp} == {made.max_timestamp}


@given(st.integers(30, 60), st.integers(0))
def test_a_batch_ends_once_it_is_full(count: int, seed: int) -> None:
    noise = Random(seed)
    *full, last = fill([Record(b"k", noise.randbytes(10_000)) for _ in range(count)])
    sizes = [len(batch.build()) for batch in full]
    assert all(BATCH_BYTES <= size < BATCH_BYTES + 80_000 for size in sizes)
    assert 0 < len(last.build()) < BATCH_BYTES + 80_000


def test_what_is_sent_again_is_the_same() -> None:
    (batch,) = fill([Record(b"k", b"v")])
    assert batch.build() is batch.build()


def test_what_goes_into_another_transaction_has_another_number_and_the_same_records() -> None:
    (batch,) = fill([Record(b"k", b"v")] * 3)
    batch.set_producer_state(7, 1, 0)
    first = batch.build()
    batch.set_producer_state(7, 1, 3)
    again = read(batch)
    assert (again.producer_id, again.producer_epoch, again.base_sequence) == (7, 1, 3)
    assert again.validate_crc()
    assert len(batch.build()) == len(first)
    assert [record.value for record in again] == [b"v"] * 3


@given(st.integers(16_384, 2_000_000), st.lists(st.integers(0, 100), max_size=30), st.integers(0))
def test_no_batch_is_larger_than_the_topic_takes_if_no_record_is(limit: int, parts: list[int], seed: int) -> None:
    noise, room = Random(seed), limit - spare(limit) - record_size(b"k", None, [])
    given_ = [Record(b"k", noise.randbytes(room * part // 100)) for part in parts]
    batches = fill(given_, limit)
    assert all(len(batch.build()) <= limit for batch in batches)
    assert [Record(one.key, one.value, list(one.headers)) for batch in batches for one in read(batch)] == given_


def test_many_small_records_of_a_topic_that_takes_little_are_many_batches() -> None:
    noise = Random(1)
    batches = fill([Record(b"k", noise.randbytes(500)) for _ in range(200)], 16_384)
    assert all(len(batch.build()) <= 16_384 for batch in batches)
    assert len(batches) > 10

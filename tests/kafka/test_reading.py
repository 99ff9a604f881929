"""A batch that aiokafka can't read costs itself its place, and stops no consumer."""

import random
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from structlog.testing import capture_logs

from streams.kafka import decompression
from streams.kafka.reading import TolerantPartitionRecords, TolerantRecords

CODECS = (0, 1, 2, 3, 4)


def batch(start: int, *headers: str, codec: int = 0) -> bytes:
    """Return a batch with a record for each name of a header."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, 0, 10**6)
    for number, name in enumerate(headers):
        assert builder.append(number, 5, b"k", b"v%d" % number, [(name, b"1")]) is not None
    whole = bytearray(builder.build())
    whole[:8] = start.to_bytes(8, "big")
    return bytes(whole)


def read(data: bytes, start: int = 0) -> tuple[list[Any], int]:
    """Return the records as a consumer has them, and where it goes on."""
    place, records = TopicPartition("t", 0), TolerantRecords(data)
    assert records.size_in_bytes() == len(data)
    found = TolerantPartitionRecords(place, records, [], start, None, None, False, 1)
    taken, are_last = found.take(None)
    assert are_last
    return taken, found.next_fetch_offset


def read_two_by_two(data: bytes, start: int) -> tuple[list[tuple[int, bytes | None]], int]:
    """Return the same of records that are taken two at a time."""
    found = TolerantPartitionRecords(TopicPartition("t", 0), TolerantRecords(data), [], start, None, None, False, 1)
    all_, are_last = [], False
    while not are_last:
        taken, are_last = found.take(2)
        assert are_last == (len(taken) < 2)
        assert not taken or are_last or found.next_fetch_offset == taken[-1].offset + 1
        all_ += taken
    return values(all_), found.next_fetch_offset


def read_all(*batches: bytes) -> tuple[list[Any], int]:
    """Return the records as a consumer has them that fetches again from where it is."""
    found, end = read(b"".join(batches))
    while left := [one for one in batches if MemoryRecords(one).next_batch().base_offset >= end]:
        records, end = read(b"".join(left), end)
        found += records
    return found, end


def values(records: Sequence[Any]) -> list[tuple[int, bytes | None]]:
    return [(record.offset, record.value) for record in records]


def test_what_is_taken_two_by_two_is_what_is_taken_at_once() -> None:
    good, bad_name = batch(0, "a", "b", "c"), batch(3, "??", "e", "f").replace(b"??", b"\xff\xfe")
    whole = batch(6, "g", "h", "i")
    spoiled = whole[:70] + b"\xff" * (len(whole) - 70)
    given = good + bad_name + spoiled + batch(9, "j")
    records, end = read(given, start=1)
    assert [record.offset for record in records] == [1, 2, 3, 4, 5, 8, 9]
    assert read_two_by_two(given, 1) == (values(records), end)


@pytest.mark.parametrize("codec", CODECS)
def test_what_can_be_read_is_read_as_ever(codec: int) -> None:
    data = batch(0, "a", "b", codec=codec) + batch(7, "c", codec=codec)
    records, end = read(data, start=1)
    assert values(records) == [(1, b"v1"), (7, b"v0")]
    assert [record.headers for record in records] == [(("b", b"1"),), (("c", b"1"),)]
    assert end == 8


def test_a_header_whose_name_is_not_utf_8_is_read_with_escapes_and_all_beside_it_as_it_is() -> None:
    good, bad = batch(0, "x"), batch(1, "a", "??", "b").replace(b"??", b"\xff\xfe")
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(bad).next_batch())  # without us
    records, end = read(good + bad + batch(9, "y"))
    assert values(records) == [(0, b"v0"), (1, b"v0"), (2, b"v1"), (3, b"v2"), (9, b"v0")]
    assert [name for record in records for name, _ in record.headers] == ["x", "a", "\\xff\\xfe", "b", "y"]
    assert end == 10


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_that_can_t_be_read_is_one_record_at_its_end_that_holds_it(codec: int) -> None:
    whole = batch(3, "a", "b", "c", codec=codec)
    spoiled = whole[:70] + b"\xff" * (len(whole) - 70)
    with capture_logs() as logs:
        records, end = read_all(batch(0, "x"), spoiled, batch(6, "y"))
    assert values(records) == [(0, b"v0"), (5, spoiled), (6, b"v0")]
    assert (records[1].key, records[1].headers, end) == (None, (), 7)
    assert [log["offsets"] for log in logs] == ["3 to 5"]


def test_a_batch_that_shrank_when_its_topic_was_compacted_ends_where_it_did() -> None:
    whole = bytearray(batch(0, "a", "b"))
    whole[23:27] = (9).to_bytes(4, "big")  # the last offset stays when the last records are gone
    assert read(bytes(whole))[1] == 10


def compressed(start: int, codec: int, *values: bytes) -> bytes:
    """Return a batch with these values."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, 0, 2**30)
    for number, value in enumerate(values):
        assert builder.append(number, 5, b"k", value, []) is not None
    whole = bytearray(builder.build())
    whole[:8] = start.to_bytes(8, "big")
    return bytes(whole)


@pytest.mark.parametrize("codec", CODECS[1:])
def test_a_batch_that_holds_more_than_fits_in_memory_is_one_record_and_none_beside_it_is_lost(codec: int) -> None:
    decompression.install()
    bomb = compressed(3, codec, b"a", bytes(300_000_000), b"b")
    tracemalloc.start()
    with capture_logs() as logs:
        records, end = read_all(batch(0, "x", codec=codec), bomb, batch(6, "y", codec=codec))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert values(records) == [(0, b"v0"), (5, bomb), (6, b"v0")]
    assert end == 7
    assert [log["offsets"] for log in logs] == ["3 to 5"]
    assert most < 100_000_000


def test_many_batches_that_each_hold_much_are_given_out_a_few_at_a_time() -> None:
    decompression.install()
    large = [compressed(number, 4, bytes(20_000_000)) for number in range(9)]
    places = []
    start = 0
    while start < len(large):
        records, start = read(b"".join(large[start:]), start)
        places.append([record.offset for record in records])
    assert places == [[number] for number in range(9)]


@pytest.mark.parametrize("codec", CODECS[1:])
def test_what_is_compressed_in_pieces_is_read_as_a_whole(codec: int) -> None:
    decompression.install()
    value = random.Random(1).randbytes(3_000_000)
    records, _ = read(compressed(0, codec, value, b"", value))
    assert [record.value for record in records] == [value, b"", value]

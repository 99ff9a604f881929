"""Batches of records as they are read: what aiokafka can't read costs itself its place, and stops no consumer.

The names of headers may be any bytes, but aiokafka wants UTF-8: one record with another name would be fetched again
without end, and end every worker that is given its partition. Whatever else of a batch can't be read, as one that
holds too much, is handed on as one record that holds the batch as it came, so that it becomes a dead letter, as all
does that is no event.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords

from streams.kafka import decompression

_UNCOUNTED = 12  # bytes of a batch that its length, the four bytes after the first eight, leaves out

log = structlog.get_logger()


def install() -> None:
    """Let every consumer of this process read by this."""
    decompression.install()
    fetcher.MemoryRecords = TolerantRecords
    fetcher.PartitionRecords = TolerantPartitionRecords
    fetcher.FetchResult = WholeResult


class TolerantRecords:
    """What a fetch brings of one partition, as aiokafka's MemoryRecords, and the bytes of the batch at hand."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._start = self._end = 0
        self._records = MemoryRecords(data)
        self.room = decompression.Room()
        self.size_in_bytes = self._records.size_in_bytes
        self.batch: Any = None

    def has_next(self) -> bool:
        """Say whether there is another batch, and room for it; what there is no room for is fetched again later."""
        return self.room.is_left() and self._records.has_next()

    def next_batch(self) -> Any:
        """Return the next batch."""
        decompression.count_against(self.room)
        self.batch = self._records.next_batch()
        start = self._start = self._end
        self._end = start + _UNCOUNTED + int.from_bytes(self._data[start + 8 : start + _UNCOUNTED], "big")
        return self.batch

    def read_leniently(self, error: Exception) -> list[Any]:
        """Return the records of the batch at hand, which raised this error, or the batch as a record."""
        raw = bytes(self._data[self._start : self._end])
        if isinstance(error, decompression.TooMuchError):
            return self._take_whole(raw, error)
        try:
            return list(_LenientBatch(raw))
        except Exception as again:
            return self._take_whole(raw, again)

    def _take_whole(self, raw: bytes, error: Exception) -> list[Any]:
        batch = _LenientBatch(raw)
        offsets = f"{batch.base_offset} to {batch.next_offset - 1}"
        log.warning("A batch can't be read, and is taken for a record.", offsets=offsets, why=str(error))
        return [_DefaultRecordPy(batch.next_offset - 1, max(0, batch.max_timestamp), 0, None, raw, [])]


class TolerantPartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of a fetch one by one; where that fails, the rest of the batch is read leniently."""

    _records_iterator: Any
    next_fetch_offset: int

    def __next__(self) -> Any:
        records, _ = self.take(1)
        if not records:
            raise StopIteration
        return records[0]

    def take(self, most: int | None) -> tuple[list[Any], bool]:
        """Return up to so many records, and whether they were the last: at half of what it costs one by one."""
        records: list[Any] = []
        while True:
            left = None if most is None else most - len(records)
            try:
                records.extend(islice(self._records_iterator, left))  # what came before an error is in it
            except Exception as error:
                self._records_iterator = self._go_on(error)
            else:
                return records, most is None or len(records) < most

    def _go_on(self, error: Exception) -> Iterator[Any]:
        batch = self._records.batch
        for record in self._records.read_leniently(error):
            if record.offset >= self.next_fetch_offset:
                self.next_fetch_offset = record.offset + 1
                yield self._consumer_record(self._tp, record)
        self.next_fetch_offset = batch.next_offset
        yield from self._unpack_records()


class WholeResult(fetcher.FetchResult):  # type: ignore[misc]
    """What a fetch brought of one partition, given out in one go."""

    _partition_records: TolerantPartitionRecords | None

    def getall(self, max_records: int | None = None) -> list[Any]:
        """Return up to so many records, and move the position behind them."""
        if not self.check_assignment(self._topic_partition) or self._partition_records is None:
            return []
        records, are_last = self._partition_records.take(max_records)
        self._update_position()
        if are_last:
            self._partition_records = None
        return records


def leave_as_they_are(result: Any) -> decompression.Room:
    """Let aiokafka hand out its records as it reads them, not as copies with what nobody asks for.

    Return what tells how much was decompressed for them.

    1.1 and 0.4 microseconds a record: a worker with nothing to do for an event takes 10 in all.
    """
    if isinstance(result, fetcher.FetchResult):  # else an error, raised when it is fetched
        result._partition_records._consumer_record = lambda _partition, record: record
        return result._partition_records._records.room  # type: ignore[no-any-return]
    return decompression.Room()


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: Any

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    """Bytes that are read as text whatever they are: what is not UTF-8 byte by byte, escaped."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _LenientBytes(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        """Return the text."""
        return super().decode(encoding, errors)

"""Records of one partition of a topic, as the broker takes them: batches of format 2, compressed block by block.

aiokafka compresses a batch as a whole when it is sent; by then its records have left the processor's cache, and
the buffer has been copied a few times as it grew. A block is compressed while it is in the cache, and what waits
for the commit is a fifth (docs/decisions/031-speed.md).
"""

from struct import Struct

from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from streams.clock import timestamp
from streams.kafka.limits import AROUND, spare
from streams.kafka.records import SNAPPY_MARK, Header

# The broker takes one batch of a partition at a time, so a transaction lasts as many round trips as it has batches.
# A request holds one of each topic, and larger than half a region of a small broker's heap it would be "humongous"
# to the JVM, and start a marking of all of it.
BATCH_BYTES = 128 * 1024  # compressed, from which on a batch is full
_BLOCK_BYTES = 60 * 1024  # plain, from which on a block is compressed, as two of the 32 KiB that readers expect

_LIMITLESS = 2**31 - 1
_MAGIC = 2
_SNAPPY = DefaultRecordBatch.CODEC_SNAPPY
_ATTRIBUTES = _SNAPPY | 16  # 16 says that it is part of a transaction
_FRAME = Struct(">qiibI")  # base offset, length of what follows, leader's epoch, magic, checksum
# Attributes, last offset, first and last time, producer's id, epoch and sequence, number of records.
_HEADER = Struct(">hiqqqhii")
_UNCOUNTED = 12  # bytes of the frame that its length leaves out
_BEFORE_RECORDS = _FRAME.size + _HEADER.size
_BEFORE_BLOCK = _BEFORE_RECORDS + len(SNAPPY_MARK)


class Batch:
    """A batch that is complete but for who sends it."""

    def __init__(self, blocks: list[bytes], count: int) -> None:
        self._blocks = blocks
        self._count = count
        self._producer = (-1, -1, 0)
        self._buffer: bytes | None = None

    def record_count(self) -> int:
        """Return the number of records."""
        return self._count

    def set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        """Say who sends the batch, and which number its first record has; what was built before is not sent."""
        if self._buffer is not None:
            self._blocks, self._buffer = [self._buffer[_BEFORE_BLOCK:]], None
        self._producer = (producer_id, producer_epoch, base_sequence)

    def build(self) -> bytes:
        """Return the batch as it is sent, every time that it is."""
        if self._buffer is None:
            now = round(timestamp() * 1000)
            header = _HEADER.pack(_ATTRIBUTES, self._count - 1, now, now, *self._producer, self._count)
            content = b"".join((header, SNAPPY_MARK, *self._blocks))
            length = _FRAME.size - _UNCOUNTED + len(content)
            self._buffer = _FRAME.pack(0, length, -1, _MAGIC, calc_crc32c(content)) + content
            self._blocks.clear()
        return self._buffer


class Batches:
    """Grows by a record at a time; the records of a block are aiokafka's own work.

    No batch has more bytes than the topic takes, if no record has: one that may not fit beside others is alone.
    """

    def __init__(self, limit: int) -> None:
        """Begin, for a topic that takes batches of so many bytes."""
        self._batch_bytes = min(BATCH_BYTES, limit // 8)
        self._block_bytes = min(_BLOCK_BYTES, limit // 8)
        self._beside_others = limit - spare(limit) - self._batch_bytes - self._block_bytes - AROUND
        self._batches: list[Batch] = []
        self._begin_batch()

    def _begin_batch(self) -> None:
        self._blocks: list[bytes] = []
        self._count = 0
        self._begin_block()

    def _begin_block(self) -> None:
        block = DefaultRecordBatchBuilder(_MAGIC, _SNAPPY, True, -1, -1, 0, _LIMITLESS)
        self._append, self._size, self._build = block.append, block.size, block.build

    def add(self, key: bytes | None, value: bytes | None, headers: list[Header]) -> None:
        """Add a record."""
        count = self._count
        if value and len(value) > self._beside_others and count:
            self._end()
            count = 0
        self._append(count, 0, key, value, headers)
        self._count = count + 1
        if self._size() >= self._block_bytes:
            self._end_block()

    def _end_block(self) -> None:
        self._blocks.append(bytes(memoryview(self._build())[_BEFORE_BLOCK:]))
        if sum(map(len, self._blocks)) >= self._batch_bytes:
            self._end_batch()
        else:
            self._begin_block()

    def _end_batch(self) -> None:
        self._batches.append(Batch(self._blocks, self._count))
        self._begin_batch()

    def finish(self) -> list[Batch]:
        """Return the batches, in order; nothing can be added any more."""
        self._end()
        return self._batches

    def _end(self) -> None:
        if self._size() > _BEFORE_RECORDS:
            self._end_block()
        if self._blocks:
            self._end_batch()

"""Batches decompressed to so many bytes and no more: a few kilobytes may say that they hold gigabytes.

A broker takes a batch by its compressed size. aiokafka would decompress all of it, and a worker that ends for want
of memory would end again at the same place, as would every other that is given the partition.
"""

import threading
from collections.abc import Callable
from mmap import mmap
from typing import Any

import cramjam
from aiokafka.record import default_records, legacy_records
from aiokafka.record._crecords import default_records as fast_default_records
from aiokafka.record._crecords import legacy_records as fast_legacy_records

from streams.kafka.records import SNAPPY_MARK

MOST = 32 * 1024 * 1024
"""Bytes of a batch, decompressed: brokers take a compressed megabyte, and text is compressed to a tenth."""

_AT_ONCE = 8 * 1024 * 1024  # bytes, after which a fetch hands out no further batch
_READERS = (default_records, legacy_records, fast_default_records, fast_legacy_records)


class TooMuchError(ValueError):
    """What is compressed is more than is read, or can't be decompressed."""


class Room:
    """How many bytes were decompressed since someone took what there was."""

    def __init__(self) -> None:
        self.used = 0

    def is_left(self) -> bool:
        """Say whether another batch may be decompressed before that is taken."""
        return self.used < _AT_ONCE


class _Local(threading.local):
    def __init__(self) -> None:
        self.output = mmap(-1, MOST)  # the system gives it memory only as far as it is written; a bytearray has all
        self.room = Room()


_local = _Local()


def install() -> None:
    """Let every consumer of this process decompress by this."""
    for reader in _READERS:
        reader.gzip_decode = _decode_by(cramjam.gzip.decompress_into)
        reader.snappy_decode = _decode_snappy
        reader.lz4_decode = _decode_by(cramjam.lz4.decompress_into)
        if hasattr(reader, "zstd_decode"):
            reader.zstd_decode = _decode_by(cramjam.zstd.decompress_into)


def count_against(room: Room) -> None:
    """Take what is decompressed next, in this thread, from this room."""
    _local.room = room


def _decode_by(decompress_into: Callable[[Any, Any], int]) -> Callable[[Any], bytes]:
    def decode(payload: Any) -> bytes:
        try:
            size = decompress_into(bytes(payload), _local.output)
        except (cramjam.DecompressionError, OSError) as error:
            _local.room.used += MOST  # trying took as long as reading would
            raise TooMuchError(f"It can't be decompressed to at most {MOST} bytes: {error}.") from None
        _local.room.used += size
        return bytes(memoryview(_local.output)[:size])

    return decode


def _decode_snappy(payload: Any) -> bytes:
    """Return what snappy compressed; each block begins with the size that it will have."""
    blocks = _split(bytes(payload))
    size = sum(map(cramjam.snappy.decompress_raw_len, blocks))
    if size > MOST:
        raise TooMuchError(f"It can't be decompressed to at most {MOST} bytes: it has {size}.")
    _local.room.used += size
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _split(payload: bytes) -> list[bytes]:
    if not payload.startswith(SNAPPY_MARK):
        return [payload]
    blocks, place = [], len(SNAPPY_MARK)
    while place < len(payload):
        end = place + 4 + int.from_bytes(payload[place : place + 4], "big")
        blocks.append(payload[place + 4 : end])
        place = end
    return blocks

"""RocksDB as the ordered map of a partition: one database each, in a folder that one process holds at a time."""

import os
import shutil
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import structlog
from rocksdict import (
    AccessType,
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
)
from tenacity import AsyncRetrying, retry_if_exception_type, stop_before_delay, wait_exponential

from streams.clock import now
from streams.state.errors import CorruptedError, FullError, StoreError
from streams.state.ordered_map import Change

_IDENTITY = b"i"
_WRITTEN = b"t"
# Half of the time for which the changelog keeps the tombstone of a deleted row (topics.yaml): a store that is older
# may hold a row, of a customer who was erased, that nothing in the changelog deletes any more.
OLDEST = timedelta(hours=12)
_KEPT_ASIDE = timedelta(days=1)
_FULL = "No space left"  # as RocksDB passes it on from the system
_HELD = ("lock hold by current process", "While lock file")  # by this process, and by another one
_ROOM_MIB = 256  # rows being written, before they are merged
_MIB = 1024 * 1024
_FOLDERS = 16  # a stopped process may still hold the first ones
_HELD_SECONDS = 5.0  # a process that gives partitions to another one has written and closed their stores by then
_HELD_WAIT = wait_exponential(0.05, max=1)  # seconds until the next look: each opens a database

log = structlog.get_logger()


class _HeldError(OSError):
    """Another process, or another task of this one, has the folder open."""


class RocksMap:
    """An ordered map on disk. A write survives kill -9 of the process; a lost machine's is in the changelog."""

    def __init__(self, folder: Path, identity: str, clock: Callable[[], datetime] = now) -> None:
        """Open the map; raises CorruptedError where there is damage, another identity's data, or very old data."""
        self._folder = folder
        self._clock = clock
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = Rdict(str(folder), _options())
        except Exception as error:
            if _FULL in str(error):
                raise _explain_full(folder) from error
            if any(sentence in str(error) for sentence in _HELD):
                raise _HeldError from error
            raise CorruptedError(str(error)) from error
        try:
            self._claim(identity)
        except BaseException:
            self.close()  # else nobody in this process can open the folder, or what takes its place
            raise

    def _claim(self, identity: str) -> None:
        found = self.get(_IDENTITY)
        if found is None and not self.items(b"", b"\xff", 1):
            self._db[_IDENTITY] = identity.encode()
        elif found != identity.encode():
            raise CorruptedError(f"it belongs to '{(found or b'?').decode()}'")
        written = self.get(_WRITTEN)
        if written is not None and self._clock() - datetime.fromisoformat(written.decode()) > OLDEST:
            raise CorruptedError(
                "it was not in use for 12 hours, so rows deleted since may be gone from the changelog"
            )

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key."""
        try:
            return self._db.get(key)  # type: ignore[no-any-return]
        except Exception as error:
            raise self._name(error) from error

    def get_all(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the value of each key, at half the cost of one after another."""
        try:
            return self._db.get(keys)  # type: ignore[no-any-return]
        except Exception as error:
            raise self._name(error) from error

    def write(self, changes: Iterable[Change]) -> None:
        """Put, or with None delete, all these or none."""
        batch = WriteBatch(raw_mode=True)
        for key, value in changes:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(_WRITTEN, self._clock().isoformat().encode())
        try:
            self._db.write(batch)
        except Exception as error:
            raise self._name(error) from error

    def items(self, start: bytes, stop: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` entries from `start` to before `stop`, in order."""
        reading = ReadOptions()
        reading.set_iterate_upper_bound(stop)
        entries = self._db.iter(reading)
        entries.seek(start)
        found: list[tuple[bytes, bytes]] = []
        while len(found) < limit and entries.valid():
            found.append((entries.key(), entries.value()))
            entries.next()
        try:
            entries.status()
        except Exception as error:
            raise self._name(error) from error
        return found

    def _name(self, error: Exception) -> Exception:
        if _FULL in str(error):
            return _explain_full(self._folder)
        return (CorruptedError if "Corruption" in str(error) else StoreError)(str(error))

    def close(self) -> None:
        """Let go of the files and the lock; what can't be written any more is on the changelog."""
        try:
            self._db.close()
        except Exception as error:
            sentence = (
                f"The store '{self._folder}' could not be closed in order ({error}); the changelog has the rest."
            )
            log.warning(sentence)

    def set_aside(self, reason: str) -> None:
        """Close, and move the folder out of the way; the sentence goes to the log."""
        self.close()
        _set_aside(self._folder, reason)


class RocksReader(RocksMap):
    """The same map as it was when it was opened, also while a worker has it open; nothing can be written."""

    def __init__(self, folder: Path) -> None:
        """Open what is there; raises CorruptedError where that can't be read."""
        self._folder = folder
        options = _options()
        options.set_max_open_files(-1)  # all, for a worker that merges files removes them
        try:
            self._db = Rdict(str(folder), options, access_type=AccessType.read_only())
        except Exception as error:
            raise CorruptedError(str(error)) from error

    @property
    def written(self) -> datetime | None:
        """Return when it was written last."""
        found = self.get(_WRITTEN)
        return None if found is None else datetime.fromisoformat(found.decode())


async def open_when_free(folder: Path, identity: str, patience: float = _HELD_SECONDS) -> RocksMap:
    """Open this folder as soon as its holder has closed it; after so many seconds a neighbour.

    Where two workers share a disk, one that is given a partition gets to its store before the other has closed it;
    in a neighbour it would have to restore all of it. A process that hangs may hold it for long.
    """

    async def attempt() -> RocksMap:
        return open_rocks(folder, identity, folders=1)

    attempts = AsyncRetrying(
        retry=retry_if_exception_type(_HeldError), stop=stop_before_delay(patience), wait=_HELD_WAIT, reraise=True
    )
    try:
        return await attempts(attempt)
    except _HeldError:
        return open_rocks(folder, identity)


def open_rocks(
    folder: Path, identity: str, clock: Callable[[], datetime] = now, folders: int = _FOLDERS
) -> RocksMap:
    """Open this folder, or one of its neighbours where another process holds it; what can't be used is set aside.

    What was set aside a day ago or longer goes, for it holds the rows of customers who have been erased since.
    """
    for number in range(folders):
        place = folder if number == 0 else folder.with_name(f"{folder.name}.{number}")
        _drop_old(_aside(place), clock())
        try:
            return RocksMap(place, identity, clock)
        except _HeldError:
            continue
        except CorruptedError as error:
            _set_aside(place, str(error))
            return RocksMap(place, identity, clock)
    raise _HeldError(f"All {folders} folders '{folder}…' are held by other processes.")


def _set_aside(folder: Path, reason: str) -> None:
    """Move the folder out of the way; the last one set aside is kept for whoever wants to look."""
    aside = _aside(folder)
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    os.utime(aside)
    sentence = (
        f"The store '{folder}' can't be used ({reason}); it is restored anew, "
        f"and what was there is kept as '{aside.name}' for a day."
    )
    log.warning(sentence)


def _aside(folder: Path) -> Path:
    return folder.with_name(folder.name + ".aside")


def _drop_old(aside: Path, at: datetime) -> None:
    if aside.is_dir() and at.timestamp() - aside.stat().st_mtime > _KEPT_ASIDE.total_seconds():
        shutil.rmtree(aside, ignore_errors=True)
        sentence = f"The store '{aside}' is removed, for it was set aside a day ago."
        log.info(sentence)


def _explain_full(folder: Path) -> FullError:
    return FullError(
        f"The disk that holds '{folder}' is full: make room, {_ROOM_MIB} MiB or more, "
        "and the partition goes on where it was"
    )


@cache
def _shared() -> tuple[Cache, WriteBufferManager]:
    """Return what bounds the memory of all partitions of this process together."""
    return Cache(160 * _MIB), WriteBufferManager(128 * _MIB, False)


def _options() -> Options:
    blocks = BlockBasedOptions()
    blocks.set_block_cache(_shared()[0])
    blocks.set_block_size(8 * 1024)
    blocks.set_bloom_filter(10, False)
    blocks.set_cache_index_and_filter_blocks(True)  # else they grow with the rows, outside of any bound
    # Whole, those of a large file don't fit a shard of the cache, and every row would read them from the file.
    blocks.set_index_type(BlockBasedIndexType.two_level_index_search())
    blocks.set_partition_filters(True)
    blocks.set_pin_top_level_index_and_filter(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(blocks)
    options.set_write_buffer_manager(_shared()[1])
    options.set_write_buffer_size(32 * _MIB)
    options.set_memtable_whole_key_filtering(True)  # who comes for the first time is looked up there in vain
    options.set_memtable_prefix_bloom_ratio(0.005)  # of the buffer, 8 bits a row; more leaves the processor's cache
    options.set_allow_concurrent_memtable_write(False)  # one writes: without it, an entry costs a tenth less
    options.set_max_write_buffer_number(3)
    options.set_max_open_files(128)
    options.set_max_background_jobs(2)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(_MIB)
    # Fired waits leave tombstones at the front of their range, where next_due looks.
    options.add_compact_on_deletion_collector_factory(4096, 2048, 0.5)
    return options

"""Restore a store from the changelog: from where it stands to the end, with progress."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import cache

import msgspec
import structlog

from streams.clock import steady
from streams.kafka.changelog import Changelog, Page
from streams.partition.internal_rows import is_readable
from streams.state.errors import ForeignError
from streams.state.index import DAMAGED, marks_of_row
from streams.state.store import Store

_TELL_SECONDS = 5.0

log = structlog.get_logger()


class Progress(msgspec.Struct):
    """How far a restore is: rows read, and the changelog's offsets from where to where."""

    rows: int = 0
    start: int = 0
    offset: int = 0
    end: int = 0
    seconds: float = 0.0

    @property
    def percent(self) -> float:
        """Return how much is done, 0 to 100."""
        total = self.end - self.start
        return 100.0 * (self.offset - self.start) / total if total > 0 else 100.0

    @property
    def seconds_left(self) -> float | None:
        """Return an estimate; None before there is anything to estimate by."""
        done = self.offset - self.start
        return self.seconds * (self.end - self.offset) / done if done > 0 else None


async def restore(store: Store, changelog: Changelog, progress: Progress, partition: int) -> None:
    """Bring the store to the end of the changelog; raises ForeignError, and MigratedError if the broker is gone."""
    started = told = steady()
    progress.rows, progress.start = 0, store.offset
    progress.offset = progress.end = 0
    async with aclosing(changelog.read(store.offset)) as pages:
        async for page in pages:
            await apply(store, page)
            progress.rows += len(page.rows)
            progress.offset, progress.end = page.offset, page.end
            progress.seconds = steady() - started
            if progress.seconds + started >= told + _TELL_SECONDS:
                told = progress.seconds + started
                _tell(progress, partition)
    if told > started:
        log.info("Partition %s is restored: %s rows in %.1f s.", partition, progress.rows, progress.seconds)


async def apply(store: Store, page: Page) -> None:
    """Bring the store to the end of a page, in one write; raises ForeignError where the changelog is another."""
    if store.offset > page.end:
        raise ForeignError(f"it stands at offset {store.offset}, but its changelog ends at {page.end}")
    await _apart(_apply, store, page)


async def _apart(work: Callable[[Store, Page], None], store: Store, page: Page) -> None:
    """Work in a thread, for RocksDB lets others run meanwhile; when cancelled, end only after it."""
    working = asyncio.get_running_loop().run_in_executor(_writers(), work, store, page)
    try:
        await asyncio.shield(working)
    finally:
        await asyncio.wait([working])


@cache
def _writers() -> ThreadPoolExecutor:
    """Return the threads of all partitions: one reads rows while another waits for RocksDB."""
    return ThreadPoolExecutor(2, "restore")


def _tell(progress: Progress, partition: int) -> None:
    left = f", {progress.seconds_left:.0f} s left" if progress.seconds_left is not None else ""
    log.info(
        "Partition %s is being restored: %s rows, %.0f %%%s.", partition, progress.rows, progress.percent, left
    )


def _apply(store: Store, page: Page) -> None:
    rows = {key: row for key, row in page.rows if key and (key[:1] != b":" or _is_ours(key, row))}
    marks: dict[bytes, bool] = {DAMAGED + key: False for key in store.damaged & rows.keys()}
    for key, row in rows.items():
        if (old := store.get(key)) is not None:
            # The row that this one replaces tells which marks no longer stand.
            marks |= dict.fromkeys(marks_of_row(key, old), False)
        marks |= dict.fromkeys(marks_of_row(key, row), True)
    store.write(rows, marks, page.offset)


def _is_ours(key: bytes, row: bytes | None) -> bool:
    """Pass over an internal row that somebody else wrote: the one before it stands."""
    if is_readable(key, row):
        return True
    log.warning("A row of the changelog is not Fairway's, and is passed over.", key=key.decode(errors="replace"))
    return False

"""How commands read the state of customers: from the changelog, as the next owner of a partition would."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.ids import customer_key
from streams.clock import now
from streams.errors import FairwayError
from streams.kafka.changelog import ChangelogReader
from streams.kafka.clients import started
from streams.kafka.errors import MigratedError
from streams.kafka.partitioner import partition_of
from streams.kafka.readiness import find_partitions
from streams.kafka.topics import Topics, read_topics
from streams.partition.audit import (
    Report,
    StoreRows,
    Tell,
    audit_rows,
    audit_store,
    find_problem,
    find_row,
    fold,
    read_keys,
    scan_all,
)
from streams.settings import Settings
from streams.state.errors import CorruptedError
from streams.state.rocksdb import OLDEST, RocksMap, RocksReader
from streams.state.store import Store
from streams.worker.disk import STORE


class Row(msgspec.Struct, rename="camel"):
    """A row: its key, what is wrong with it, and what it says; None where that is no JSON."""

    partition: int
    key: str
    size: int
    problem: str
    state: Any = None


async def open_changelog(settings: Settings) -> Topics:
    """Return the topics, whose changelog is there and may be read; raises FairwayError."""
    topics = read_topics(settings.topics_file, settings.app_id)
    await find_partitions(settings, topics.changelog)
    return topics


async def read_customer(settings: Settings, tenant_id: str, customer_id: str) -> Row | None:
    """Return a customer's row, None if there is none; raises FairwayError."""
    topics, key = await open_changelog(settings), customer_key(tenant_id, customer_id)
    partition = partition_of(key, topics.partitions)
    async with _reading(settings, topics, partition) as changelog:
        with _progress(partition) as tell:
            row = await find_row(changelog, key, tell)
    return None if row is None else describe_row(key, row, partition, topics.partitions)


def describe_row(key: bytes, row: bytes, partition: int, partitions: int) -> Row:
    """Return a row as JSON has it."""
    problem = find_problem(key, row, partition, partitions)
    try:
        state = msgspec.json.decode(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        state = None
    return Row(partition, key.decode(errors="replace"), len(key) + len(row), problem, state)


async def dump(settings: Settings, topics: Topics, partition: int) -> AsyncIterator[Row]:
    """Yield all rows of a partition in order of their keys, customers' and others; raises FairwayError."""
    async with _folded(settings, topics, partition) as (store, _):
        for key, row in scan_all(store):
            yield describe_row(key, row, partition, topics.partitions)


async def verify(settings: Settings, topics: Topics, partition: int) -> Report:
    """Return what the rows of a partition come to, and how this machine's stores of it stand to them."""
    with ExitStack() as opened:
        # Before the changelog is read, so that it goes further than they do.
        stores = [_open_store(folder, opened) for folder in _find_stores(settings, partition)]
        async with _folded(settings, topics, partition) as (folded, changelog):
            rows = audit_rows(folded, partition, topics.partitions)
            audited = [
                one if isinstance(one, StoreRows) else await _audit(*one, changelog, folded) for one in stores
            ]
    return Report(partition, rows, audited)


def _open_store(folder: Path, opened: ExitStack) -> StoreRows | tuple[str, Store]:
    """Return a store, or why it is passed over: its worker would not use it any more, either."""
    try:
        entries = RocksReader(folder)
    except CorruptedError as error:
        return StoreRows(str(folder), note=f"It can't be read: {error}.")
    store = opened.enter_context(closing(Store(entries)))
    if entries.written is None or now() - entries.written > OLDEST:
        return StoreRows(str(folder), store.offset, note="It was not in use for 12 hours.")
    return str(folder), store


async def _audit(folder: str, store: Store, changelog: ChangelogReader, folded: Store) -> StoreRows:
    if store.changelog != await changelog.identity():
        return StoreRows(folder, store.offset, note="It is of another changelog.")
    return audit_store(store, folder, folded, await read_keys(changelog, store.offset))


def _find_stores(settings: Settings, partition: int) -> list[Path]:
    folder, name = settings.data_dir / settings.app_id, f"{STORE}{partition}"
    found = folder.glob(f"{name}*")
    return sorted(one for one in found if one.is_dir() and _is_store(one.name.removeprefix(name)))


def _is_store(ending: str) -> bool:
    """Say whether a folder whose name ends so is a store: the first of a partition, or its n-th neighbour."""
    return not ending or (ending[0] == "." and ending[1:].isdecimal())


@asynccontextmanager
async def _folded(
    settings: Settings, topics: Topics, partition: int
) -> AsyncIterator[tuple[Store, ChangelogReader]]:
    """Lend the last row of each key, on disk for as long as they are needed."""
    with TemporaryDirectory(prefix="fairway-") as folder, closing(_make_store(Path(folder))) as store:
        async with _reading(settings, topics, partition) as changelog:
            with _progress(partition) as tell:
                await fold(changelog, store, tell)
            yield store, changelog


def _make_store(folder: Path) -> Store:
    return Store(RocksMap(folder / "rows", "rows"))


@asynccontextmanager
async def _reading(settings: Settings, topics: Topics, partition: int) -> AsyncIterator[ChangelogReader]:
    try:
        async with started(ChangelogReader(settings, topics.changelog, partition)) as changelog:
            yield changelog
    except MigratedError as error:
        raise FairwayError(f"Partition {partition} can't be read: {error}.") from None


@contextmanager
def _progress(partition: int) -> Iterator[Tell]:
    """Lend what draws on a terminal how far a partition is read, with the rate and the time that is left."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"Reading partition {partition}", total=None)
        yield lambda offset, end: progress.update(task, completed=offset, total=end)

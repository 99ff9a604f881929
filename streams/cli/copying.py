"""The state of one app id as `fairway state move` reads and writes it, and the copy of one into another."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager

import msgspec

from streams.kafka.changelog import ChangelogReader, Page
from streams.kafka.clients import started
from streams.kafka.limits import Limits
from streams.kafka.mover import Mover
from streams.kafka.partitioner import partition_of
from streams.kafka.records import NO_HEADERS, Commit, Destination, Output
from streams.kafka.topics import read_topics
from streams.partition.internal_rows import MOVED_FROM, MovedFrom, is_internal, is_readable
from streams.partition.redistribution import InternalRows, redistribute
from streams.settings import Settings

Rows = dict[bytes, bytes | None]
Tell = Callable[[int, int], None]
"""Is told how many records of the old changelog are done, and of how many."""


class Moved(msgspec.Struct):
    """Rows that have been moved; those left out no worker could have used, for they lie on wrong partitions."""

    rows: int = 0
    left_out: int = 0


class App:
    """One app id's state, as a mover reads and writes it."""

    def __init__(self, settings: Settings, app_id: str, partitions: int) -> None:
        self.settings = settings.model_copy(update={"app_id": app_id})
        self.topics = read_topics(settings.topics_file, app_id, settings.topics_profile)
        self.id, self.changelog, self.partitions = app_id, self.topics.changelog, partitions
        self._limits = Limits.of(self.topics, self.settings)

    def producer(self, partition: int) -> Mover:
        """Return the transactions of a partition's own id, which fence another mover's, and end a worker's."""
        return Mover(self.settings, self.changelog, partition, self._limits)

    async def pages(self, partition: int) -> AsyncGenerator[Page, None]:
        """Yield the committed rows of a partition; raises MigratedError."""
        reader = ChangelogReader(self.settings, self.changelog, partition)
        async with started(reader) as changelog, aclosing(changelog.read(0)) as pages:
            async for page in pages:
                yield page

    async def internal_rows(self, partition: int) -> dict[bytes, bytes]:
        """Return the internal rows of a partition."""
        found: Rows = {}
        async with aclosing(self.pages(partition)) as pages:
            async for page in pages:
                found.update((key, row) for key, row in page.rows if is_internal(key) and is_readable(key, row))
        return {key: row for key, row in found.items() if row is not None}

    async def count(self) -> int:
        """Return how many records its changelog holds, marks of transactions included."""
        total = 0
        for partition in range(self.partitions):
            async with aclosing(self.pages(partition)) as pages:
                total += (await anext(pages)).end
        return total

    async def mark(self, key: bytes, row: bytes | None) -> None:
        """Take all partitions over, one after another, and write a row to each."""
        for partition in range(self.partitions):
            async with fenced(self.producer(partition)) as producer:
                await producer.commit(Commit({key: row}, {}, {}))


@asynccontextmanager
async def fenced(producer: Mover) -> AsyncIterator[Mover]:
    """Lend a producer that has fenced all others; raises MigratedError."""
    try:
        await producer.fence()
        yield producer
    finally:
        await producer.close()


class Copy:
    """The rows of a state on their way to another."""

    def __init__(self, old: App, new: App, producer: Mover, origin: MovedFrom) -> None:
        self._old, self._new, self._producer, self._origin = old, new, producer, origin
        self.internal: list[InternalRows] = []
        self.moved = Moved()

    async def run(self, records: int, tell: Tell) -> None:
        """Copy the customers' rows of all partitions, and gather the internal ones; raises MigratedError."""
        done = 0
        for partition in range(self._old.partitions):
            offset, internal = 0, dict[bytes, bytes | None]()
            async with aclosing(self._old.pages(partition)) as pages:
                async for page in pages:
                    await self._copy(partition, dict(page.rows), internal)
                    offset = page.offset
                    tell(done + offset, records)
            done += offset
            self.internal.append({key: row for key, row in internal.items() if row is not None})

    async def _copy(self, partition: int, rows: Mapping[bytes, bytes | None], internal: Rows) -> None:
        whole: dict[int, Rows] = {}
        for key, row in rows.items():
            if key and is_internal(key):
                internal.update({key: row} if is_readable(key, row) else {})
            elif not key or partition_of(key, self._old.partitions) != partition:
                self.moved.left_out += 1
            else:
                whole.setdefault(partition_of(key, self._new.partitions), {})[key] = row
                self.moved.rows += 1
        if whole:
            await self._commit(whole, self._origin)

    async def complete(self) -> None:
        """Write the internal rows of all partitions, and that the move is complete, all or nothing."""
        rows = redistribute(self.internal, self._new.partitions)
        done = msgspec.structs.replace(self._origin, is_complete=True)
        await self._commit({number: dict(own) for number, own in enumerate(rows)}, done, everywhere=True)

    async def _commit(self, rows: Mapping[int, Rows], origin: MovedFrom, *, everywhere: bool = False) -> None:
        """Commit rows by partition; every transaction says of partition 0 how far the move is."""
        mark: Rows = {MOVED_FROM: msgspec.json.encode(origin)}
        outputs: dict[Destination, Output] = {}
        for number, own in rows.items():
            if number:
                place = outputs[self._new.changelog, number] = self._producer.output(self._new.changelog)
                for key, row in (own | mark if everywhere else own).items():
                    place.add(key, row, NO_HEADERS)
        await self._producer.commit(Commit(rows.get(0, {}) | mark, outputs, {}))

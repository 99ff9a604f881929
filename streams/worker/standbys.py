"""Standbys: copies of the state of partitions that other workers own, for whoever takes one over.

Without FAIRWAY_STANDBYS they are those that a worker is about to be given: it warms up before it gets them.

A copy is the store that the partition's task would open. It follows the changelog by the code of a restore, one
partition after another and with rests, and writes nothing to Kafka. A task that begins is handed the open store.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import aclosing
from typing import Any, Protocol

import structlog
from prometheus_client import Gauge

from streams.cancellation import end_tasks, is_asked_to_end
from streams.clock import now, steady
from streams.kafka.changelog import Changelog, Changelogs
from streams.kafka.clients import started
from streams.kafka.errors import MigratedError
from streams.partition.restore import apply
from streams.state.errors import CorruptedError, FullError
from streams.state.ordered_map import OrderedMap
from streams.state.rocksdb import OLDEST
from streams.state.store import Store
from streams.worker.disk import Disk
from streams.worker.sharing import Share

_ROUND_SECONDS = 1.0
_AGAIN_SECONDS = 5.0  # after what can't be read, or written
_NOTED_SECONDS = 60.0  # by when a store without news notes that there was none: else it grows too old to be used
_REST = 3.0  # for each second of work: the partitions that the worker owns go first

LAG = Gauge(
    "fairway_standby_lag_records",
    "Records of the changelog that the copy of another worker's partition lacks, as of its last look.",
    ["partition"],
)

log = structlog.get_logger()


class Group(Protocol):
    """What the group has told this worker, and can be asked for."""

    @property
    def share(self) -> Share:
        """Return which copies this worker is to keep."""

    async def rejoin(self) -> None:
        """Let the group agree anew."""


class _Copy:
    """The copy of one partition: its store, once that is open, and what is known of it."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.store: Store | None = None
        self.is_fresh = False
        self.seen = now()  # when it had caught up last, or was opened
        self.at_work = asyncio.Lock()  # while the store is opened or written: then it can't be taken away

    @property
    def is_old(self) -> bool:
        """Say whether rows that were deleted since may be gone from the changelog."""
        return now() - self.seen > OLDEST

    def let_go(self) -> Store | None:
        """Return the store if it is open; another one is opened next time."""
        store, self.store = self.store, None
        self.is_fresh = False
        return store

    async def close(self) -> None:
        if (store := self.let_go()) is not None:
            await asyncio.to_thread(store.close)


class Standbys:
    """The copies that this worker keeps, as the group told it."""

    def __init__(
        self,
        wanted: int,
        changelogs: Changelogs,
        open_map: Callable[[int], OrderedMap],
        group: Group,
        watch: Callable[["asyncio.Task[None]"], None],
        disk: Disk,
    ) -> None:
        """`wanted`: copies of each partition; `watch` is given the task that follows the changelogs.

        `find_opening` is to return those of the worker's own partitions that it has yet to restore, `is_at_work`
        whether it has any.
        """
        self.wanted = wanted
        self._changelogs = changelogs
        self._open_map = open_map
        self._group = group
        self._watch = watch
        self._disk = disk
        self._copies: dict[int, _Copy] = {}
        self._handed: dict[int, Store] = {}
        self.find_opening: Callable[[], Collection[int]] = tuple
        self.is_at_work: Callable[[], bool] = lambda: False
        self._told: frozenset[int] = frozenset()
        self._following: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> frozenset[int]:
        """Return the partitions whose copy has caught up."""
        return frozenset(copy.partition for copy in self._copies.values() if copy.is_fresh)

    @property
    def warming(self) -> frozenset[int]:
        """Return the partitions that the worker is to have, and has yet to copy or to be given."""
        return self._group.share.warming

    def introduce(self) -> dict[str, Any]:
        """Return what the group is to be told of the copies, or of what could become one, and of the disk."""
        self._told = self.fresh
        copying = self._copies.keys() | (frozenset() if self.wanted else self._disk.stored)
        opening = sorted(self.find_opening())
        return {
            "fresh": sorted(self._told), "copying": sorted(copying), "opening": opening, "disk": self._disk.name
        }  # fmt: skip

    async def release(self, own: Collection[int]) -> None:
        """Follow no more those partitions that are this worker's own from now on; `take` gives their stores."""
        for copy in self._drop(self._copies.keys() & set(own)):
            async with copy.at_work:
                if (store := copy.let_go()) is not None:
                    self._handed[copy.partition] = store

    def take(self, partition: int) -> Store | None:
        """Return the open store of a partition that was released, if there is one."""
        return self._handed.pop(partition, None)

    async def follow(self) -> None:
        """Keep the copies that the group has told of, and no others."""
        wanted = self._group.share.copies
        if begun := self.warming - self._copies.keys():
            log.info("The worker copies partitions %s before it gets them.", sorted(begun))
        for copy in self._drop(self._copies.keys() - wanted):
            async with copy.at_work:
                await copy.close()
        for partition in wanted - self._copies.keys():
            self._copies[partition] = _Copy(partition)
        if wanted and (self._following is None or self._following.done()):
            self._following = asyncio.create_task(self._run(), name="standbys")
            self._watch(self._following)

    def _drop(self, partitions: Collection[int]) -> list[_Copy]:
        for partition in partitions:
            LAG.remove(str(partition))
        return [self._copies.pop(partition) for partition in tuple(partitions)]

    async def finish(self) -> None:
        """Follow nothing more."""
        if self._following is not None:
            await end_tasks(self._following)

    async def close(self) -> None:
        """Follow nothing more, and let go of all files."""
        await self.finish()
        copies = self._drop(tuple(self._copies))
        handed, self._handed = self._handed, {}
        await asyncio.gather(
            *(copy.close() for copy in copies), *(asyncio.to_thread(store.close) for store in handed.values())
        )

    async def _run(self) -> None:
        while self._copies:
            try:
                async with started(self._changelogs) as changelogs:
                    identity = await changelogs.identity()
                    while self._copies:
                        await self._go_round(changelogs, identity)
                        await asyncio.sleep(_ROUND_SECONDS)
            except MigratedError as error:
                log.warning("The copies of other workers' partitions wait: %s.", error)
                await asyncio.sleep(_AGAIN_SECONDS)
            except asyncio.CancelledError:
                if is_asked_to_end():
                    raise
                log.warning("A library cancelled the reading of copies: it is begun anew.")

    async def _go_round(self, changelogs: Changelogs, identity: str) -> None:
        copies = tuple(self._copies.values())
        ends = await changelogs.ends([copy.partition for copy in copies]) if copies else {}
        for copy in copies:
            try:
                if await self._open(copy, identity):
                    await self._bring(copy, ends[copy.partition], changelogs.beside(copy.partition))
            except CorruptedError as error:
                async with copy.at_work:
                    if (store := copy.let_go()) is not None:
                        await asyncio.to_thread(store.set_aside, str(error))
            except FullError as error:
                log.warning("The copy of partition %s waits: %s.", copy.partition, error)
                async with copy.at_work:
                    await copy.close()  # RocksDB writes to it again only after it was opened anew
                await asyncio.sleep(_AGAIN_SECONDS)
        warming = self.warming & self._copies.keys()
        if warming <= self.fresh and warming - self._told:
            log.info("The copies of partitions %s have caught up: the group is asked for them.", sorted(warming))
            await self._group.rejoin()

    def _has(self, copy: _Copy) -> bool:
        return self._copies.get(copy.partition) is copy

    async def _open(self, copy: _Copy, identity: str) -> bool:
        """Open the copy's store, if it is not; say whether the copy is still to be kept."""
        async with copy.at_work:
            if not self._has(copy):
                return False
            if copy.is_old:
                await copy.close()  # opening it says what to do
            if copy.store is None:
                copy.store = await asyncio.to_thread(lambda: Store(self._open_map(copy.partition)))
                copy.seen = now()
                copy.store.claim(identity)
        return True

    async def _bring(self, copy: _Copy, end: int, changelog: Changelog) -> None:
        """Bring a copy to the end, if it is not there, a page after another; end when it is not to go on."""
        store, stands = copy.store, -1
        is_noted = copy.is_fresh and (now() - copy.seen).total_seconds() < _NOTED_SECONDS
        if store is None or (is_noted and store.offset == end):
            return
        async with aclosing(changelog.read(store.offset)) as pages:
            async for page in pages:
                since = steady()
                async with copy.at_work:
                    if not self._has(copy) or copy.is_old:
                        return
                    if page.offset != stands:  # a page that brings nothing must not make the store look younger
                        await apply(store, page)
                    stands = page.offset
                    if self._has(copy):  # it may have been released while it was written
                        LAG.labels(str(copy.partition)).set(page.end - page.offset)
                await asyncio.sleep(_REST * (steady() - since) if self.is_at_work() else 0)
        copy.is_fresh, copy.seen = True, now()

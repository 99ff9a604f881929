"""A partition's part in the transactions of its worker: take it over from others, and commit all or nothing."""

from collections.abc import Callable
from typing import Protocol

from streams.failpoints import reach
from streams.kafka.batches import Batches
from streams.kafka.committer import Committer
from streams.kafka.errors import FencedError, MigratedError
from streams.kafka.fencing import partition_id, worker_id
from streams.kafka.limits import Limits
from streams.kafka.records import Commit, Output
from streams.kafka.standing import Standing
from streams.settings import Settings


class Producer(Protocol):
    """Commits a partition's transactions, for as long as the partition is this worker's."""

    async def fence(self) -> None:
        """Take the partition over; raises MigratedError."""

    def output(self, topic: str) -> Output:
        """Return what takes the records of one partition of a topic until they are committed."""

    async def commit(self, commit: Commit) -> int:
        """Commit all of it or nothing, and return the changelog's next offset; raises MigratedError."""

    async def close(self) -> None:
        """Commit nothing any more."""


class Producers:
    """The producers of a worker's partitions: they commit together, where all workers of the group do."""

    def __init__(self, settings: Settings, changelog: str, limits: Limits, name: str) -> None:
        """`name` is the worker's, which no other has: whoever starts with the same one fences this one."""
        self._settings = settings
        self._changelog = changelog
        self.limits = limits
        self.on_forward: Callable[[], None] = lambda: None  # called when something for the inbox is committed
        self.standing = Standing(settings.app_id)
        self.shared = self._make_committer(worker_id(settings.app_id, name))

    def _make_committer(self, transactional_id: str) -> Committer:
        return Committer(
            self._settings, self._changelog, transactional_id, self.limits, self.standing, lambda: self.on_forward()
        )

    def make(self, partition: int) -> "PartitionProducer":
        """Return the producer of a partition."""
        own = partition_id(self._settings.app_id, partition)
        return PartitionProducer(self, partition, lambda: self._make_committer(own))

    async def finish(self) -> None:
        """Return when no commit is on its way any more."""
        await self.shared.finish()

    async def close(self) -> None:
        """Let go of connections; what is not committed is dropped."""
        await self.shared.close()


class PartitionProducer:
    """The part of one partition in its worker's transactions.

    Where workers from before are in the group, whom only an id for each partition fences, it commits by that.
    """

    def __init__(self, producers: Producers, partition: int, make_own: Callable[[], Committer]) -> None:
        self._producers = producers
        self._partition = partition
        self._make_own = make_own
        self._own: Committer | None = None
        self._committer = producers.shared
        self._era: int | None = None
        self._incarnation = -1

    async def fence(self) -> None:
        """Take the partition over; raises MigratedError."""
        await self._drop_own()
        reach("fence.before")
        standing = self._producers.standing
        self._era = standing.era(self._partition)
        if self._era is None:
            raise FencedError("the group has not given it to this worker")
        is_shared = standing.membership.is_shared
        if not is_shared:
            self._own = self._make_own()
        self._committer = self._own or self._producers.shared
        self._incarnation = await self._committer.take_over(self._partition, is_shared=is_shared)
        reach("fence.after")

    async def _drop_own(self) -> None:
        self._incarnation = -1
        own, self._own = self._own, None
        if own is not None:
            await own.close()

    def output(self, topic: str) -> Batches:
        """Return batches of our own."""
        return Batches(self._producers.limits.limit(topic))

    async def commit(self, commit: Commit) -> int:
        """Commit all of it or nothing, and return the changelog's next offset; raises MigratedError."""
        if self._era != self._producers.standing.era(self._partition):
            raise MigratedError("it may have been another worker's meanwhile")
        if self._incarnation != self._committer.incarnation:
            raise MigratedError("the transaction of its worker failed")
        return await self._committer.commit(self._partition, commit, self._era)

    async def close(self) -> None:
        """Commit nothing any more."""
        await self._drop_own()

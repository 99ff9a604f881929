"""The transactions by which a state is moved: of no member of the group, and only while the group has none.

They go by the id of one partition, and may hold rows of all partitions of its changelog. Whoever opens the
partition later fences that id, as all workers do. Held to a real broker by tests/broker/test_fencing.py.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError

from streams.failpoints import reach
from streams.kafka.batches import Batches
from streams.kafka.committer import COMMIT_TIMEOUT, Running, explain, gather, start
from streams.kafka.errors import MigratedError, TooLargeError
from streams.kafka.fencing import partition_id
from streams.kafka.limits import Limits
from streams.kafka.records import Commit
from streams.settings import Settings


class Mover:
    """A partition as whoever moves its state has it."""

    def __init__(self, settings: Settings, changelog: str, partition: int, limits: Limits) -> None:
        self._settings = settings
        self._changelog = changelog
        self._partition = partition
        self._limits = limits
        self._id = partition_id(settings.app_id, partition)
        self._running: Running | None = None

    async def fence(self) -> None:
        """Take the partition over: nobody commits by its id any more, and nothing is open in it.

        Raises MigratedError.
        """
        await self.close()
        reach("fence.before")
        with _explained("no transactions"):
            async with asyncio.timeout(COMMIT_TIMEOUT):
                self._running = await start(self._settings, self._changelog, self._id)
        await self.end_open()
        reach("fence.after")

    async def end_open(self) -> None:
        """Return when nothing of a worker is open where the partition writes to; raises MigratedError."""
        assert self._running is not None, "A mover fences the others first."
        with _explained("no end of what is open"):
            async with asyncio.timeout(COMMIT_TIMEOUT):
                await self._running.fencing.end_open(self._partition, self._id)

    def output(self, topic: str) -> Batches:
        """Return what takes the records of one partition of a topic until they are committed."""
        return Batches(self._limits.limit(topic))

    async def commit(self, commit: Commit) -> None:
        """Commit all of it or nothing, its positions apart, which the group is not told; raises MigratedError."""
        assert self._running is not None, "A mover commits only after it fenced the others."
        transactions = self._running.transactions
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                batches = gather(self._changelog, self._limits, {self._partition: commit})
                reach("send.before")
                await transactions.join(batches)
                await transactions.send(batches)
                reach("send.after")
                reach("commit.before")
                await transactions.end(is_committed=True)
                reach("commit.after")
        except (KafkaError, TooLargeError, TimeoutError, OSError) as error:
            raise explain(error) from error

    async def close(self) -> None:
        """Let go of connections."""
        running, self._running = self._running, None
        if running is not None:
            await running.client.close()


@contextmanager
def _explained(problem: str) -> Iterator[None]:
    try:
        yield
    except (KafkaError, TimeoutError, OSError) as error:
        raise MigratedError(f"{problem}: {error!r}") from error

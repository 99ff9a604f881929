"""Commits what partitions have done by one transactional id: all that waits goes into one transaction.

Each transaction takes the group's offsets along, by the worker's generation in the group (KIP-447). The broker
refuses them of a worker that the group has given up, so a worker that was thought dead commits nothing.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    IllegalGenerationError,
    InvalidProducerEpoch,
    KafkaConnectionError,
    KafkaError,
    ProducerFenced,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from streams.cancellation import end_tasks, is_asked_to_end
from streams.failpoints import reach
from streams.kafka.batches import Batch, Batches
from streams.kafka.connection import client_arguments
from streams.kafka.errors import FencedError, MigratedError, TooLargeError
from streams.kafka.fencing import Fencing
from streams.kafka.inputs import read_input
from streams.kafka.limits import Limits
from streams.kafka.records import GATHER_SECONDS, NO_HEADERS, Commit
from streams.kafka.standing import Membership, Standing
from streams.kafka.topics import INBOX
from streams.kafka.transactions import Transactions
from streams.settings import Settings

COMMIT_TIMEOUT = 15.0  # seconds; below the transaction's own, so that the broker has not given up before us
_REQUEST_TIMEOUT_MS = 10_000
_MOVED_ON = (IllegalGenerationError, RebalanceInProgressError)  # the group, while this worker did not know it yet
_OFFSETS_REFUSED = (*_MOVED_ON, UnknownMemberIdError)


class _Waiting(NamedTuple):
    """A partition's commit, the partition's era when it was done, and who waits for the changelog's next offset."""

    commit: Commit
    era: int | None
    offset: asyncio.Future[int]

    def accept(self, offset: int) -> None:
        """Tell that the commit is done."""
        if not self.offset.done():
            self.offset.set_result(offset)

    def refuse(self, error: Exception) -> None:
        """Tell that the commit is not done, or that nobody knows."""
        if not self.offset.done():
            self.offset.set_exception(error)


class Running(NamedTuple):
    """What lasts from a start until the first error."""

    client: AIOKafkaClient
    fencing: Fencing
    transactions: Transactions


async def start(settings: Settings, changelog: str, transactional_id: str) -> Running:
    """Return the started transactions of an id, whose other users are fenced; raises KafkaError, OSError."""
    client = AIOKafkaClient(**client_arguments(settings), request_timeout_ms=_REQUEST_TIMEOUT_MS)
    try:
        await client.bootstrap()
        fencing = Fencing(client, settings.app_id, changelog)
        await client.set_topics(fencing.topics)
        transactions = await fencing.fence(transactional_id)
    except BaseException:
        await client.close()
        raise
    transactions.hold()
    return Running(client, fencing, transactions)


class Committer:
    """The transactions of one id. After an error it starts anew, and every partition is taken over again."""

    def __init__(
        self, settings: Settings, changelog: str, transactional_id: str, limits: Limits, standing: Standing,
        on_forward: Callable[[], None],
    ) -> None:  # fmt: skip
        """Begin with no connection; the first partition that is taken over makes one.

        `on_forward` is called when something for the inbox is committed.
        """
        self.incarnation = 0  # counts starts and errors: what was begun before the last one is not committed
        self._settings = settings
        self._changelog = changelog
        self._id = transactional_id
        self._limits = limits
        self._standing = standing
        self._on_forward = on_forward
        self._running: Running | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._is_wanted = asyncio.Event()
        self._committing: asyncio.Task[None] | None = None
        self._busy = asyncio.Lock()  # while a transaction is under way, or the producer starts

    async def take_over(self, partition: int, *, is_shared: bool) -> int:
        """Return the incarnation, when no other worker has a transaction open in what this partition writes to.

        With `is_shared` the id is not the partition's own, whose users have to be fenced, too.
        Raises MigratedError.
        """
        try:
            async with asyncio.timeout(COMMIT_TIMEOUT):
                async with self._busy:  # after a commit that may hold what the partition did before
                    self._refuse(partition, MigratedError("it is opened anew"))
                    if self._running is not None and not self._running.transactions.is_usable:
                        await self._fail(MigratedError("its connection to the broker broke"), {})
                    fencing = (self._running or await self._start()).fencing
                    incarnation = self.incarnation
                if is_shared:
                    await fencing.fence_partition_id(partition)
                await fencing.end_open(partition, self._id)
                return incarnation
        except (KafkaError, TimeoutError, OSError) as error:
            raise MigratedError(f"no transactions: {error!r}") from error

    def _refuse(self, partition: int, error: MigratedError) -> None:
        if partition in self._waiting:
            self._waiting.pop(partition).refuse(error)

    async def _start(self) -> Running:
        self._running = await start(self._settings, self._changelog, self._id)
        self.incarnation += 1
        self._committing = asyncio.create_task(self._commit_when_wanted(self._running), name="commits")
        return self._running

    async def commit(self, partition: int, commit: Commit, era: int | None) -> int:
        """Commit with whatever other partitions commit now; return the changelog's next offset.

        `era` is the partition's when it was taken over. Raises MigratedError.
        """
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[partition] = _Waiting(commit, era, offset)
        self._is_wanted.set()
        return await offset

    async def _commit_when_wanted(self, running: Running) -> None:
        """Commit what waits, all of it in one transaction, one after another until there is an error."""
        waiting: dict[int, _Waiting] = {}
        try:
            while True:
                await self._is_wanted.wait()
                await asyncio.sleep(GATHER_SECONDS)
                async with self._busy, asyncio.timeout(COMMIT_TIMEOUT):
                    if self._running is not running:
                        return
                    waiting = self._take_waiting()
                    if waiting:
                        await self._commit_all(running.transactions, waiting)
        except (KafkaError, TooLargeError, TimeoutError, OSError) as error:
            await self._fail(explain(error), waiting)
        except Exception as error:  # ours: it ends the worker
            await self._fail(error, waiting)
        except asyncio.CancelledError:
            if is_asked_to_end():
                raise
            await self._fail(MigratedError("a library cancelled its transaction"), waiting)
        finally:
            for one in waiting.values():
                one.refuse(MigratedError("the worker ends"))

    def _take_waiting(self) -> dict[int, _Waiting]:
        """Return what waits and may still be committed; the rest is refused."""
        self._is_wanted.clear()
        waiting, self._waiting = self._waiting, {}
        for partition, one in tuple(waiting.items()):
            era = self._standing.era(partition)
            if era is None:
                waiting.pop(partition).refuse(FencedError("it is another worker's now"))
            elif era != one.era:
                waiting.pop(partition).refuse(MigratedError("it may have been another worker's meanwhile"))
        return waiting

    async def _commit_all(self, transactions: Transactions, waiting: Mapping[int, _Waiting]) -> None:
        """Commit, and tell whoever waits; raises what leaves the outcome unknown.

        If some of the partitions have gone to other workers meanwhile, the others are committed without them.
        """
        try:
            offsets = await self._commit(transactions, waiting)
        except _OFFSETS_REFUSED as error:
            await transactions.end(is_committed=False)
            kept = {partition: one for partition, one in waiting.items() if self._is_kept(partition, one, error)}
            for partition in waiting.keys() - kept.keys():
                waiting[partition].refuse(explain(error))
            if kept:
                await self._commit_all(transactions, kept)
        else:
            for partition, one in waiting.items():
                one.accept(offsets[partition])

    def _is_kept(self, partition: int, one: _Waiting, error: Exception) -> bool:
        return isinstance(error, _MOVED_ON) and self._standing.era(partition) == one.era

    async def _fail(self, error: Exception, waiting: Mapping[int, _Waiting]) -> None:
        """Let go of everything, and tell whoever waits; one is told what the topic takes, for all of them."""
        running, self._running = self._running, None
        self.incarnation += 1
        told = (*waiting.values(), *self._waiting.values())
        self._waiting = {}
        for one in told:
            one.refuse(error)
            if isinstance(error, TooLargeError):
                error = MigratedError("a batch of the same transaction was refused")
        if running is not None:
            await running.client.close()

    async def _commit(self, transactions: Transactions, waiting: Mapping[int, _Waiting]) -> dict[int, int]:
        membership = self._standing.membership
        reach("send.before")
        commits = {partition: one.commit for partition, one in waiting.items()}
        batches = gather(self._changelog, self._limits, commits)
        await transactions.join(batches)
        ends, _ = await asyncio.gather(transactions.send(batches), transactions.join((), membership.group))
        reach("send.after")
        reach("offsets.before")
        await self._send_offsets(transactions, waiting, membership)
        reach("offsets.after")
        reach("commit.before")
        await transactions.end(is_committed=True)
        reach("commit.after")
        if any(place.topic == INBOX for place in batches):
            self._on_forward()
        return {partition: ends[TopicPartition(self._changelog, partition)] for partition in waiting}

    async def _send_offsets(
        self, transactions: Transactions, waiting: Mapping[int, _Waiting], membership: Membership
    ) -> None:
        """Take the offsets along, by the generation of now or, with the same partitions all the time, a later one.

        Everything was sent before, so that whoever owns a partition in a later generation sees what is open there.
        """
        offsets = {
            TopicPartition(*read_input(name, partition)): position
            for partition, one in waiting.items()
            for name, position in one.commit.positions.items()
        }
        try:
            await transactions.send_offsets(offsets, membership)
        except _MOVED_ON:
            after = await self._standing.after(membership)
            if any(self._standing.era(partition) != one.era for partition, one in waiting.items()):
                raise
            await self._send_offsets(transactions, waiting, after)

    async def finish(self) -> None:
        """Refuse what waits, and return when no transaction is open any more."""
        async with self._busy:
            for partition in tuple(self._waiting):
                self._refuse(partition, MigratedError("the worker ends"))

    async def close(self) -> None:
        """Let go of connections; what waits is not committed."""
        if self._committing is not None:
            await end_tasks(self._committing)
        await self._fail(MigratedError("the worker ends"), {})


def gather(changelog: str, limits: Limits, commits: Mapping[int, Commit]) -> dict[TopicPartition, list[Batch]]:
    """Return the batches of all commits: several may have records for the same partition of the inbox."""
    batches: defaultdict[TopicPartition, list[Batch]] = defaultdict(list)
    for partition, commit in commits.items():
        rows = Batches(limits.limit(changelog))
        for key, row in commit.rows.items():
            rows.add(key, row, NO_HEADERS)
        batches[TopicPartition(changelog, partition)] += rows.finish()
        for (topic, number), output in commit.outputs.items():
            assert isinstance(output, Batches), "A committer takes its own outputs."
            batches[TopicPartition(topic, number)] += output.finish()
    return batches


def explain(error: Exception) -> MigratedError:
    """Return what an error of a transaction means for a partition that is in it."""
    if isinstance(error, TooLargeError):
        return error
    if isinstance(error, ProducerFenced | InvalidProducerEpoch):
        return FencedError("another worker ended its transaction")
    if isinstance(error, UnknownMemberIdError):
        return FencedError("the group has given this worker up")
    if isinstance(error, _MOVED_ON):
        return MigratedError("the group has moved on to its next generation")
    if isinstance(error, KafkaConnectionError):
        return MigratedError("its connection to the broker broke")
    return MigratedError(f"no commit: {error!r}")

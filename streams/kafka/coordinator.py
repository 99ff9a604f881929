"""What transactions need of aiokafka's producer beyond what it offers; it reaches into its insides.

Above all that they end with the connection to their coordinator. aiokafka goes on over a new one as if nothing
had happened; but the broker may have restarted, and lost the end of the transaction before (see `unfinished`).
One that goes on then, and is aborted later, would abort what is left of that one, too.
"""

import asyncio
from collections.abc import Iterable
from itertools import chain
from types import SimpleNamespace
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.conn import CloseReason
from aiokafka.errors import KafkaError, ProducerFenced, UnknownTopicOrPartitionError
from aiokafka.producer.sender import TxnOffsetCommitHandler

_LONGEST_PAUSE = 0.5  # seconds


class BrokenLinkError(ProducerFenced):  # type: ignore[misc]
    """The connection to the coordinator broke; its base is what ends aiokafka's sender at once."""


class CoordinatorLink:
    """The connection of a started producer to its coordinator, without which it begins and ends no transaction."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._client = producer.client
        sender = producer._sender
        self._place = (sender._coordinators[CoordinationType.TRANSACTION], ConnectionGroup.COORDINATION)
        self._find = sender._find_coordinator
        sender._find_coordinator = self._find_again
        self._add = sender._do_add_partitions_to_txn
        sender._do_add_partitions_to_txn = self._add_patiently
        sender._do_txn_offset_commit = self._commit_offsets
        self._sender = sender
        self._refusals = 0  # in a row
        self._batches = producer._message_accumulator
        self._transaction = producer._txn_manager
        self._fail = self._transaction.fatal_error
        self._transaction.fatal_error = self._fail_seen
        self._hold()

    def _hold(self) -> None:
        self._connection = self._client._conns.get(self._place)
        self._is_idle = False
        if self._connection is not None:
            self._connection._on_close_cb = self._note_close

    def _note_close(self, connection: Any, reason: CloseReason) -> None:
        """A connection that was dropped because nothing happened for minutes is as good as one that is held."""
        self._is_idle = reason == CloseReason.IDLE_DROP
        self._client._on_connection_closed(connection, reason)

    def _fail_seen(self, error: Exception) -> None:
        """Fail the transaction at hand, without complaints of asyncio's about what nobody waits for any more."""
        self._fail(error)
        batches = chain(*self._batches._batches.values(), self._batches._pending_batches)
        for waiter in (self._transaction.wait_for_transaction_end(), *(batch._drain_waiter for batch in batches)):
            if waiter.done() and not waiter.cancelled():
                waiter.exception()

    async def _add_patiently(self, places: Any) -> None:
        """Let places take part in a transaction; ask ever less often while the last one's end is being written.

        aiokafka asks 50 times a second. Where 64 partitions do, a broker that has just started is busy with nothing
        else, and writes no ends.
        """
        is_added = await self._add(places)
        self._refusals = 0 if is_added else self._refusals + 1
        if self._refusals > 1:
            await asyncio.sleep(min(0.01 * 2**self._refusals, _LONGEST_PAUSE))

    async def _commit_offsets(self, offsets: Any, group_id: str) -> None:
        """Commit offsets as aiokafka's sender does, but not those of topics that are not there any more."""
        node = await self._find_again(CoordinationType.GROUP, group_id)
        await _OffsetCommit(self._sender, offsets, group_id).do(node)

    async def _find_again(self, kind: CoordinationType, key: str) -> Any:
        """Find a coordinator, as aiokafka's sender does before each of its requests."""
        try:
            node = await self._find(kind, key)
        except KafkaError as error:  # aiokafka would end with a traceback
            raise BrokenLinkError(f"no coordinator: {error}") from error
        if kind == CoordinationType.TRANSACTION:
            if self._is_idle:
                await self._client.ready(node, group=ConnectionGroup.COORDINATION)
                self._hold()
            held = self._connection
            if held is None or not held.connected() or self._client._conns.get(self._place) is not held:
                raise BrokenLinkError("the connection to the broker broke")
        return node


class _OffsetCommit(TxnOffsetCommitHandler):  # type: ignore[misc]
    def handle_response(self, resp: Any) -> Any:
        """Take the offset of a topic that was deleted for committed: nobody asks for it, and all others wait."""
        lacking = UnknownTopicOrPartitionError.errno
        answers = [
            (topic, [(number, 0 if code == lacking else code) for number, code in partitions])
            for topic, partitions in resp.errors
        ]
        return super().handle_response(SimpleNamespace(errors=answers))


def producer_id(producer: AIOKafkaProducer) -> int:
    """Return the number by which the broker knows a started producer."""
    number: int = producer._txn_manager.producer_id
    return number


def join(producer: AIOKafkaProducer, places: Iterable[TopicPartition]) -> None:
    """Let places take part in the transaction at hand without a record, so that its end is written there, too."""
    for place in places:
        producer._txn_manager.maybe_add_partition_to_txn(place)

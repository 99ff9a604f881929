"""A producer's transactions: the requests that begin them, fill them and end them, over connections of aiokafka's.

They are bound to one connection to their coordinator: a broker that restarts may have lost the end of the last
transaction (docs/decisions/036-lost-ends.md), so nothing goes on over a new connection as if nothing had happened.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    UnknownTopicOrPartitionError,
)
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import (
    AddOffsetsToTxnRequest,
    AddPartitionsToTxnRequest,
    EndTxnRequest,
    InitProducerIdRequest,
)

from streams.kafka.answers import FIRST_PAUSE, LONGEST_PAUSE, check_codes, error_of, patiently, wherever
from streams.kafka.batches import Batch
from streams.kafka.errors import TooLargeError
from streams.kafka.requests import TxnOffsetCommitRequest, by_topic
from streams.kafka.standing import Membership

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_REQUEST_BYTES = 512 * 1024  # of batches; larger, a request would be "humongous" to the JVM of a small broker
_ALL_REPLICAS = -1
_LARGEST_SEQUENCE = 2**31
_NO_EPOCH = -1
_NO_TAGS: dict[int, bytes] = {}


class Transactions:
    """The transactions of one transactional id. Any error ends their use: start others in their place."""

    def __init__(self, client: AIOKafkaClient, transactional_id: str, timeout_ms: int) -> None:
        """Use a client that is connected; `timeout_ms` is when the broker aborts a transaction that goes on."""
        self._client = client
        self.id = transactional_id
        self._timeout_ms = timeout_ms
        self.producer_id = self.epoch = -1
        self._coordinator: AIOKafkaConnection | None = None
        self._is_idle = self._is_held = False
        self._joined: set[TopicPartition] = set()
        self._offsets_joined = False
        self._group_coordinator: int | None = None
        self._sequences: defaultdict[TopicPartition, int] = defaultdict(int)

    @property
    def is_usable(self) -> bool:
        """Say whether the connection to the coordinator is the first one still, or was dropped for want of work."""
        return self._is_idle or (self._coordinator is not None and self._coordinator.connected())

    def hold(self) -> None:
        """Notice why the connection to the coordinator is closed; of those that share it only one can."""
        self._is_held = True
        if self._coordinator is not None:
            self._coordinator._on_close_cb = self._note_close

    async def start(self) -> None:
        """Fence whoever uses the id, whose open transaction is aborted; raises KafkaError.

        Waits while the end of a transaction of the id is being written.
        """
        answer = await wherever(self._fence)
        self.producer_id, self.epoch = answer.producer_id, answer.producer_epoch

    async def _fence(self) -> Any:
        await self._connect()
        return await self._ask(lambda: InitProducerIdRequest(self.id, self._timeout_ms))

    async def _connect(self) -> None:
        node = await self._client.coordinator_lookup(CoordinationType.TRANSACTION, self.id)
        self._coordinator = await self._client._get_conn(node, group=ConnectionGroup.COORDINATION)
        self._is_idle = False
        if self._is_held:
            self.hold()

    def _note_close(self, connection: AIOKafkaConnection, reason: CloseReason) -> None:
        """A connection that was dropped because nothing happened for minutes is as good as one that is held."""
        self._is_idle = reason == CloseReason.IDLE_DROP
        self._client._on_connection_closed(connection, reason)

    async def _ask(self, make: Callable[[], Any]) -> Any:
        """Ask the coordinator, again while it can't answer yet; raises KafkaError for what it refuses."""

        async def ask() -> Any:
            if self._is_idle:
                await self._connect()
            coordinator = self._coordinator
            if coordinator is None or not coordinator.connected():
                raise KafkaConnectionError("the connection to the transaction's coordinator broke")
            answer = await coordinator.send(make())
            if code := getattr(answer, "error_code", 0):
                raise error_of(code)(f"refused by the coordinator of '{self.id}'")
            return answer

        return await patiently(ask)

    async def join(self, places: Iterable[TopicPartition], group: str | None = None) -> None:
        """Let partitions, and the offsets of a group, take part in the transaction at hand; raises KafkaError."""
        new = set(places) - self._joined
        if new:
            await patiently(lambda: self._join(new))
            self._joined |= new
        if group is not None and not self._offsets_joined:
            await self._ask(lambda: AddOffsetsToTxnRequest(self.id, self.producer_id, self.epoch, group))
            self._offsets_joined = True

    async def _join(self, places: set[TopicPartition]) -> None:
        topics = list(by_topic((place.topic, place.partition) for place in places).items())
        answer = await self._ask(lambda: AddPartitionsToTxnRequest(self.id, self.producer_id, self.epoch, topics))
        check_codes(
            (code for _, partitions in answer.errors for _, code in partitions), "no part in the transaction"
        )

    async def send(self, batches: Mapping[TopicPartition, Sequence[Batch]]) -> dict[TopicPartition, int]:
        """Send batches to partitions that have joined; return the offset after the last record of each.

        Returns when all replicas in sync have all of it; raises KafkaError, and TooLargeError.
        """
        queues = {place: list(reversed(waiting)) for place, waiting in batches.items() if waiting}
        ends: dict[TopicPartition, int] = {}
        while queues:  # a request takes one batch of a partition, and they must arrive in order
            heads = {place: queue.pop() for place, queue in queues.items()}
            for place, batch in heads.items():
                batch.set_producer_state(self.producer_id, self.epoch, self._sequences[place])
                self._sequences[place] = (self._sequences[place] + batch.record_count()) % _LARGEST_SEQUENCE
            ends |= await self._deliver(heads)
            queues = {place: queue for place, queue in queues.items() if queue}
        return ends

    async def _deliver(self, batches: Mapping[TopicPartition, Batch]) -> dict[TopicPartition, int]:
        """Send one batch a partition, and again what the broker did not take; it drops what it has already."""
        ends: dict[TopicPartition, int] = {}
        pause = FIRST_PAUSE
        while missing := {place: batch for place, batch in batches.items() if place not in ends}:
            requests = list(self._share_out(missing))
            answers = await asyncio.gather(
                *(self._produce(node, given) for node, given in requests), return_exceptions=True
            )
            is_lost = not requests
            for answer in answers:
                if isinstance(answer, BaseException):
                    if not isinstance(answer, KafkaError) or not answer.retriable:
                        raise answer
                    is_lost = True
                else:
                    found, moved = answer
                    ends |= found
                    is_lost |= moved
            if len(ends) < len(batches):
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                if is_lost:
                    await self._client.force_metadata_update()
        return ends

    def _share_out(
        self, batches: Mapping[TopicPartition, Batch]
    ) -> Iterator[tuple[int, dict[TopicPartition, Batch]]]:
        """Yield what goes into a request, and to which leader; what has no leader has to wait."""
        waiting: defaultdict[int, dict[TopicPartition, Batch]] = defaultdict(dict)
        sizes: defaultdict[int, int] = defaultdict(int)
        for place, batch in batches.items():
            leader = self._client.cluster.leader_for_partition(place)
            if leader is None or leader < 0:
                continue
            size = len(batch.build())
            if waiting[leader] and sizes[leader] + size > _REQUEST_BYTES:
                yield leader, waiting.pop(leader)
                sizes[leader] = 0
            waiting[leader][place] = batch
            sizes[leader] += size
        yield from waiting.items()

    async def _produce(
        self, node: int, batches: Mapping[TopicPartition, Batch]
    ) -> tuple[dict[TopicPartition, int], bool]:
        """Return the offset after each batch that the broker took, and whether any lies elsewhere.

        Raises KafkaError for what it never takes.
        """
        topics = by_topic((place.topic, (place.partition, batch.build())) for place, batch in batches.items())
        request = ProduceRequest(self.id, _ALL_REPLICAS, self._timeout_ms, list(topics.items()))
        answer = await self._client.send(node, request)
        ends: dict[TopicPartition, int] = {}
        has_moved = False
        for topic, partitions in answer.topics:
            for partition, code, offset, *_ in partitions:
                place, error = TopicPartition(topic, partition), error_of(code)
                if not code:
                    ends[place] = offset + batches[place].record_count()
                elif error in _TOO_LARGE:
                    raise TooLargeError(topic)
                elif not error.retriable:
                    raise error(f"{place} did not take a batch")
                else:
                    has_moved |= error.invalid_metadata
        return ends, has_moved

    async def send_offsets(self, offsets: Mapping[TopicPartition, int], membership: Membership) -> None:
        """Take a group's offsets into the transaction; raises KafkaError for a member that is none any more.

        The offset of a topic that was deleted is left out: nobody asks for it, and all others would wait.
        """
        assert offsets, "It is by offsets that the broker looks at the generation."
        topics = by_topic((place.topic, _offset(place, offset)) for place, offset in offsets.items())
        wanted = [(topic, partitions, _NO_TAGS) for topic, partitions in topics.items()]
        request = TxnOffsetCommitRequest(
            self.id, membership.group, self.producer_id, self.epoch, membership.generation,
            membership.member, membership.instance, wanted, {},
        )  # fmt: skip

        async def ask() -> None:
            node = self._group_coordinator
            if node is None:
                node = await self._client.coordinator_lookup(CoordinationType.GROUP, membership.group)
            self._group_coordinator = None
            answer = await self._client.send(node, request, group=ConnectionGroup.COORDINATION)
            codes = [code for _, partitions, _ in answer.topics for _, code, _ in partitions]
            known = [code for code in codes if code != UnknownTopicOrPartitionError.errno]
            check_codes(
                known or codes, f"no offsets of '{membership.group}'"
            )  # of none, nobody has looked who asks
            self._group_coordinator = node

        await wherever(ask)

    async def end(self, *, is_committed: bool) -> None:
        """Commit or abort the transaction at hand; after an error its outcome is unknown. Raises KafkaError."""
        if self._joined or self._offsets_joined:
            await self._ask(lambda: EndTxnRequest(self.id, self.producer_id, self.epoch, is_committed))
        self._joined.clear()
        self._offsets_joined = False


def _offset(place: TopicPartition, offset: int) -> tuple[int, int, int, str, dict[int, bytes]]:
    return place.partition, offset, _NO_EPOCH, "", _NO_TAGS

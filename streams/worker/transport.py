"""Faust's seam to Kafka: one message a topic for all that was fetched, committed records only, no offset commits.

It reaches into Faust's and aiokafka's insides, which is why both are pinned and why tests/broker holds it to
what it must do.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Any

import aiokafka
from aiokafka.errors import IllegalStateError, KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest
from faust.transport.consumer import ensure_TPset
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from streams.kafka.clients import look_seldom
from streams.kafka.decompression import Room
from streams.kafka.errors import FencedError, MigratedError, UnreadError
from streams.kafka.fetch import Fetch, SeekResult, share
from streams.kafka.reading import leave_as_they_are
from streams.kafka.standing import Membership
from streams.kafka.topic_ids import topic_id
from streams.worker.consumer import ThreadlessConsumer
from streams.worker.coordinator import adapt, join, leave
from streams.worker.fetch_looks import FetchLooks
from streams.worker.fetch_turns import FetchTurns
from streams.worker.fetch_waits import FetchWaits
from streams.worker.fetched import Fetched
from streams.worker.subscriptions import LastingSubscriptions

_BESIDE_SECONDS = 0.02  # until other partitions are asked for while what was fetched of one has not been taken
_METADATA_MS = 60_000  # by when a topic that was given more partitions, which nobody reads, is seen
_FETCH_BYTES = 1024 * 1024  # of all partitions together


class _NoOffsets(dict[TP, Any]):
    """Faust drops what lies below the last offset it saw; after a seek back that would lose records."""

    def __getitem__(self, partition: TP) -> None:
        return None


class Fetching(ThreadlessConsumer):
    """The consumer beneath: gives a fetch as one piece that says where it starts and ends."""

    fetched: Fetched
    _waits: FetchWaits

    def __post_init__(self) -> None:
        super().__post_init__()
        self._seeks: Counter[TP] = Counter()
        self.turns = FetchTurns()

    async def on_start(self) -> None:
        """Start; aiokafka would let a quiet topic wait for 100 ms beside one that has a backlog."""
        await super().on_start()
        consumer = self._ensure_consumer()
        adapt(consumer._coordinator)
        consumer._fetcher._prefetch_backoff = _BESIDE_SECONDS
        self.fetched = consumer._fetcher._records = Fetched(self.app.wants)
        consumer._fetcher._get_actions_per_node = FetchLooks(consumer._fetcher).look
        look_seldom(consumer)
        consumer._fetcher.error_future.add_done_callback(partial(self._look_at_end, consumer, "fetcher"))
        consumer._coordinator._coordination_task.add_done_callback(
            partial(self._look_at_end, consumer, "coordinator")
        )

    def _look_at_end(self, consumer: Any, name: str, work: "asyncio.Task[None]") -> None:
        """Tell what ended work of aiokafka's in the background: it waits for whoever asks, and nothing is read."""
        if not (consumer._fetcher._closed or consumer._coordinator._closing.done()):
            error = None if work.cancelled() else work.exception()
            self.app.on_crash(error or RuntimeError(f"aiokafka's {name} has ended, and nobody asked it to"))

    async def leave(self) -> None:
        """Leave the group at once."""
        if self._consumer is not None and self._consumer._coordinator is not None:
            await leave(self._consumer._coordinator)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        consumer = aiokafka.AIOKafkaConsumer(
            **self.app.client_arguments,
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            # Faust's assignor gives one worker partition i of every topic; aiokafka's own would not.
            partition_assignment_strategy=[self.app.assignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            max_partition_fetch_bytes=share(_FETCH_BYTES, self.app.partitions),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            check_crcs=False,
            metadata_max_age_ms=_METADATA_MS,
        )
        self._waits = FetchWaits(consumer)
        consumer._client.send = partial(self._send_in_time, consumer._client.send)
        consumer._subscription = LastingSubscriptions()
        consumer._subscription.on_change = partial(_wake, consumer, self._waits)
        consumer._subscription.on_error = self.app.on_crash
        return consumer

    async def _send_in_time(self, send: Callable[..., Any], node: int, request: Any, **options: Any) -> Any:
        """Hold a fetch back, not what it brings: what comes meanwhile is in it."""
        if isinstance(request, FetchRequest):
            await self.turns.wait()
            return await self._waits.fetch(node, request)
        if isinstance(request, JoinGroupRequest | SyncGroupRequest):
            return await join(self._ensure_consumer()._coordinator, node, request)
        return await send(node, request, **options)

    async def _fetch_records(
        self, consumer: Any, active_partitions: set[TP], timeout: float = 1.0, max_records: int | None = None
    ) -> dict[TP, list[Fetch]]:
        """Drain these partitions; the caller has waited, and nothing moves, for there is no await between."""
        fetcher, subscriptions = consumer._fetcher, consumer._subscription
        assignment = subscriptions.subscription and subscriptions.subscription.assignment
        if not assignment or not self.consumer.flow_active:
            return {}
        states = {partition: assignment.state_value(partition) for partition in active_partitions & assignment.tps}
        starts = {partition: state.position for partition, state in states.items() if state.has_valid_position}
        if not starts:
            return {}
        rooms = {partition: leave_as_they_are(fetcher._records[partition]) for partition in starts}
        with subscriptions.fetch_context():
            found = await fetcher.fetched_records(starts.keys(), timeout=0, max_records=max_records)
        self.turns.note(sum(map(len, found.values())))
        return {
            TP(*partition): [
                self._make_fetch(partition, start, assignment, found.get(partition, ()), rooms[partition])
            ]
            for partition, start in starts.items()
            if assignment.state_value(partition).position > start
        }

    async def wait_for_records(self, timeout: float) -> None:
        """Wait for records as Faust does."""
        fetcher = self._ensure_consumer()._fetcher
        if fetcher._closed:
            raise driver.ConsumerStoppedError
        waiter = fetcher._create_fetch_waiter()
        await driver.asyncio.wait([waiter], timeout=timeout)
        if waiter.done():
            waiter.result()  # an authorisation error, if there was one
        else:
            waiter.cancel()

    def _make_fetch(self, partition: Any, start: int, assignment: Any, records: Any, room: Room) -> Fetch:
        state = assignment.state_value(partition)
        known_end = state.lso or state.highwater or 0  # the first one is for readers of committed records
        return Fetch(
            partition.topic, partition.partition, start, state.position, records, self.app.assignments,
            self._seeks[partition], known_end, room.used,
        )  # fmt: skip

    async def seek_to(self, topic: str, partition: int, offset: int) -> SeekResult:
        """Move the consumer there, or to where the topic begins now; raises MigratedError if it can't."""
        try:
            place: SeekResult = await self.call_thread(
                self._seek_to, aiokafka.TopicPartition(topic, partition), offset
            )
        except (IllegalStateError, AssertionError) as error:
            raise FencedError("it is not assigned to this worker") from error
        except KafkaError as error:
            raise MigratedError(f"no seek: {error!r}") from error
        return place

    async def _seek_to(self, partition: Any, offset: int) -> SeekResult:
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        number, partitions = partition.partition, self.app.partitions
        if partition not in assigned and any(not (one.partition - number) % partitions for one in assigned):
            raise UnreadError(f"'{partition.topic}' is not read")
        begins, ends, id_ = await asyncio.gather(
            consumer.beginning_offsets([partition]),
            consumer.end_offsets([partition]),
            topic_id(consumer._client, partition.topic),
        )
        offset = max(offset, begins[partition])
        if partition not in consumer.assignment():
            raise IllegalStateError("it has gone meanwhile")
        consumer.seek(partition, offset)
        self._waits.note_change()
        self._seeks[partition] += 1
        return SeekResult(offset, self._seeks[partition], ends[partition], id_)

    async def rejoin(self) -> None:
        """Let the group agree anew."""
        self._ensure_consumer()._coordinator.request_rejoin()


def _wake(consumer: Any, waits: FetchWaits) -> None:
    """Let the fetcher look at what is assigned now, and drop what was fetched of the rest."""
    waits.note_change()
    if consumer._fetcher is not None:
        for gone in consumer._fetcher._records.keys() - consumer._subscription.subscription.assignment.tps:
            del consumer._fetcher._records[gone]
        consumer._fetcher._notify(consumer._fetcher._wait_consume_future)


class Listener(aiokafka.abc.ConsumerRebalanceListener):  # type: ignore[misc]
    """Hears from aiokafka what the group decides. Nothing stops before it has: what goes is fenced until then."""

    def __init__(self, thread: Fetching) -> None:
        self._thread = thread

    def on_partitions_revoked(self, revoked: Any) -> None:
        """Go on: most of them will stay."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Have these partitions, and no others."""
        app = self._thread.app
        if not app.tables.recovery.completed.is_set():
            app.on_rebalance_start()
        app.assignments += 1
        app.generation = self._thread._ensure_consumer()._coordinator.generation
        await self._thread.consumer.on_partitions_assigned(ensure_TPset(assigned))


class FetchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer: leaves out who is full, hands on whole fetches, and commits nothing."""

    RebalanceListener = Listener

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._read_offset = _NoOffsets()

    def _new_consumer_thread(self) -> Fetching:
        return Fetching(self, loop=self.loop, beacon=self.beacon)

    async def _getmany(self, active_partitions: set[TP], timeout: float) -> dict[TP, list[Fetch]]:
        fetched, now = self._thread.fetched, self.loop.time()
        wanted = fetched.choose(now) & active_partitions
        if not wanted:
            seconds = fetched.ask_again_after(now)
            await self._thread.wait_for_records(timeout if seconds is None else seconds)
            wanted = fetched.choose(self.loop.time()) & active_partitions
        return await self._thread.getmany(wanted, timeout)  # type: ignore[no-any-return]

    async def sleep(self, n: Any) -> None:
        """Sleep as Faust does; it makes a task and cancels it to let others go on."""
        await (super().sleep(n) if n else asyncio.sleep(0))

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Yield what was fetched, also where the group has agreed anew meanwhile: whoever lost it drops it.

        A message costs Faust seven tasks, so there is one for all partitions of a topic.
        """
        found, _ = await self._wait_next_records(timeout)
        if found is None or self.should_stop or not self.flow_active:
            return
        by_topic: defaultdict[str, list[Fetch]] = defaultdict(list)
        for tp, fetches in found.items():
            by_topic[tp.topic] += fetches
        for together in by_topic.values():
            tp = TP(together[0].topic, together[0].partition)
            yield tp, self._to_message(tp, together)

    def _to_message(self, tp: TP, record: Sequence[Fetch]) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic, tp.partition, record[0].end - 1, None, None, (), None, record, None, 0, 0, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    async def perform_seek(self) -> None:
        """Stay: who reads a partition says where it goes on."""

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Commit nothing: offsets travel in the tasks' transactions, and Faust's would rewind them."""
        return True

    async def seek_to(self, topic: str, partition: int, offset: int) -> SeekResult:
        """Move the consumer there, or to where the topic begins now; raises MigratedError if it can't."""
        self._thread.fetched.expect()
        return await self._thread.seek_to(topic, partition, offset)  # type: ignore[no-any-return]

    def membership(self, partitions: frozenset[int], *, is_shared: bool) -> Membership:
        """Return by what name and in which generation the group knows this worker, which has these partitions."""
        coordinator = self._thread._ensure_consumer()._coordinator
        return Membership(
            coordinator.group_id, coordinator.generation, coordinator.member_id, coordinator._group_instance_id,
            partitions, is_shared,
        )  # fmt: skip

    def fetch_soon(self) -> None:
        """Fetch what was forwarded as soon as it can be read: it waited for its turn once."""
        self._thread.turns.hurry()

    async def leave(self) -> None:
        """Leave the group at once, so that others take over; one with a name of its own may come back."""
        await self._thread.leave()

    async def rejoin(self) -> None:
        """Let the group agree anew, if this worker leads it or tells something new; else nothing comes of it."""
        await self._thread.rejoin()


class Transport(driver.Transport):  # type: ignore[misc]
    """The transport with that consumer."""

    Consumer = FetchConsumer

"""A fetch waits long where nothing comes, and no partition that it leaves out waits for it."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest

from streams.worker import fetch_waits
from streams.worker.fetch_waits import FIRST_MS, MOST_MS, USUAL_MS, FetchWaits
from tests import client

ONE, TWO = TopicPartition("a", 0), TopicPartition("a", 1)
RECORDS = SimpleNamespace(topics=[("a", [(0, 0, 9, b"records")])], error_code=0)
NEWS = SimpleNamespace(topics=[("a", [(0, 0, 9, b"")])], error_code=0)
NONE = SimpleNamespace(topics=[], error_code=0)


class Cluster:
    def __init__(self) -> None:
        self._broker_partitions: dict[int, set[TopicPartition]] = {}
        self.listeners: list[Any] = []

    def add_listener(self, listener: Any) -> None:
        self.listeners.append(listener)

    def lead(self, leaders: dict[int, set[TopicPartition]]) -> None:
        self._broker_partitions = leaders
        for listener in self.listeners:
            listener(self)


class Connection:
    def __init__(self) -> None:
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def close(self, reason: object) -> None:
        self.answer.set_exception(KafkaConnectionError("closed"))


class Consumer:
    """What waits look at: partitions with positions, all at node 1 unless `leaders` says otherwise."""

    def __init__(self) -> None:
        self.leaders: dict[TopicPartition, int] = {}
        self.states = {place: SimpleNamespace(has_valid_position=True, position=5) for place in (ONE, TWO)}
        self.cluster = Cluster()
        self._conns: dict[Any, Connection] = {}
        self.waits: list[int] = []
        assignment = SimpleNamespace(tps=self.states.keys(), state_value=self.states.__getitem__)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=assignment))
        self._fetcher = SimpleNamespace(_select_read_replica=lambda place: self.leaders.get(place, 1))
        self._client = self

    async def ready(self, node: int, group: object) -> bool:
        self._conns[node, group] = Connection()
        return True

    async def send(self, node: int, request: Any, group: object) -> Any:
        self.waits.append(request._max_wait_ms)
        return await self._conns[node, group].answer


def ask(*places: TopicPartition, at: int = 5) -> FetchRequest:
    return FetchRequest(1, 1, 1, 1, [("a", [(place.partition, at, 1) for place in places])])


async def fetch(consumer: Consumer, waits: FetchWaits, answer: Any, request: FetchRequest | None = None) -> Any:
    """Fetch all, or what is requested, and return what comes of this answer; None for no answer so far."""
    fetching = asyncio.create_task(waits.fetch(1, request or ask(ONE, TWO)))
    sent = len(consumer.waits)
    while len(consumer.waits) == sent:
        await asyncio.sleep(0)
    if answer is None:
        return fetching
    consumer._conns[1, "fetches"].answer.set_result(answer)
    return await fetching


async def test_waits_get_longer_while_nothing_comes_and_are_usual_after_records() -> None:
    consumer = Consumer()
    waits = FetchWaits(consumer)
    for answer in (NONE, NEWS, NONE, NONE, RECORDS, NONE, NONE):
        assert await fetch(consumer, waits, answer) is answer
    assert consumer.waits == [FIRST_MS, 200, 800, MOST_MS, MOST_MS, USUAL_MS, 800]


@pytest.mark.parametrize("request_", [ask(ONE), ask(ONE, TWO, at=4)])
async def test_what_a_fetch_leaves_out_waits_for_it_as_long_as_usual(request_: FetchRequest) -> None:
    consumer = Consumer()
    waits = FetchWaits(consumer)
    for _ in range(5):
        await fetch(consumer, waits, NONE)
    await fetch(consumer, waits, NONE, request_)
    consumer.leaders = {TWO: 2}
    consumer.states[ONE].position = request_.topics[0][1][0][1]
    await fetch(consumer, waits, NONE, request_)
    assert consumer.waits[-2:] == [USUAL_MS, MOST_MS]


async def test_a_change_ends_a_long_wait_and_no_other() -> None:
    consumer = Consumer()
    waits = FetchWaits(consumer)
    short = await fetch(consumer, waits, None)
    waits.note_change()
    consumer._conns[1, "fetches"].answer.set_result(NONE)
    assert await short is NONE
    for _ in range(5):
        await fetch(consumer, waits, NONE)
    long = await fetch(consumer, waits, None)
    waits.note_change()
    assert not (await long).topics
    await fetch(consumer, waits, NONE)
    assert consumer.waits[-2:] == [MOST_MS, FIRST_MS]


async def test_partitions_that_move_to_another_broker_are_a_change() -> None:
    consumer = Consumer()
    waits = FetchWaits(consumer)
    consumer.cluster.lead({1: {ONE, TWO}})
    for _ in range(5):
        await fetch(consumer, waits, NONE)
    long = await fetch(consumer, waits, None)
    consumer.cluster.lead({1: {ONE, TWO}})
    assert not consumer._conns[1, "fetches"].answer.done()
    consumer.cluster.lead({1: {ONE}, 2: {TWO}})
    assert not (await long).topics


async def test_a_connection_that_broke_is_an_error() -> None:
    consumer = Consumer()
    waits = FetchWaits(consumer)
    for _ in range(5):
        await fetch(consumer, waits, NONE)
    long = await fetch(consumer, waits, None)
    consumer._conns[1, "fetches"].close(None)
    with pytest.raises(KafkaConnectionError):
        await long


@pytest.mark.broker
async def test_a_broker_that_holds_a_fetch_answers_the_next_one_after_a_change(
    broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FIRST_MS", "MOST_MS"):
        monkeypatch.setattr(fetch_waits, name, 3_600_000)
    client.create_topics(broker, {prefix: 1})
    client.produce(broker, [client.Record(prefix, b"k", b"v")])
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, request_timeout_ms=3_600_000)
    place = TopicPartition(prefix, 0)
    try:
        async with asyncio.timeout(60):
            await consumer.start()
            waits = FetchWaits(consumer)
            consumer._client.send = _through(waits, consumer._client.send)
            consumer.assign([place])
            consumer.seek(place, 1)
            while not waits._patient:
                await asyncio.sleep(0)
            consumer.seek(place, 0)
            waits.note_change()
            assert (await consumer.getone(place)).value == b"v"
    finally:
        await consumer.stop()
        client.delete_topics(broker, [prefix])


def _through(waits: FetchWaits, send: Any) -> Any:
    async def sending(node: int, request: Any, **options: Any) -> Any:
        if type(request) is FetchRequest:
            return await waits.fetch(node, request)
        return await send(node, request, **options)

    return sending

"""What transactions need of aiokafka's producer beyond what it offers."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.client import CoordinationType
from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.structs import OffsetAndMetadata

from streams.kafka import coordinator
from streams.kafka.coordinator import CoordinatorLink


class Broker:
    """A producer's insides, at a broker that takes places into a transaction only now and then."""

    def __init__(self, *answers: bool) -> None:
        self._answers = iter(answers)
        self.client = SimpleNamespace(_conns={})
        self._sender = SimpleNamespace(
            _coordinators={CoordinationType.TRANSACTION: 1},
            _find_coordinator=None,
            _do_add_partitions_to_txn=self._add,
        )
        self._message_accumulator = None
        self._txn_manager = SimpleNamespace(fatal_error=None)

    async def _add(self, places: Any) -> bool:
        return next(self._answers)

    async def ask(self) -> None:
        await self._sender._do_add_partitions_to_txn({"commands"})


async def test_the_next_transaction_is_asked_for_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(coordinator.asyncio, "sleep", sleep)
    answers = [*[False] * 8, True, False, False]
    broker = Broker(*answers)
    CoordinatorLink(broker)  # type: ignore[arg-type]
    for _ in answers:
        await broker.ask()
    # aiokafka's own 20 ms are enough for the first time, also after one that was taken.
    assert pauses == [0.04, 0.08, 0.16, 0.32, 0.5, 0.5, 0.5, 0.04]


async def test_the_offset_of_a_topic_that_was_deleted_counts_as_committed_and_those_of_others_are() -> None:
    committed: list[Any] = []
    manager = SimpleNamespace(offset_committed=lambda place, offset, group: committed.append((place.topic, offset)))
    sender = SimpleNamespace(_txn_manager=manager, _retry_backoff=0.1)
    places = [TopicPartition(topic, 1) for topic in ("gone", "here")]
    handler = coordinator._OffsetCommit(sender, {place: OffsetAndMetadata(7, "") for place in places}, "g")
    unknown = UnknownTopicOrPartitionError.errno
    answer = SimpleNamespace(errors=[("gone", [(1, unknown)]), ("here", [(1, 0)])])
    assert handler.handle_response(answer) is None
    assert committed == [("gone", 7), ("here", 7)]

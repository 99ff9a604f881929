"""Transactions that a broker left unfinished: how the last one of an id was to end, and where its end is missing.

A broker that restarts has the ends written anew of transactions that it had decided on. Kafka 4.3.0 to 4.4.0
passes over a partition whose leader it does not know yet, as if its topic had been deleted (KAFKA-20734): what was
sent there stays open until something else of the same producer ends it, in whichever way.

aiokafka knows neither question, so they are written down here, as `identity` does.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Self, TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorError,
    NotLeaderForPartitionError,
    for_code,
)
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields
from tenacity import retry, retry_if_exception_type, wait_fixed

_UNKNOWN_ID = 105
_NOT_YET = (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorError,
    NotLeaderForPartitionError,
)
_PAUSE = 0.1  # seconds
_ABORTED = {"Ongoing", "PrepareAbort", "CompleteAbort", "PrepareEpochFence"}  # Ongoing: whoever fences aborts it
_Answer = TypeVar("_Answer")
_NAME, _NUMBERS, _TAGS = CompactString("utf-8"), CompactArray(Int32), ("tags", TaggedFields)


class _Question:
    """A question of which Kafka has one version, so that the connection has none to choose."""

    FLEXIBLE_VERSION = True
    API_KEY: int
    API_VERSION = 0

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Self:
        """Return the question as it goes to a broker with these versions; raises IncompatibleBrokerVersion."""
        low, high = versions.get(self.API_KEY, (1, 0))
        if not low <= self.API_VERSION <= high:
            raise IncompatibleBrokerVersion(f"the broker does not answer {type(self).__name__}")
        return self


class _States(Response):  # type: ignore[misc]
    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("states", CompactArray(
            ("error_code", Int16), ("transactional_id", _NAME), ("state", _NAME), ("timeout_ms", Int32),
            ("start_time_ms", Int64), ("producer_id", Int64), ("producer_epoch", Int16),
            ("topics", CompactArray(("topic", _NAME), ("partitions", _NUMBERS), _TAGS)), _TAGS,
        )),
        _TAGS,
    )  # fmt: skip


class _AskStates(_Question, RequestStruct):  # type: ignore[misc]
    API_KEY = _States.API_KEY
    RESPONSE_TYPE = _States
    SCHEMA = Schema(("ids", CompactArray(_NAME)), _TAGS)


class _Producers(Response):  # type: ignore[misc]
    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(
            ("topic", _NAME),
            ("partitions", CompactArray(
                ("partition", Int32), ("error_code", Int16), ("error_message", _NAME),
                ("producers", CompactArray(
                    ("producer_id", Int64), ("producer_epoch", Int32), ("last_sequence", Int32),
                    ("last_timestamp", Int64), ("coordinator_epoch", Int32), ("transaction_start", Int64), _TAGS,
                )), _TAGS,
            )), _TAGS,
        )),
        _TAGS,
    )  # fmt: skip


class _AskProducers(_Question, RequestStruct):  # type: ignore[misc]
    API_KEY = _Producers.API_KEY
    RESPONSE_TYPE = _Producers
    SCHEMA = Schema(("topics", CompactArray(("topic", _NAME), ("partitions", _NUMBERS), _TAGS)), _TAGS)


async def ask_end(client: AIOKafkaClient, transactional_id: str) -> bool | None:
    """Return whether the id's last transaction is committed; None if it has had none since it was last fenced.

    Waits until the broker can say so; raises KafkaError.
    """
    state = await _patiently(lambda: _ask_state(client, transactional_id))
    return None if state == "Empty" else state not in _ABORTED


async def _ask_state(client: AIOKafkaClient, transactional_id: str) -> str:
    coordinator = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
    (found,) = (await client.send(coordinator, _AskStates([transactional_id], {}))).to_object()["states"]
    if found["error_code"] == _UNKNOWN_ID:
        return "Empty"
    _check(found, f"no state of '{transactional_id}'")
    state: str = found["state"]
    return state


async def find_hanging(
    client: AIOKafkaClient, producer_id: int, topics: Mapping[str, int | None]
) -> list[TopicPartition]:
    """Return where a transaction of this producer is open, in one partition of each topic or, with None, in all.

    Waits until the broker can say so; raises KafkaError.
    """
    return await _patiently(lambda: _find_hanging(client, producer_id, topics))


async def _find_hanging(
    client: AIOKafkaClient, producer_id: int, topics: Mapping[str, int | None]
) -> list[TopicPartition]:
    open_ = []
    for leader, places in _by_leader(await client.fetch_all_metadata(), topics).items():
        question = _AskProducers([(topic, numbers, {}) for topic, numbers in places.items()], {})
        answer = (await client.send(leader, question)).to_object()
        for topic in answer["topics"]:
            for partition in topic["partitions"]:
                place = TopicPartition(topic["topic"], partition["partition"])
                _check(partition, f"no producers of {place}")
                if any(_is_open(producer, producer_id) for producer in partition["producers"]):
                    open_.append(place)
    return open_


def _by_leader(cluster: ClusterMetadata, topics: Mapping[str, int | None]) -> dict[int, dict[str, list[int]]]:
    found: defaultdict[int, dict[str, list[int]]] = defaultdict(dict)
    for topic, number in topics.items():
        numbers = cluster.partitions_for_topic(topic) or () if number is None else (number,)
        for place in (TopicPartition(topic, number) for number in numbers):
            leader = cluster.leader_for_partition(place)
            if leader is None or leader < 0:
                raise LeaderNotAvailableError(f"{place} has no leader")
            found[leader].setdefault(topic, []).append(place.partition)
    return found


def _is_open(producer: Mapping[str, Any], producer_id: int) -> bool:
    return bool(producer["producer_id"] == producer_id and producer["transaction_start"] >= 0)


def _check(answer: Mapping[str, Any], problem: str) -> None:
    if answer["error_code"]:
        raise for_code(answer["error_code"])(problem)


@retry(retry=retry_if_exception_type(_NOT_YET), wait=wait_fixed(_PAUSE))
async def _patiently(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    return await ask()

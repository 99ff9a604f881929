"""Transactions that a broker left unfinished: how the last one of an id was to end, and where its end is missing.

A broker that restarts has the ends written anew of transactions that it had decided on. Kafka 4.3.0 to 4.4.0
passes over a partition whose leader it does not know yet, as if its topic had been deleted (KAFKA-20734): what was
sent there stays open until something else of the same producer ends it, in whichever way.

aiokafka knows none of the questions: they are written down in requests.py.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    LeaderNotAvailableError,
    NodeNotReadyError,
    NotCoordinatorError,
    NotLeaderForPartitionError,
    for_code,
)
from tenacity import retry, retry_if_exception_type, wait_fixed

from streams.kafka.requests import DescribeProducersRequest, DescribeTransactionsRequest, ListTransactionsRequest

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
_COMPLETE = {"Empty", "CompleteCommit", "CompleteAbort"}
_Answer = TypeVar("_Answer")


class Open(NamedTuple):
    """A transaction that is open in a partition: whose it is, and the offset at which it began there."""

    place: TopicPartition
    producer_id: int
    start: int


async def ask_state(client: AIOKafkaClient, transactional_id: str) -> str | None:
    """Return the state of the id's last transaction; None if the broker does not know the id.

    Waits until the broker can say so; raises KafkaError.
    """
    return await _patiently(lambda: _ask_state(client, transactional_id))


async def ask_end(client: AIOKafkaClient, transactional_id: str) -> bool | None:
    """Return whether the id's last transaction is committed; None if it has had none since it was last fenced.

    As `ask_state`.
    """
    state = await ask_state(client, transactional_id)
    return None if state in (None, "Empty") else state not in _ABORTED


async def _ask_state(client: AIOKafkaClient, transactional_id: str) -> str | None:
    coordinator = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
    (found,) = (await client.send(coordinator, DescribeTransactionsRequest([transactional_id], {}))).to_object()[
        "states"
    ]
    if found["error_code"] == _UNKNOWN_ID:
        return None
    _check(found, f"no state of '{transactional_id}'")
    state: str = found["state"]
    return state


async def find_open(client: AIOKafkaClient, topics: Mapping[str, int | None]) -> list[Open]:
    """Return what is open, in one partition of each topic or, with None, in all.

    Waits until the broker can say so; raises KafkaError.
    """
    return await _patiently(lambda: _find_open(client, topics))


async def find_hanging(
    client: AIOKafkaClient, producer_id: int, topics: Mapping[str, int | None]
) -> list[TopicPartition]:
    """Return where a transaction of this producer is open; as `find_open`."""
    return [one.place for one in await find_open(client, topics) if one.producer_id == producer_id]


async def _find_open(client: AIOKafkaClient, topics: Mapping[str, int | None]) -> list[Open]:
    found = []
    for leader, places in _by_leader(await client.fetch_all_metadata(), topics).items():
        question = DescribeProducersRequest([(topic, numbers, {}) for topic, numbers in places.items()], {})
        answer = (await client.send(leader, question)).to_object()
        for topic in answer["topics"]:
            for partition in topic["partitions"]:
                place = TopicPartition(topic["topic"], partition["partition"])
                _check(partition, f"no producers of {place}")
                found += [
                    Open(place, producer["producer_id"], producer["transaction_start"])
                    for producer in partition["producers"]
                    if producer["transaction_start"] >= 0
                ]
    return found


class Owner(NamedTuple):
    """Whose a producer's number is: its transactional id, and the state of that one's last transaction."""

    id: str
    state: str

    @property
    def is_complete(self) -> bool:
        """Say whether, to the coordinator, the last transaction is over, and its end written everywhere."""
        return self.state in _COMPLETE


async def find_owners(client: AIOKafkaClient, producer_ids: Iterable[int]) -> dict[int, Owner]:
    """Return who these producers are, as far as a broker knows them and we may see them; raises KafkaError."""
    wanted = sorted(set(producer_ids))
    return await _patiently(lambda: _find_owners(client, wanted)) if wanted else {}


async def _find_owners(client: AIOKafkaClient, producer_ids: list[int]) -> dict[int, Owner]:
    found: dict[int, Owner] = {}
    for broker in (await client.fetch_all_metadata()).brokers():
        answer = (await client.send(broker.nodeId, ListTransactionsRequest([], producer_ids, {}))).to_object()
        _check(answer, "no list of transactions")
        found |= {
            one["producer_id"]: Owner(one["transactional_id"], one["state"]) for one in answer["transactions"]
        }
    return found


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


def _check(answer: Mapping[str, Any], problem: str) -> None:
    if answer["error_code"]:
        raise for_code(answer["error_code"])(problem)


@retry(retry=retry_if_exception_type(_NOT_YET), wait=wait_fixed(_PAUSE))
async def _patiently(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    return await ask()

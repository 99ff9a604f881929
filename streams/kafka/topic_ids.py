"""Which topic it is, and what we may do there: a name may be used again, and may be hidden from us.

Kafka gives every topic an id when it is created. aiokafka asks for metadata in a form without these ids, and
without our rights, so the newer form is written down here, in its own terms.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, NamedTuple
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    LeaderNotAvailableError,
    NoError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

_METADATA = 3
_ALL = -1  # operations, where the broker is too old to tell
_UNNAMED = UUID(int=0)


class _Id(AbstractType[UUID]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_NAME, _NUMBERS = CompactString("utf-8"), CompactArray(Int32)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = _METADATA
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), ("tags", TaggedFields),
        )),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("topic", _NAME), ("topic_id", _Id), ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                ("replicas", _NUMBERS), ("isr", _NUMBERS), ("offline", _NUMBERS), ("tags", TaggedFields),
            )),
            ("operations", Int32), ("tags", TaggedFields),
        )),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Question(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = 12
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Id), ("topic", _NAME), ("tags", TaggedFields))),
        ("may_create", Boolean),
        ("operations", Boolean),
        ("tags", TaggedFields),
    )


class _Metadata(Request[MetadataRequest_v5 | _Question]):  # type: ignore[misc]
    API_KEY = _METADATA

    def __init__(self, topics: Sequence[str], *, operations: bool = False) -> None:
        self._topics = list(topics)
        self._operations = operations

    def build(self, request_struct_class: type[MetadataRequest_v5 | _Question]) -> MetadataRequest_v5 | _Question:
        if request_struct_class is _Question:
            return _Question([(_UNNAMED, topic, {}) for topic in self._topics], False, self._operations, {})
        return MetadataRequest_v5(self._topics, False)


async def topic_id(client: AIOKafkaClient, topic: str) -> str:
    """Return what no other topic has; a broker before 3.1 tells only its cluster. Raises KafkaError."""
    answer = (await client.send(client.get_random_node(), _Metadata([topic]))).to_object()
    (found,) = answer["topics"]
    if found["error_code"]:
        raise for_code(found["error_code"])(f"no topic '{topic}'")
    return f"topic {found.get('topic_id', _UNNAMED)} of cluster {answer['cluster_id']}"


class Described(NamedTuple):
    """A topic as Kafka tells it to us: its partitions, none if it is missing, and which operations we may do."""

    partitions: int
    operations: int
    is_hidden: bool = False  # we may not even know whether it exists

    @property
    def is_missing(self) -> bool:
        """Say whether it is known that there is no such topic."""
        return not self.partitions and not self.is_hidden


async def describe_topics(client: AIOKafkaClient, topics: Sequence[str]) -> dict[str, Described]:
    """Return these topics as they are for us, by name; raises KafkaError.

    Asked for by name, a topic that we may not see is told from one that is missing.
    """
    answer = (await client.send(client.get_random_node(), _Metadata(topics, operations=True))).to_object()
    return {topic["topic"]: _describe(topic) for topic in answer["topics"]}


def _describe(topic: Mapping[str, Any]) -> Described:
    error = for_code(topic["error_code"])
    if error is TopicAuthorizationFailedError:
        return Described(0, 0, is_hidden=True)
    if error not in (NoError, UnknownTopicOrPartitionError, LeaderNotAvailableError):
        raise error(f"no topic '{topic['topic']}'")
    return Described(len(topic["partitions"]), topic.get("operations", _ALL))

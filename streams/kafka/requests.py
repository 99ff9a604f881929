"""Requests to the brokers that aiokafka lacks, or knows only in an older form."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Self, TypeVar

from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import RequestStruct, Response
from aiokafka.protocol.types import CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

_Value = TypeVar("_Value")

NAME, NUMBERS, TAGS = CompactString("utf-8"), CompactArray(Int32), ("tags", TaggedFields)


class OneVersion:
    """A request of which one version is written down, so that the connection has none to choose."""

    FLEXIBLE_VERSION = True
    API_KEY: int
    API_VERSION = 0

    def prepare(self, versions: Mapping[int, tuple[int, int]]) -> Self:
        """Return the request as it goes to a broker with these versions; raises IncompatibleBrokerVersion."""
        low, high = versions.get(self.API_KEY, (1, 0))
        if not low <= self.API_VERSION <= high:
            raise IncompatibleBrokerVersion(f"the broker does not answer {type(self).__name__}")
        return self


class TxnOffsetCommitResponse(Response):  # type: ignore[misc]
    """Which offsets were taken into the transaction: an error code a partition."""

    API_KEY = 28
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(
            ("topic", NAME),
            ("partitions", CompactArray(("partition", Int32), ("error_code", Int16), TAGS)),
            TAGS,
        )),
        TAGS,
    )  # fmt: skip


class TxnOffsetCommitRequest(OneVersion, RequestStruct):  # type: ignore[misc]
    """Offsets in a transaction, by a member of the group in its generation (KIP-447): any other is refused."""

    API_KEY = TxnOffsetCommitResponse.API_KEY
    API_VERSION = TxnOffsetCommitResponse.API_VERSION
    RESPONSE_TYPE = TxnOffsetCommitResponse
    SCHEMA = Schema(
        ("transactional_id", NAME), ("group_id", NAME), ("producer_id", Int64), ("producer_epoch", Int16),
        ("generation_id", Int32), ("member_id", NAME), ("group_instance_id", NAME),
        ("topics", CompactArray(
            ("topic", NAME),
            ("partitions", CompactArray(
                ("partition", Int32), ("offset", Int64), ("leader_epoch", Int32), ("metadata", NAME), TAGS,
            )),
            TAGS,
        )),
        TAGS,
    )  # fmt: skip


class ListTransactionsResponse(Response):  # type: ignore[misc]
    """The transactional ids that a broker coordinates, of the producers that were asked for."""

    API_KEY = 66
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16), ("unknown_states", CompactArray(NAME)),
        ("transactions", CompactArray(
            ("transactional_id", NAME), ("producer_id", Int64), ("state", NAME), TAGS,
        )),
        TAGS,
    )  # fmt: skip


class ListTransactionsRequest(OneVersion, RequestStruct):  # type: ignore[misc]
    """Which transactional ids have these producers (KIP-664)."""

    API_KEY = ListTransactionsResponse.API_KEY
    RESPONSE_TYPE = ListTransactionsResponse
    SCHEMA = Schema(("states", CompactArray(NAME)), ("producer_ids", CompactArray(Int64)), TAGS)


class LeaveGroupResponse(Response):  # type: ignore[misc]
    """Which members have left a group: an error code each."""

    API_KEY = 13
    API_VERSION = 4
    SCHEMA = Schema(
        ("throttle_time_ms", Int32), ("error_code", Int16),
        ("members", CompactArray(("member_id", NAME), ("group_instance_id", NAME), ("error_code", Int16), TAGS)),
        TAGS,
    )  # fmt: skip


class LeaveGroupRequest(OneVersion, RequestStruct):  # type: ignore[misc]
    """Members that leave a group, by id or, where they have one, by the name that they would come back with."""

    API_KEY = LeaveGroupResponse.API_KEY
    API_VERSION = LeaveGroupResponse.API_VERSION
    RESPONSE_TYPE = LeaveGroupResponse
    SCHEMA = Schema(
        ("group_id", NAME), ("members", CompactArray(("member_id", NAME), ("group_instance_id", NAME), TAGS)), TAGS
    )


class DescribeTransactionsResponse(Response):  # type: ignore[misc]
    """How the last transactions of ids stand."""

    API_KEY = 65
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("states", CompactArray(
            ("error_code", Int16), ("transactional_id", NAME), ("state", NAME), ("timeout_ms", Int32),
            ("start_time_ms", Int64), ("producer_id", Int64), ("producer_epoch", Int16),
            ("topics", CompactArray(("topic", NAME), ("partitions", NUMBERS), TAGS)), TAGS,
        )),
        TAGS,
    )  # fmt: skip


class DescribeTransactionsRequest(OneVersion, RequestStruct):  # type: ignore[misc]
    """How the last transactions of these ids stand (KIP-664)."""

    API_KEY = DescribeTransactionsResponse.API_KEY
    RESPONSE_TYPE = DescribeTransactionsResponse
    SCHEMA = Schema(("ids", CompactArray(NAME)), TAGS)


class DescribeProducersResponse(Response):  # type: ignore[misc]
    """Which producers have written to partitions, and where their open transactions begin."""

    API_KEY = 61
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("topics", CompactArray(
            ("topic", NAME),
            ("partitions", CompactArray(
                ("partition", Int32), ("error_code", Int16), ("error_message", NAME),
                ("producers", CompactArray(
                    ("producer_id", Int64), ("producer_epoch", Int32), ("last_sequence", Int32),
                    ("last_timestamp", Int64), ("coordinator_epoch", Int32), ("transaction_start", Int64), TAGS,
                )), TAGS,
            )), TAGS,
        )),
        TAGS,
    )  # fmt: skip


class DescribeProducersRequest(OneVersion, RequestStruct):  # type: ignore[misc]
    """Which producers have written to these partitions (KIP-664)."""

    API_KEY = DescribeProducersResponse.API_KEY
    RESPONSE_TYPE = DescribeProducersResponse
    SCHEMA = Schema(("topics", CompactArray(("topic", NAME), ("partitions", NUMBERS), TAGS)), TAGS)


def by_topic(pairs: Iterable[tuple[str, _Value]]) -> dict[str, list[_Value]]:
    """Return what is said of partitions as requests have it, topic by topic."""
    found: defaultdict[str, list[_Value]] = defaultdict(list)
    for topic, value in pairs:
        found[topic].append(value)
    return dict(found)

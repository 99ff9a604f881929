"""What Kafka lets us do with groups, and whether it keeps rights at all.

aiokafka takes the answer about a group's operations for an older one without them, and asks for ACLs in a form that
brokers don't read; so both are asked here, in its own terms.
"""

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError, SecurityDisabled, for_code
from aiokafka.protocol.admin import DescribeAclsRequest_v1, DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request

_CLUSTER, _LITERAL, _ANY = 4, 3, 1  # a kind of resource, a kind of pattern, any operation or permission
_ALL, _UNTOLD = -1, -(2**31)  # operations


class _GroupQuestion(DescribeGroupsRequest_v3):  # type: ignore[misc]
    RESPONSE_TYPE = DescribeGroupsResponse_v3


class _AskGroup(Request[_GroupQuestion]):  # type: ignore[misc]
    API_KEY = _GroupQuestion.API_KEY

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_GroupQuestion]) -> _GroupQuestion:
        return request_struct_class([self._group], True)


class _AskAcls(Request[DescribeAclsRequest_v1]):  # type: ignore[misc]
    API_KEY = DescribeAclsRequest_v1.API_KEY

    def build(self, request_struct_class: type[DescribeAclsRequest_v1]) -> DescribeAclsRequest_v1:
        return request_struct_class(_CLUSTER, "kafka-cluster", _LITERAL, None, None, _ANY, _ANY)


async def ask_group(client: AIOKafkaClient, group: str) -> int:
    """Return which operations we may do on a group, as bits; raises KafkaError."""
    try:
        coordinator = await client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await client.send(coordinator, _AskGroup(group))
        (described,) = answer.to_object()["groups"]
        if described["error_code"]:
            raise for_code(described["error_code"])(f"no group '{group}'")
    except GroupAuthorizationFailedError:
        return 0
    operations: int = described["authorized_operations"]
    return _ALL if operations == _UNTOLD else operations


async def has_authorizer(client: AIOKafkaClient) -> bool:
    """Say whether Kafka keeps rights; where it does not, it says so to whoever asks. Raises KafkaError."""
    answer = await client.send(client.get_random_node(), _AskAcls())
    return bool(answer.error_code != SecurityDisabled.errno)

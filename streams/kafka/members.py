"""The workers of a group, and which form each can read, as they introduce themselves to the group's leader (R66).

A member's metadata hold, as `user_data`, a JSON object of Faust's; the member adds its form there.
"""

from typing import Any

import msgspec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import KafkaError

from models.form import FORM
from streams.kafka.clients import Admin

_AGREEING = {"PreparingRebalance", "CompletingRebalance"}


class _AgreeingError(KafkaError):  # type: ignore[misc]
    """The group's members agree anew who has which partitions; to be asked again."""

    retriable = True


class Member(msgspec.Struct, frozen=True):
    """A worker: where it connects from, and the highest form that it reads."""

    host: str
    form: int


class _UserData(msgspec.Struct):
    form: int = 1


def add_form(user_data: bytes) -> bytes:
    """Return what a member tells the group, with the form that this Fairway reads."""
    plain: dict[str, Any] = msgspec.json.decode(user_data)
    return msgspec.json.encode(plain | {"form": FORM})


def read_form(user_data: bytes) -> int:
    """Return the form that a member told the group; who tells none is of the first, before there were others."""
    try:
        return msgspec.json.decode(user_data, type=_UserData).form
    except msgspec.MsgspecError:
        return 1


async def list_members(admin: Admin, group: str) -> list[Member]:
    """Return the workers of a group; none if there is no such group. Raises FairwayError.

    A group that is agreeing anew does not show what its members told: it is asked again.
    """

    async def describe(client: AIOKafkaAdminClient) -> Any:
        answers = await client.describe_consumer_groups([group])
        if any(described["state"] in _AGREEING for answer in answers for described in answer.to_object()["groups"]):
            raise _AgreeingError(f"the group '{group}' is agreeing anew")
        return answers

    answers = await admin.ask(describe)
    found = []
    for answer in answers:
        for described in answer.to_object()["groups"]:
            found += [_read_member(member) for member in described["members"]]
    return found


def _read_member(member: dict[str, Any]) -> Member:
    metadata = member["member_metadata"]
    told = ConsumerProtocolMemberMetadata.decode(metadata).user_data if metadata else b""
    return Member(member["client_host"].removeprefix("/"), read_form(told))

"""The workers of a group, as they introduce themselves to the group's leader: name, version, and form (R66).

A member's metadata hold, as `user_data`, a JSON object of Faust's; the member adds these there.
"""

from typing import Any

import msgspec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import CoordinationType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.errors import KafkaError, UnknownMemberIdError

from models.form import FORM
from streams.kafka.answers import check_codes
from streams.kafka.clients import Admin
from streams.kafka.requests import LeaveGroupRequest
from streams.kafka.topics import INBOX

_AGREEING = {"PreparingRebalance", "CompletingRebalance"}


class _AgreeingError(KafkaError):  # type: ignore[misc]
    """The group's members agree anew who has which partitions; to be asked again."""

    retriable = True


class Introduction(msgspec.Struct, frozen=True, rename="camel"):
    """What a worker says of itself: its name, its version, and the highest form that it reads; older ones less."""

    form: int = 1
    name: str = ""
    version: str = ""
    url: str = ""
    is_shared: bool = False
    """Whether the group's generation fences it, so that its partitions may share transactions."""
    fresh: frozenset[int] | None = None
    """The partitions of which it has a copy that has caught up; None of an earlier release that keeps none."""
    copying: frozenset[int] = frozenset()
    """The partitions of which it keeps a copy, caught up or not; without standbys also those on its disk."""
    opening: frozenset[int] = frozenset()
    """The partitions that it has, but does not work on yet."""
    generation: int = -1
    """The group's, in which it was given the partitions that it has."""
    disk: str = ""
    """What its disk is known by to all workers on it; empty if it has none."""


class Member(msgspec.Struct, frozen=True):
    """A worker: where it connects from, what it says of itself, and the partitions of the inbox that it has."""

    host: str
    form: int
    id: str = ""
    name: str = ""
    version: str = ""
    address: str = ""
    partitions: tuple[int, ...] = ()


def own_of_state(member: Member, partitions: int) -> Member:
    """Return a member with its partitions of the state, which has so many: with each go its further ones."""
    own = tuple(number for number in member.partitions if number < partitions)
    return msgspec.structs.replace(member, partitions=own)


def introduce(user_data: bytes, name: str, version: str, copies: dict[str, Any] | None = None) -> bytes:
    """Return what a member tells the group, with its name, version, the form that it reads, how it is fenced.

    `copies`: what it tells of the copies that it keeps, and of what lies on its disk.
    """
    plain: dict[str, Any] = msgspec.json.decode(user_data)
    told = {"form": FORM, "name": name, "version": version, "isShared": True}
    return msgspec.json.encode(plain | told | (copies or {}))


def read_introduction(user_data: bytes) -> Introduction:
    """Return what a member told the group; who tells no form is of the first, before there were others."""
    try:
        return msgspec.json.decode(user_data, type=Introduction)
    except msgspec.MsgspecError:
        return Introduction()


async def list_members(admin: Admin, group: str) -> list[Member]:
    """Return the workers of a group; none if there is no such group. Raises FairwayError.

    A group that is agreeing anew does not show what its members told: it is asked again.
    """

    async def describe(client: AIOKafkaAdminClient) -> list[Member]:
        members = await describe_members(client, group)
        if members is None:
            raise _AgreeingError(f"the group '{group}' is agreeing anew")
        return members

    return await admin.ask(describe)


async def list_ids(client: AIOKafkaAdminClient, group: str) -> frozenset[str]:
    """Return the ids of the members of a group, also while it is agreeing anew."""
    groups = await _describe(client, group)
    return frozenset(member["member_id"] for described in groups for member in described["members"])


async def remove_named(admin: Admin, group: str, name: str) -> bool:
    """Let a member leave the group by the name that it would come back with; say whether there was one.

    Raises FairwayError.
    """

    async def remove(client: AIOKafkaAdminClient) -> bool:
        coordinator = await client._client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await client._client.send(coordinator, LeaveGroupRequest(group, [("", name, {})], {}))
        codes = answer.error_code, *(code for _, _, code, _ in answer.members)
        if UnknownMemberIdError.errno in codes:
            return False
        check_codes(codes, f"no end of '{name}' in the group '{group}'")
        return True

    return await admin.ask(remove)


async def describe_members(client: AIOKafkaAdminClient, group: str) -> list[Member] | None:
    """Return the workers of a group; None while it is agreeing anew, for then it does not show what they told."""
    groups = await _describe(client, group)
    if any(described["state"] in _AGREEING for described in groups):
        return None
    return _tell_apart([_read_member(member) for described in groups for member in described["members"]])


async def _describe(client: AIOKafkaAdminClient, group: str) -> list[dict[str, Any]]:
    answers = await client.describe_consumer_groups([group])
    return [described for answer in answers for described in answer.to_object()["groups"]]


def _read_member(member: dict[str, Any]) -> Member:
    metadata, assignment = member["member_metadata"], member["member_assignment"]
    told = ConsumerProtocolMemberMetadata.decode(metadata).user_data if metadata else b""
    said, partitions = read_introduction(told), set[int]()
    if assignment:
        decoded = ConsumerProtocolMemberAssignment.decode(assignment)
        partitions = {place.partition for place in decoded.partitions() if place.topic == INBOX}
    name = said.name or said.url.partition("://")[2] or member["member_id"]
    host = member["client_host"].removeprefix("/")
    return Member(host, said.form, member["member_id"], name, said.version, said.url, tuple(sorted(partitions)))


def _tell_apart(members: list[Member]) -> list[Member]:
    """Give members of one name, as of machines of one name, what tells them apart."""
    names = [member.name for member in members]
    return [
        member if names.count(member.name) == 1 else msgspec.structs.replace(member, name=_lengthen(member))
        for member in members
    ]


def _lengthen(member: Member) -> str:
    return f"{member.name} ({member.id[-6:]})"

"""Compare topics.yaml with the broker; create, alter and grow, never delete or shrink, nor grow the state."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidPartitionsError,
    NoError,
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_delay, wait_fixed

from streams.errors import FairwayError
from streams.kafka import clients
from streams.kafka.clients import Admin
from streams.kafka.topics import DEFINITIONS, Topic, Topics
from streams.settings import Settings

_DONE = (NoError.errno, TopicAlreadyExistsError.errno)  # what an attempt before this one created is there
_GONE = UnknownTopicOrPartitionError.errno  # deleted since it was listed: `apply` looks again, and creates it
_WHY_FIXED = {DEFINITIONS: "the order of definitions would be lost"}
_WHY_STATE_IS_FIXED = (
    "customers would move to partitions that do not hold their state: 'fairway state move' changes the number"
)
_SET_ON_TOPIC = 1  # the "source" of a config that is neither the broker's nor Kafka's default


class Found(msgspec.Struct, frozen=True):
    """A topic as it is on the broker; `own` are the configs set on the topic itself."""

    partitions: int
    replication: int
    configs: Mapping[str, str] = {}
    own: Mapping[str, str] = {}


class Difference(msgspec.Struct, frozen=True):
    """What to do to one topic; what is refused, a person has to settle."""

    topic: str
    action: Literal["create", "alter", "grow", "refuse"]
    text: str


def compare(wanted: Topics, found: Mapping[str, Found]) -> tuple[Difference, ...]:
    """Return what separates the broker from the file, in the file's order."""
    return tuple(one for topic in wanted.all for one in _compare_topic(wanted, topic, found.get(topic.name)))


def _compare_topic(wanted: Topics, topic: Topic, found: Found | None) -> list[Difference]:
    if found is None:
        return [Difference(topic.name, "create", f"{topic.partitions} partitions, replication {topic.replication}")]
    differences = []
    if refusal := refuse_count(wanted, topic, found.partitions):
        differences.append(Difference(topic.name, "refuse", refusal))
    elif topic.partitions > found.partitions:
        text = f"{found.partitions} -> {topic.partitions} partitions"
        differences.append(Difference(topic.name, "grow", text))
    if topic.replication not in (-1, found.replication):
        text = (
            f"has replication {found.replication}, the file says {topic.replication}; "
            "change it with kafka-reassign-partitions.sh, or the file"
        )
        differences.append(Difference(topic.name, "refuse", text))
    for key, value in topic.configs.items():
        if found.configs.get(key) != value:
            differences.append(Difference(topic.name, "alter", f"{key}: {found.configs.get(key)} -> {value}"))
    return differences


def refuse_count(wanted: Topics, topic: Topic, partitions: int) -> str:
    """Return why a topic can't be used that has so many partitions; empty if it can, or may be given more."""
    if partitions == topic.partitions or topic.name not in _WHY_FIXED | {wanted.changelog: ""}:
        return ""
    why = _WHY_FIXED.get(topic.name, _WHY_STATE_IS_FIXED)
    return f"has {partitions} partitions, the file says {topic.partitions}; {why}"


async def plan(settings: Settings, wanted: Topics) -> tuple[Difference, ...]:
    """Return what separates the broker from the file; raises FairwayError if no broker answers."""
    async with clients.admin(settings) as admin:
        return compare(wanted, await describe(admin, wanted))


async def apply(settings: Settings, wanted: Topics) -> tuple[Difference, ...]:
    """Create, alter and grow topics as the file says; return all differences, those refused still stand."""
    async with clients.admin(settings) as admin:
        differences = await _change(admin, wanted)
        await _settle(admin, wanted)
        return differences


async def _change(admin: Admin, wanted: Topics) -> tuple[Difference, ...]:
    found = await describe(admin, wanted)
    differences = compare(wanted, found)
    await _create(admin, [topic for topic in wanted.all if topic.name not in found])
    altered = {difference.topic for difference in differences if difference.action == "alter"}
    for topic in wanted.all:
        if topic.name in altered:
            await _alter(admin, topic, found[topic.name])
    grown = {difference.topic for difference in differences if difference.action == "grow"}
    await grow(admin, {topic.name: topic.partitions for topic in wanted.all if topic.name in grown})
    return differences


async def grow(admin: Admin, counts: Mapping[str, int]) -> None:
    """Give topics more partitions, up to these numbers; raises FairwayError."""
    if counts:
        more = {name: NewPartitions(count) for name, count in counts.items()}

        async def ask(client: AIOKafkaAdminClient) -> None:
            # An attempt before succeeded, or the topic was deleted a moment ago: `apply` sees which.
            with suppress(InvalidPartitionsError, UnknownTopicOrPartitionError):
                await client.create_partitions(more)

        await admin.ask(ask)


async def _settle(admin: Admin, wanted: Topics) -> None:
    """Return when the broker shows what its controller has accepted, which takes it a moment.

    What it shows may have been deleted a moment before, so what is missing by then is created again.
    """

    async def is_behind() -> bool:
        return any(difference.action != "refuse" for difference in await _change(admin, wanted))

    def give_up(_: RetryCallState) -> None:
        raise FairwayError("The broker accepted all changes, but does not show them after 30 seconds.")

    attempts = AsyncRetrying(
        stop=stop_after_delay(30), wait=wait_fixed(0.05), retry=retry_if_result(bool), retry_error_callback=give_up
    )
    await attempts(is_behind)


async def _list(admin: Admin) -> dict[str, list[Any]]:
    """Return the partitions of all topics."""
    return {
        topic["topic"]: topic["partitions"] for topic in await admin.ask(lambda client: client.describe_topics())
    }


async def describe(admin: Admin, wanted: Topics) -> dict[str, Found]:
    """Return those of the topics that the broker shows; raises FairwayError."""
    names = {topic.name for topic in wanted.all}
    topics = await _list(admin)
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names if name in topics]
    entries = await _read_configs(admin, resources) if resources else {}
    return {
        name: Found(
            partitions=len(topics[name]),
            replication=len(topics[name][0]["replicas"]),
            configs={entry[0]: entry[1] for entry in configs},
            own={entry[0]: entry[1] for entry in configs if entry[3] == _SET_ON_TOPIC},
        )
        for name, configs in entries.items()
    }


async def _read_configs(admin: Admin, resources: list[ConfigResource]) -> dict[str, Any]:
    """Return the configs of those topics that are there: one that was deleted is listed for a moment longer."""

    async def ask(client: AIOKafkaAdminClient) -> dict[str, Any]:
        responses = await client.describe_configs(resources)
        found = [resource for response in responses for resource in response.resources if resource[0] != _GONE]
        for code, text, *_ in found:
            if code:
                raise for_code(code)(text)
        return {resource[3]: resource[4] for resource in found}

    return await admin.ask(ask)


async def _create(admin: Admin, topics: list[Topic]) -> None:
    if not topics:
        return
    new = [NewTopic(t.name, t.partitions, t.replication, topic_configs=t.configs) for t in topics]
    response = await admin.ask(lambda client: client.create_topics(new))
    problems = [
        (name, text or for_code(code).__name__) for name, code, text in response.topic_errors if code not in _DONE
    ]
    _raise_first(problems)


async def _alter(admin: Admin, topic: Topic, found: Found) -> None:
    # Kafka replaces all configs of the topic by those given: what others set must be said again.
    configs = {**found.own, **topic.configs}
    resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs)
    responses = await admin.ask(lambda client: client.alter_configs([resource]))
    _raise_first([(r[3], r[1]) for response in responses for r in response.resources if r[0] not in (0, _GONE)])


def _raise_first(problems: list[tuple[str, str]]) -> None:
    for name, text in problems:
        raise FairwayError(f"The broker refused topic '{name}': {text}")

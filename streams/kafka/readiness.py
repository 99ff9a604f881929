"""Whether Kafka is as a worker needs it, before it begins: its topics there, and all its rights."""

from collections.abc import Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import GroupAuthorizationFailedError, TransactionalIdAuthorizationFailed

from streams.errors import FairwayError
from streams.kafka.clients import admin, missing_topic
from streams.kafka.hanging import ask_end
from streams.kafka.rights import Right, find_missing, list_rights
from streams.kafka.roles import Role
from streams.kafka.topic_ids import Described, describe_topics
from streams.kafka.topics import Topics
from streams.settings import Settings


async def check_topics(settings: Settings, wanted: Topics) -> int:
    """Return the number of partitions that all topics share; raises FairwayError with what a worker lacks."""
    names = [topic.name for topic in wanted.all]

    async def look(client: AIOKafkaAdminClient) -> dict[str, Described]:
        return await describe_topics(client._client, names)

    async def find_denied(client: AIOKafkaAdminClient) -> set[str]:
        return await _find_denied(client._client, settings.app_id)

    async with admin(settings) as asking:
        found = await asking.ask(look)
        _refuse_missing(settings, [name for name in names if found[name].is_missing])
        rights = list_rights(Role.WORKER, wanted, settings.app_id, "")
        lacking = find_missing(rights, {name: one.operations for name, one in found.items()})
        denied = await asking.ask(find_denied)
        lacking += [right for right in rights if right.kind in denied]
    if lacking:
        raise describe_lacking(lacking)
    for topic in wanted.all:
        if found[topic.name].partitions != topic.partitions:
            raise FairwayError(
                f"Topic '{topic.name}' has {found[topic.name].partitions} partitions, but must have "
                f"{topic.partitions} as topics.yaml says: run 'fairway topics plan'."
            )
    return wanted.partitions


def _refuse_missing(settings: Settings, missing: Sequence[str]) -> None:
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        raise FairwayError(f"Topics are missing on {settings.brokers}: {names}. Run 'fairway topics apply'.")


def describe_lacking(rights: Sequence[Right]) -> FairwayError:
    """Return a sentence that names each of these rights, and says how to give them."""
    return FairwayError(
        f"This user of Kafka lacks rights: {'; '.join(map(str, rights))}. "
        "'fairway topics export --format acl' prints all that are needed."
    )


async def _find_denied(client: AIOKafkaClient, app_id: str) -> set[str]:
    """Return of which kind the resources are, apart from topics, that we may not even look at."""
    denied = set()
    try:
        await client.coordinator_lookup(CoordinationType.GROUP, app_id)
    except GroupAuthorizationFailedError:
        denied.add("group")
    try:
        await ask_end(client, f"{app_id}-0")
    except TransactionalIdAuthorizationFailed:
        denied.add("transactional-id")
    return denied


async def check_writable(producer: AIOKafkaProducer, topic: str) -> None:
    """Raise FairwayError unless the topic is there, and may be written by us."""
    _check(topic, (await describe_topics(producer.client, [topic]))[topic], "Write")


async def find_partitions(settings: Settings, topic: str) -> list[TopicPartition]:
    """Return a topic's partitions; raises FairwayError unless it is there, and may be read by us."""
    async with admin(settings) as asking:
        found = (await asking.ask(lambda client: describe_topics(client._client, [topic])))[topic]
    _check(topic, found, "Read")
    return [TopicPartition(topic, number) for number in range(found.partitions)]


def _check(topic: str, found: Described, operation: str) -> None:
    if found.is_missing:
        raise missing_topic(topic)
    if lacking := find_missing([Right("topic", topic, (operation,))], {topic: found.operations}):
        raise describe_lacking(lacking)

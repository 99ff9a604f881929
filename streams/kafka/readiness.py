"""Whether Kafka is as a worker needs it, before it begins: its topics there, and all its rights."""

from collections.abc import Mapping, Sequence
from functools import partial

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import TransactionalIdAuthorizationFailed

from streams.errors import FairwayError
from streams.kafka.clients import Admin, admin, missing_topic, patiently
from streams.kafka.granted import ask_group, has_authorizer
from streams.kafka.hanging import ask_end
from streams.kafka.provision import refuse_count
from streams.kafka.rights import Right, find_missing, list_rights
from streams.kafka.roles import Role
from streams.kafka.topic_ids import Described, describe_topics
from streams.kafka.topics import Topics
from streams.settings import Settings


async def check_topics(settings: Settings, wanted: Topics) -> int:
    """Return the number of partitions of the state; raises FairwayError with what a worker lacks."""
    names = [topic.name for topic in wanted.all]

    async with admin(settings) as asking:
        found = await look_at_topics(asking, names)
        _refuse_missing(settings, [name for name in names if found[name].is_missing])
        rights = list_rights(Role.WORKER, wanted, settings.app_id, "")
        lacking = await find_lacking(asking, rights, found)
    if lacking:
        raise describe_lacking(lacking)
    for topic in wanted.all:
        if refusal := refuse_count(wanted, topic, found[topic.name].partitions):
            raise FairwayError(f"Topic '{topic.name}' {refusal}.")
        if topic in wanted.written and found[topic.name].partitions < wanted.partitions:
            raise FairwayError(
                f"Topic '{topic.name}' has {found[topic.name].partitions} partitions, but the state has "
                f"{wanted.partitions}: run 'fairway topics apply'."
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


async def look_at_topics(asking: Admin, names: Sequence[str]) -> dict[str, Described]:
    """Return these topics as they are for us, by name; raises FairwayError."""
    return await asking.ask(lambda client: describe_topics(client._client, names))


async def find_lacking(asking: Admin, rights: Sequence[Right], found: Mapping[str, Described]) -> list[Right]:
    """Return those of the rights that we lack, of topics that are there only; raises FairwayError.

    Kafka does not tell what we may do with a transactional id: one that we may look at counts as ours.
    """
    granted = {name: one.operations for name, one in found.items() if not one.is_missing}
    lacking = find_missing([right for right in rights if right.kind == "topic"], granted)
    for right in rights:
        if right.kind == "group":
            lacking += find_missing([right], {right.name: await asking.ask(partial(_ask_group, right.name))})
        elif right.kind == "transactional-id" and not await asking.ask(partial(_may_see_end, right.name)):
            lacking.append(right)
    return lacking


async def keeps_rights(asking: Admin) -> bool:
    """Say whether Kafka keeps rights at all; raises FairwayError."""
    return await asking.ask(lambda client: has_authorizer(client._client))


async def _ask_group(group: str, client: AIOKafkaAdminClient) -> int:
    return await ask_group(client._client, group)


async def _may_see_end(prefix: str, client: AIOKafkaAdminClient) -> bool:
    try:
        await ask_end(client._client, f"{prefix}0")
    except TransactionalIdAuthorizationFailed:
        return False
    return True


async def check_writable(producer: AIOKafkaProducer, topic: str) -> None:
    """Raise FairwayError unless the topic is there, and may be written by us; KafkaError if no broker says so.

    A broker is asked by chance, also one that is down.
    """
    found = await patiently(lambda: describe_topics(producer.client, [topic]))
    _check(topic, found[topic], "Write")


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

"""Checks of Kafka: reached, new enough, and its topics as topics.yaml says."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from streams.doctor.finding import Findings, name_some
from streams.doctor.limits import check_limits
from streams.doctor.rights import check_rights
from streams.errors import FairwayError
from streams.health.wording import count_of
from streams.kafka import clients, provision
from streams.kafka.clients import Admin
from streams.kafka.provision import Difference
from streams.kafka.roles import Role
from streams.kafka.topics import Topics
from streams.settings import Settings

# What a broker offers tells which Kafka it is at least: the request's number, and the first release that has it.
_FIRST_WITH = {60: "2.8", 65: "3.0", 69: "3.7", 75: "3.8", 80: "3.9"}
_FETCH, _OLDEST_FETCH_OF_4 = 1, 4
_LIST_TRANSACTIONS = 66  # Fairway asks for unfinished transactions when it takes a partition over

Offered = Mapping[int, tuple[int, int]]
"""The lowest and highest version of each request that a broker takes."""


async def check_kafka(findings: Findings, settings: Settings, topics: Topics | None, role: Role) -> bool:
    """Say whether the topics are such that workers can be looked at; what is wrong with Kafka or them is noted.

    `role` is whose rights are looked for.
    """
    try:
        async with clients.admin(settings) as admin:
            cluster, offered = await admin.ask(_describe)
            _check_brokers(findings, settings, cluster, offered)
            if topics is None:
                return False
            with findings.checking("rights", FairwayError):
                await check_rights(findings, settings, admin, topics, role)
            return await _check_topics(findings, admin, topics, len(cluster["brokers"]))
    except FairwayError as error:
        findings.fail("kafka", str(error), "Start it, or correct FAIRWAY_BROKERS and the settings FAIRWAY_KAFKA_….")
        return False


async def _describe(client: AIOKafkaAdminClient) -> tuple[dict[str, Any], Offered]:
    return await client.describe_cluster(), await clients.ask_offer(client)


def name_version(offered: Offered) -> str:
    """Return the oldest release of Kafka that offers as much."""
    if offered.get(_FETCH, (0, 0))[0] >= _OLDEST_FETCH_OF_4:
        return "4.0"
    return max((release for key, release in _FIRST_WITH.items() if key in offered), default="2.7", key=_as_numbers)


def _as_numbers(release: str) -> tuple[int, ...]:
    return tuple(map(int, release.split(".")))


def _check_brokers(findings: Findings, settings: Settings, cluster: dict[str, Any], offered: Offered) -> None:
    brokers = count_of(len(cluster["brokers"]), "broker")
    text = f"Kafka {name_version(offered)} or later answers at '{settings.brokers}': {brokers}."
    if _LIST_TRANSACTIONS not in offered:
        findings.fail("kafka", f"{text} Fairway needs 3.1.", "Upgrade the brokers.")
    else:
        findings.ok("kafka", text)


async def _check_topics(findings: Findings, admin: Admin, topics: Topics, brokers: int) -> bool:
    found = await provision.describe(admin, topics)
    differences = [
        one
        for one in provision.compare(topics, found)
        if one.action != "alter" or found[one.topic].configs  # those of others are hidden from us
    ]
    compare_topics(findings, topics, differences)
    check_limits(findings, topics, found)
    single = [topic.name for topic in topics.all if topic.replication == 1]
    if brokers > 1 and single:
        text = f"{count_of(len(single), 'topic')} with one copy on {brokers} brokers: one that is down stops them."
        todo = "Give topics 'replication: 3' and 'min.insync.replicas: 2' before they hold data."
        findings.warn("replication", text, todo)
    return not any(one.action in ("create", "refuse") for one in differences)


def compare_topics(findings: Findings, topics: Topics, differences: Sequence[Difference]) -> None:
    """Note what separates the broker's topics from the file's."""
    by_action = {
        action: list(dict.fromkeys(one.topic for one in differences if one.action == action))
        for action in ("create", "refuse", "alter", "grow")
    }
    if missing := by_action["create"]:
        text = f"{count_of(len(missing), 'topic')} missing, or not to be seen: {name_some(missing)}."
        findings.fail("topics", text, "Run 'fairway topics apply', or have the rights to see them given.")
    if refused := by_action["refuse"]:
        text = f"{count_of(len(refused), 'topic')} other than topics.yaml says, for good: {name_some(refused)}."
        findings.fail("topics", text, "'fairway topics plan' says how; correct the file, or make them anew.")
    if altered := by_action["alter"]:
        text = f"{count_of(len(altered), 'topic')} with other settings than topics.yaml says: {name_some(altered)}."
        findings.warn("topics", text, "'fairway topics plan' says which, 'fairway topics apply' sets them.")
    if grown := by_action["grow"]:
        text = f"{count_of(len(grown), 'topic')} with fewer partitions than topics.yaml says: {name_some(grown)}."
        findings.warn("topics", text, "'fairway topics apply' adds them, while workers run.")
    if not differences:
        findings.ok("topics", f"All {len(topics.all)} topics are as topics.yaml says.")

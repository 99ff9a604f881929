"""topics.yaml against a real broker."""

from pathlib import Path

import pytest

from streams.errors import FairwayError
from streams.kafka import provision
from streams.kafka.readiness import check_topics
from streams.kafka.topics import Topics, read_topics
from streams.settings import Settings
from tests import client

pytestmark = pytest.mark.broker


@pytest.fixture
def settings(broker: str) -> Settings:
    """Settings that say where the broker is, without topics on it."""
    return Settings(brokers=broker)


@pytest.fixture
def wanted(topics_file: Path, prefix: str) -> Topics:
    """Few topics, with names of their own, so that the test meets no other's."""
    full = read_topics(topics_file, prefix)
    few = [topic for topic in full.all if topic.name in ("fairway.inbox", "fairway.definitions", full.changelog)]
    renamed = tuple(topic.model_copy(update={"name": f"{prefix}.{topic.name}"}) for topic in few)
    return full.model_copy(update={"all": renamed, "changelog": f"{prefix}.{full.changelog}"})


async def test_what_was_applied_leaves_nothing_to_plan(settings: Settings, wanted: Topics) -> None:
    assert {difference.action for difference in await provision.apply(settings, wanted)} == {"create"}
    assert await provision.plan(settings, wanted) == ()


async def test_configs_are_altered_and_those_that_others_set_stay(settings: Settings, wanted: Topics) -> None:
    await provision.apply(settings, wanted)
    inbox = wanted.all[0]
    others = inbox.model_copy(update={"configs": {**inbox.configs, "segment.bytes": "2097152"}})
    await provision.apply(settings, Topics(all=(others,), changelog=""))
    changed = inbox.model_copy(update={"configs": {"retention.ms": "86400000"}})
    [difference] = await provision.apply(settings, Topics(all=(changed,), changelog=""))
    assert difference == provision.Difference(inbox.name, "alter", "retention.ms: 604800000 -> 86400000")
    after = others.model_copy(update={"configs": {**others.configs, "retention.ms": "86400000"}})
    assert await provision.plan(settings, Topics(all=(after,), changelog="")) == ()


async def test_the_state_s_partitions_are_neither_added_nor_removed(settings: Settings, wanted: Topics) -> None:
    await provision.apply(settings, wanted)
    for count in (3, 5):
        other = wanted.all[-1].model_copy(update={"partitions": count})
        [difference] = await provision.apply(settings, Topics(all=(other,), changelog=other.name))
        assert difference.action == "refuse"
        assert difference.text == (
            f"has 4 partitions, the file says {count}; customers would move to partitions that do not hold their "
            "state: 'fairway state move' changes the number"
        )


async def test_other_topics_are_given_more_partitions_and_none_is_taken_away(
    settings: Settings, wanted: Topics
) -> None:
    await provision.apply(settings, wanted)
    inbox = wanted.all[0]
    for count, differences in (
        (6, (provision.Difference(inbox.name, "grow", "4 -> 6 partitions"),)),
        (6, ()),
        (3, ()),
    ):
        other = Topics(all=(inbox.model_copy(update={"partitions": count}),), changelog="")
        assert await provision.apply(settings, other) == differences
        assert await provision.plan(settings, other) == ()


async def test_topics_that_go_while_they_are_looked_at_are_no_fault(settings: Settings, wanted: Topics) -> None:
    grown = wanted.model_copy(
        update={"all": tuple(topic.model_copy(update={"partitions": 5}) for topic in wanted.all)}
    )
    for topics in (wanted, grown) * 5:
        await provision.apply(settings, topics)
        client.delete_topics(settings.brokers, [topic.name for topic in topics.all], until_unseen=False)


async def test_a_start_is_refused_while_a_topic_is_missing(settings: Settings, wanted: Topics) -> None:
    client.create_topics(settings.brokers, {topic.name: topic.partitions for topic in wanted.all[1:]})
    with pytest.raises(FairwayError) as refused:
        await check_topics(settings, wanted)
    assert str(refused.value) == (
        f"Topics are missing on {settings.brokers}: '{wanted.all[0].name}'. Run 'fairway topics apply'."
    )


async def test_a_start_is_refused_with_another_number_of_partitions_of_the_state(
    settings: Settings, wanted: Topics
) -> None:
    counts = {topic.name: topic.partitions for topic in wanted.all} | {wanted.changelog: 2}
    client.create_topics(settings.brokers, counts)
    with pytest.raises(FairwayError) as refused:
        await check_topics(settings, wanted)
    assert str(refused.value) == (
        f"Topic '{wanted.changelog}' has 2 partitions, the file says 4; customers would move to partitions that do "
        "not hold their state: 'fairway state move' changes the number."
    )


async def test_a_start_is_allowed_on_topics_as_the_file_says(settings: Settings, wanted: Topics) -> None:
    await provision.apply(settings, wanted)
    assert await check_topics(settings, wanted) == 4


async def test_without_a_broker_the_sentence_says_how_to_get_one(wanted: Topics) -> None:
    with pytest.raises(FairwayError) as refused:
        await provision.plan(Settings(brokers="127.0.0.1:1"), wanted)
    assert str(refused.value) == (
        "No Kafka broker answers at '127.0.0.1:1': start one with 'fairway dev up', or set FAIRWAY_BROKERS."
    )


def test_the_tests_own_reader_sees_what_was_produced(broker: str, prefix: str) -> None:
    client.create_topics(broker, {prefix: 2})
    sent = [client.Record(prefix, b"k%d" % i, b"v%d" % i, (("h", b"1"),)) for i in range(10)]
    client.produce(broker, sent, **{"compression.type": "zstd"})
    found = client.read_committed(broker, prefix)
    assert sorted(record[:4] for record in found) == sorted(record[:4] for record in sent)

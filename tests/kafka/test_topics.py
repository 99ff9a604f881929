"""topics.yaml is the only list of topics; what is wrong with it is told in one sentence."""

from pathlib import Path

import pytest

from streams.errors import FairwayError
from streams.kafka.provision import Difference, Found, compare
from streams.kafka.topics import Topics, read_topics

EVENTS = ("scl.member.created", "teetime.booked", "teetime.completed", "payment.failed", "engagement.dropped")


def read(tmp_path: Path, old: str = "", new: str = "") -> Topics:
    text = Path("topics.yaml").read_text()
    assert old in text
    file = tmp_path / "topics.yaml"
    file.write_text(text.replace(old, new, 1) if old else text)
    return read_topics(file, "golf")


def refusal(tmp_path: Path, old: str, new: str) -> str:
    with pytest.raises(FairwayError) as refused:
        read(tmp_path, old, new)
    return str(refused.value).replace(str(tmp_path / "topics.yaml"), "topics.yaml")


def test_the_project_s_file_holds_all_triggers_and_the_changelog_of_the_app(tmp_path: Path) -> None:
    topics = read(tmp_path)
    assert set(EVENTS) < set(topics.events)
    assert topics.changelog == "golf-customers-changelog"
    configs = {topic.name: topic.configs for topic in topics.all}
    assert configs["golf-customers-changelog"]["cleanup.policy"] == "compact"
    assert configs["golf-customers-changelog"]["max.message.bytes"] == str(8 * 2**20)
    assert configs["fairway.definitions"]["cleanup.policy"] == "compact"


def test_an_event_type_is_added_by_a_topic_with_the_role_events(tmp_path: Path) -> None:
    topics = read(tmp_path, "topics:\n", "topics:\n  lesson.booked: {role: events}\n")
    assert "lesson.booked" in topics.events


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("topics:\n", "topics: []\nrest:\n", "'topics.yaml' must hold 'topics: {name: {role: events}}'."),
        ("  fairway.inbox:", "  fairway.in:", "'topics.yaml' lacks 'fairway.inbox', which Fairway needs."),
        (
            "partitions: 1\n",
            "partitions: 2\n",
            "'topics.yaml': 'fairway.definitions' must have 1 partition, but has 2.",
        ),
        (
            "role: events, description: A member joined",
            "role: event, description: A member joined",
            "'topics.yaml', topic 'scl.member.created', 'role': "
            "Input should be 'events', 'internal', 'compacted' or 'outbound'.",
        ),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert refusal(tmp_path, old, new) == sentence


@pytest.mark.parametrize("count", [3, 12])
def test_a_topic_of_events_may_have_any_number_of_partitions(tmp_path: Path, count: int) -> None:
    topics = read(tmp_path, "teetime.booked: {role", f"teetime.booked: {{partitions: {count}, role")
    assert topics.partitions == 8


@pytest.mark.parametrize("name", ["fairway.inbox", "fairway.commands", "fairway.activity", "fairway.dead-letters"])
def test_a_topic_that_each_partition_of_the_state_writes_needs_as_many(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"  {name}:\n", f"  {name}:\n    partitions: 9\n").partitions == 8
    assert refusal(tmp_path, f"  {name}:\n", f"  {name}:\n    partitions: 7\n") == (
        f"'topics.yaml': '{name}' has 7 partitions, but needs as many as 'golf-customers-changelog', which are 8; "
        "more do no harm."
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FairwayError, match=r"^There is no '.*none.yaml': 'fairway init' writes one"):
        read_topics(tmp_path / "none.yaml", "golf")


def test_a_difference_in_copies_is_for_a_person_and_minus_one_is_none(tmp_path: Path) -> None:
    booked = next(topic for topic in read(tmp_path).all if topic.name == "teetime.booked")
    found = {booked.name: Found(booked.partitions, 3, booked.configs)}
    text = "has replication 3, the file says 1; change it with kafka-reassign-partitions.sh, or the file"
    assert compare(Topics(all=(booked,), changelog=""), found) == (Difference(booked.name, "refuse", text),)
    any_number = booked.model_copy(update={"replication": -1})
    assert compare(Topics(all=(any_number,), changelog=""), found) == ()


def test_a_profile_changes_the_defaults_and_what_a_topic_says_for_itself_stays() -> None:
    plain = read_topics(Path("topics.yaml"), "golf")
    for before, topic in zip(plain.all, read_topics(Path("topics.yaml"), "golf", "production").all, strict=True):
        assert (before.replication, topic.replication) == (1, 3)
        assert topic.configs == before.configs | {"min.insync.replicas": "2"}


def test_a_profile_that_the_file_lacks_is_told_with_those_that_it_has() -> None:
    with pytest.raises(FairwayError) as refused:
        read_topics(Path("topics.yaml"), "golf", "prod")
    assert str(refused.value) == (
        "'topics.yaml' has no profile 'prod' (FAIRWAY_TOPICS_PROFILE); it has: 'production'."
    )

"""Strimzi's resources: a name that Kubernetes takes, and the topic as topics.yaml has it."""

import re
from pathlib import Path

from streams.kafka.export.strimzi import strimzi_resources
from streams.kafka.topics import read_topics

TOPICS = read_topics(Path("topics.yaml"), "Fairway_2")
RESOURCES = strimzi_resources(TOPICS, "club")


def test_every_topic_is_a_resource_of_the_cluster() -> None:
    assert [one["spec"]["topicName"] for one in RESOURCES] == [topic.name for topic in TOPICS.all]
    assert {one["metadata"]["labels"]["strimzi.io/cluster"] for one in RESOURCES} == {"club"}
    assert {(one["apiVersion"], one["kind"]) for one in RESOURCES} == {("kafka.strimzi.io/v1", "KafkaTopic")}


def test_names_are_such_as_kubernetes_takes() -> None:
    names = [one["metadata"]["name"] for one in RESOURCES]
    assert "fairway-2-customers-changelog" in names
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name) for name in names)


def test_partitions_copies_and_configs_are_the_file_s() -> None:
    (commands,) = (one for one in RESOURCES if one["spec"]["topicName"] == "fairway.commands")
    assert commands["spec"] == {
        "topicName": "fairway.commands", "partitions": 8, "replicas": 1,
        "config": {"cleanup.policy": "delete", "retention.ms": "604800000"},
    }  # fmt: skip


def test_copies_are_left_out_where_the_broker_decides() -> None:
    topics = TOPICS.model_copy(update={"all": (TOPICS.all[0].model_copy(update={"replication": -1}),)})
    assert "replicas" not in strimzi_resources(topics, "club")[0]["spec"]

"""Topics for Strimzi's topic operator: a KafkaTopic each."""

import re
from typing import Any

from streams.kafka.topics import Topic, Topics

_API = "kafka.strimzi.io/v1"
_find_unfit = re.compile(r"[^a-z0-9.-]+").sub


def strimzi_resources(topics: Topics, cluster: str) -> list[dict[str, Any]]:
    """Return one KafkaTopic a topic, for the Kafka resource of that name (label strimzi.io/cluster)."""
    return [_resource(topic, cluster) for topic in topics.all]


def _resource(topic: Topic, cluster: str) -> dict[str, Any]:
    spec: dict[str, Any] = {"topicName": topic.name, "partitions": topic.partitions}
    if topic.replication > 0:  # else the broker's own default holds
        spec["replicas"] = topic.replication
    if topic.configs:
        spec["config"] = dict(topic.configs)
    return {
        "apiVersion": _API,
        "kind": "KafkaTopic",
        "metadata": {
            "name": _find_unfit("-", topic.name.lower()).strip("-."),
            "labels": {"strimzi.io/cluster": cluster},
            "annotations": {"description": topic.description},
        },
        "spec": spec,
    }

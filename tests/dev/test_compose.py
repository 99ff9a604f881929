"""docker-compose.yml: what is stored there lies on volumes, and the versions are those of development."""

from pathlib import Path
from typing import Any

import yaml

from streams.dev import container, jars, java
from streams.kafka.topics import read_topics

COMPOSE: dict[str, Any] = yaml.safe_load(Path("docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


BROKERS = {name: service for name, service in SERVICES.items() if service["image"].startswith("apache/kafka")}
FAIRWAYS = {name: service for name, service in SERVICES.items() if service["image"] == "fairway"}
WORKERS = {name: service for name, service in FAIRWAYS.items() if "entrypoint" not in service}
LARGE = [name for name, service in SERVICES.items() if service.get("profiles") == ["production-like"]]


def test_kafka_stores_its_data_on_a_volume() -> None:
    for name, broker in BROKERS.items():
        assert broker["environment"]["KAFKA_LOG_DIRS"] == container.DATA
        assert broker["volumes"] == [f"{name}:{container.DATA}"]


def test_every_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_one_version_of_kafka_is_named_everywhere() -> None:
    assert {broker["image"] for broker in BROKERS.values()} == {container.IMAGE}
    version = container.IMAGE.partition(":")[2]
    locked = {jar.coordinates for jar in jars.read_lock(java.LOCK)}
    assert {f"org.apache.kafka:kafka_2.13:{version}", f"org.apache.kafka:kafka-clients:{version}"} <= locked


def test_workers_start_once_topics_and_schema_are_there() -> None:
    for worker in WORKERS.values():
        ((provision, condition),) = worker["depends_on"].items()
        assert condition == {"condition": "service_completed_successfully"}
        assert SERVICES[provision]["command"][0].strip().endswith("fairway topics apply && fairway db upgrade")
        assert all(
            needed == {"condition": "service_healthy"} for needed in SERVICES[provision]["depends_on"].values()
        )


def test_fairway_writes_on_its_volume_alone_and_has_time_to_end() -> None:
    assert all(service["read_only"] and service["cap_drop"] == ["ALL"] for service in FAIRWAYS.values())
    assert all(worker["stop_grace_period"] == "60s" for worker in WORKERS.values())
    volumes = {name: worker["volumes"] for name, worker in WORKERS.items()}
    assert volumes == {f"worker{end}": [f"state{end}:/var/lib/fairway"] for end in ("", "-1", "-2")}


def test_as_in_production_means_three_brokers_two_copies_and_two_named_workers() -> None:
    brokers = [SERVICES[name]["environment"] for name in LARGE if name in BROKERS]
    assert [broker["KAFKA_NODE_ID"] for broker in brokers] == [1, 2, 3]
    assert all(broker["KAFKA_MIN_INSYNC_REPLICAS"] == 2 for broker in brokers)
    assert all(broker["KAFKA_TRANSACTION_STATE_LOG_MIN_ISR"] == 2 for broker in brokers)
    voters = {broker["KAFKA_CONTROLLER_QUORUM_VOTERS"] for broker in brokers}
    assert voters == {"1@kafka-1:29093,2@kafka-2:29093,3@kafka-3:29093"}
    workers = {name: SERVICES[name]["environment"] for name in LARGE if name in WORKERS}
    assert [(name, settings["FAIRWAY_INSTANCE_ID"]) for name, settings in workers.items()] == [
        ("worker-1", "worker-1"), ("worker-2", "worker-2"),
    ]  # fmt: skip


def test_topics_on_three_brokers_have_three_copies() -> None:
    profile = SERVICES["provision-three"]["environment"]["FAIRWAY_TOPICS_PROFILE"]
    assert {topic.replication for topic in read_topics(Path("topics.yaml"), "fairway", profile).all} == {3}


def test_each_stack_needs_only_what_is_its_own() -> None:
    for name, service in SERVICES.items():
        for needed in service.get("depends_on", {}):
            assert (needed in LARGE) == (name in LARGE)
        if name in FAIRWAYS:
            hosts = {place.split(":")[0] for place in service["environment"]["FAIRWAY_BROKERS"].split(",")}
            assert hosts <= set(BROKERS)
            assert all((host in LARGE) == (name in LARGE) for host in hosts)

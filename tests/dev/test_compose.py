"""docker-compose.yml: what is stored there lies on volumes, and the versions are those of development."""

from pathlib import Path
from typing import Any

import yaml

from streams.dev import container, jars, java

COMPOSE: dict[str, Any] = yaml.safe_load(Path("docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]


def test_kafka_stores_its_data_on_a_volume() -> None:
    folder = SERVICES["kafka"]["environment"]["KAFKA_LOG_DIRS"]
    assert SERVICES["kafka"]["volumes"] == [f"kafka:{folder}"]
    assert folder == container.DATA


def test_every_volume_is_declared() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"])


def test_one_version_of_kafka_is_named_everywhere() -> None:
    assert SERVICES["kafka"]["image"] == container.IMAGE
    version = container.IMAGE.partition(":")[2]
    locked = {jar.coordinates for jar in jars.read_lock(java.LOCK)}
    assert {f"org.apache.kafka:kafka_2.13:{version}", f"org.apache.kafka:kafka-clients:{version}"} <= locked


def test_the_worker_starts_once_topics_and_schema_are_there() -> None:
    assert SERVICES["worker"]["depends_on"] == {"provision": {"condition": "service_completed_successfully"}}
    assert SERVICES["provision"]["command"] == ["fairway topics apply && fairway db upgrade"]

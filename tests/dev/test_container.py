"""Kafka in Docker gets the same properties, and only where an engine answers."""

from pathlib import Path

import pytest

from streams.dev import broker, container
from streams.errors import FairwayError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("offsets.topic.num.partitions", "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS"),
        ("a_b.c-d", "KAFKA_A__B_C___D"),
    ],
)
def test_a_property_becomes_the_variable_that_the_image_reads(name: str, expected: str) -> None:
    assert container.variable(name) == expected


def test_without_an_engine_the_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FairwayError) as refused:
        broker.start(tmp_path, docker=True)
    assert str(refused.value) == "No Docker engine answers: start Docker, or leave --docker out."

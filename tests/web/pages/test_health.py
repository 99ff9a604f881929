"""The overview's table has a row for every worker and every partition, and its version changes with its rows."""

from typing import Any

import msgspec

from streams.health.judgement import judge
from streams.health.observation import Observation, Thresholds
from streams.web.pages.health import list_rows, read_health
from tests.health.test_judgement import ALL, CASES, NOW, ago, running, seen, worker


def rows(observation: Observation) -> list[tuple[Any, ...]]:
    return [(owner and owner.name, one and one.partition) for owner, one in list_rows(observation)]


def test_workers_without_partitions_and_partitions_without_workers_are_rows_too() -> None:
    parts = [*running(0, 1, worker="w1"), *running(2, worker=""), *running(3, worker="w9")]
    gone = worker(9, gone=ago(9))
    assert rows(seen([worker(1, 0, 1), worker(2), gone], parts)) == [
        ("w1", 0), ("w1", 1), ("w2", None), ("w9", None), (None, 2), (None, 3),
    ]  # fmt: skip


def test_every_observation_has_its_values_and_parts_are_renewed_when_their_rows_change() -> None:
    def read(observation: Observation) -> dict[str, str]:
        return read_health(observation, judge(observation, Thresholds()))

    for observation, line in CASES.values():
        assert read(observation)["health.line"] == line
    calm = seen([worker(1, 0, 1, 2, 3)], ALL)
    later = msgspec.structs.replace(calm, looked=NOW)
    assert read(calm)["part.health"] == read(later)["part.health"]
    assert read(calm)["part.workers"] == read(later)["part.workers"]
    lost = seen([worker(1, 0, 1, 2, 3)], [*ALL[:3], *running(3, stage="lost", closed_since=ago(20))])
    assert read(calm)["part.health"] != read(lost)["part.health"]
    assert read(calm)["part.workers"] != read(lost)["part.workers"]


def test_a_partition_that_rests_says_for_how_long_and_what_is_left() -> None:
    part = running(
        0, stage="restoring", closed_since=ago(5), rows_left=1_200, seconds_left=3.6, lag=7, oldest=ago(70)
    )
    observation = seen([worker(1, 0)], [*part, *running(1, rate=2.25)])
    values = read_health(observation, judge(observation, Thresholds()))
    assert (values["left.0"], values["lag.0"], values["oldest.0"]) == (
        "for 5 s, 1,200 rows left, about 4 s more", "7", "1 min 10 s",
    )  # fmt: skip
    assert (values["left.1"], values["rate.1"], values["oldest.1"]) == ("", "2.2", "\N{EN DASH}")
    assert values["heard.w1"] == "1 s ago"

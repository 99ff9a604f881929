"""Each check by itself: what is well, what may cost something, what is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from models.ids import customer_key
from streams.doctor import dead_letters, health, incoming, machine
from streams.doctor.brokers import compare_topics, name_version
from streams.doctor.finding import Findings, name_some
from streams.doctor.limits import check_limits
from streams.doctor.rights import name_user
from streams.health.observation import Cause, Judgement
from streams.health.wording import count_of
from streams.kafka.partitioner import partition_of
from streams.kafka.provision import Difference, Found
from streams.kafka.roles import Role
from streams.kafka.topics import ACTIVITY, DEFINITIONS, INBOX, read_topics
from streams.settings import Settings
from streams.web.sources.records import Record

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TOPICS = read_topics(Path("topics.yaml"), "fairway")


def found(check: Callable[[Findings], object]) -> list[tuple[str, str]]:
    findings = Findings()
    check(findings)
    assert all(bool(one.todo) == (one.state != "ok") for one in findings.all)
    return [(one.check, one.state) for one in findings.all]


@pytest.mark.parametrize(
    ("offered", "version"),
    [
        ({1: (0, 11)}, "2.7"),
        ({1: (0, 11), 60: (0, 0)}, "2.8"),
        ({1: (0, 13), 60: (0, 0), 65: (0, 0)}, "3.0"),
        ({1: (0, 17), 60: (0, 1), 65: (0, 0), 69: (0, 0), 75: (0, 0), 80: (0, 0)}, "3.9"),
        ({1: (4, 17), 80: (0, 0)}, "4.0"),
    ],
)
def test_what_a_broker_offers_tells_its_version(offered: dict[int, tuple[int, int]], version: str) -> None:
    assert name_version(offered) == version


@pytest.mark.parametrize(
    ("action", "state"), [("create", "problem"), ("refuse", "problem"), ("alter", "warning"), (None, "ok")]
)
def test_topics_that_differ_are_told_by_what_can_be_done(action: str | None, state: str) -> None:
    differences = [Difference("teetime.booked", action, "is other")] if action else []
    assert found(lambda findings: compare_topics(findings, TOPICS, differences)) == [("topics", state)]


@pytest.mark.parametrize(
    ("opened", "done", "given", "state", "text"),
    [
        (0, 0, {}, "ok", "No dead letter is open."),
        (0, 3, {}, "ok", "No dead letter is open; 3 others are dealt with."),
        (0, 3, {"is_whole": False}, "ok", "None of the newest dead letters is open; 3 others are dealt with."),
        (1, 0, {}, "warning", "1 dead letter is open."),
        (12, 1, {}, "warning", "12 dead letters are open; 1 other is dealt with."),
        (2_000, 0, {"is_whole": False}, "warning", "At least 2,000 dead letters are open."),
        (5, 0, {"known": False}, "warning", "5 dead letters are kept; Postgres would know how many are open."),
    ],
)
def test_dead_letters_are_told_by_how_many_are_open(
    opened: int, done: int, given: dict[str, bool], state: str, text: str
) -> None:
    findings = Findings()
    dead_letters.note(findings, opened, done, **{"is_whole": True, "known": True} | given)
    assert [(one.state, one.text) for one in findings.all] == [(state, text)]


def test_the_judgement_is_told_in_one_line_with_what_to_do_and_then_its_other_causes() -> None:
    notice = Cause("versions", "notice", "workers are of different versions", "Finish the upgrade.")
    well = Judgement(NOW, "well", "Well: 1 worker.", (notice,))
    assert found(lambda findings: health.note(findings, well)) == [("health", "ok"), ("versions", "warning")]
    silent = Cause("workers", "degraded", "worker w2 silent for 6 s", "See its log.")
    late = Cause("lag", "degraded", "9 events waiting", "Start more.")
    degraded = Judgement(NOW, "degraded", "Degraded: worker w2 silent for 6 s.", (silent, late, notice))
    findings = Findings()
    health.note(findings, degraded)
    assert [(one.check, one.state, one.text, one.todo) for one in findings.all] == [
        ("health", "problem", "Degraded: worker w2 silent for 6 s.", "See its log."),
        ("lag", "problem", "9 events waiting.", "Start more."),
        ("versions", "warning", "Workers are of different versions.", "Finish the upgrade."),
    ]


def event(number: int, partition: int | None = None, value: bytes | None = None) -> Record:
    plain = {"tenantId": "t", "customerId": f"c{number}"}
    here = partition_of(customer_key("t", f"c{number}"), 8)
    return Record(here if partition is None else partition, number, NOW, None, value or msgspec.json.encode(plain))


def test_events_on_foreign_partitions_are_told_by_topic_with_their_share() -> None:
    right = [event(number) for number in range(40)] + [event(0, value=b"no event")]
    wrong = [
        event(number, partition=(partition_of(customer_key("t", f"c{number}"), 8) + 1) % 8) for number in range(40)
    ]
    findings = Findings()
    incoming.check_partitioner(findings, {"a": right, "b": wrong, "c": []}, 8)
    assert [one.state for one in findings.all] == ["warning"]
    assert findings.all[0].text == "Events lie on foreign partitions, and each costs a hop more: b (100 %)."
    assert found(lambda other: incoming.check_partitioner(other, {"a": right}, 8)) == [("partitioner", "ok")]


def test_a_disk_with_little_room_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path / "not" / "there")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: (100 << 30, 0, 50 << 30))
    assert found(lambda findings: machine.check_disk(findings, settings)) == [("disk", "ok")]
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: (100 << 30, 0, 5 << 30))
    assert found(lambda findings: machine.check_disk(findings, settings)) == [("disk", "warning")]
    in_memory = settings.model_copy(update={"store": "memory"})
    assert found(lambda findings: machine.check_disk(findings, in_memory)) == [("disk", "ok")]


def test_settings_are_told_with_what_is_odd_about_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRWAY_BROKRS", "x")
    odd = Settings(access="open", topics_file=tmp_path / "none.yaml")
    checks = found(lambda findings: machine.check_settings(findings, odd))
    assert checks == [("settings", "warning"), ("access", "warning"), ("settings", "problem")]


def test_many_are_named_by_the_first_and_counted() -> None:
    assert name_some(["a", "b"]) == "'a', 'b'"
    assert name_some(list("abcdefg")) == "'a', 'b', 'c', 'd', 'e' and 2 more"
    assert (count_of(1, "topic"), count_of(2_000, "topic")) == ("1 topic", "2,000 topics")


def there(**configs: object) -> dict[str, Found]:
    """Return all topics as topics.yaml has them, but with these settings."""
    own = {name.replace("_", "."): str(value) for name, value in configs.items()}
    return {
        topic.name: Found(topic.partitions, 3, {**topic.configs, "min.insync.replicas": "2"} | own)
        for topic in TOPICS.all
    }


@pytest.mark.parametrize(
    ("topic", "configs", "state", "words"),
    [
        (INBOX, {"max_message_bytes": 200_000}, "problem", "takes 200,000 bytes at once"),
        (DEFINITIONS, {"max_message_bytes": 500_000}, "problem", "a journey may need"),
        (INBOX, {"cleanup_policy": "compact"}, "problem", "all records but the newest would be lost"),
        (TOPICS.changelog, {"cleanup_policy": "compact,delete"}, "problem", "rows would be lost by age"),
        (TOPICS.changelog, {"delete_retention_ms": 3_600_000}, "problem", "or those erased come back"),
        (TOPICS.changelog, {"max_compaction_lag_ms": 2**63 - 1}, "warning", "erased of a customer may stay"),
        (ACTIVITY, {"min_insync_replicas": 4}, "problem", "it takes no writes"),
        (ACTIVITY, {"min_insync_replicas": 1}, "warning", "a broker's end may lose some"),
        ("teetime.booked", {"retention_ms": 3_600_000}, "warning", "keeps records for 3600000 ms"),
        ("teetime.booked", {"retention_bytes": 1_000_000}, "warning", "a flood drives out"),
        ("teetime.booked", {"retention_ms": -1}, "ok", "suffice"),
    ],
)
def test_what_a_topic_takes_and_keeps_too_little_of_is_told(
    topic: str, configs: dict[str, object], state: str, words: str
) -> None:
    findings = Findings()
    check_limits(findings, TOPICS, there() | {topic: there(**configs)[topic]})
    assert [one.state for one in findings.all] == [state]
    assert words in findings.all[0].text
    assert bool(findings.all[0].todo) is (state != "ok")


def test_limits_of_topics_that_are_hidden_are_passed_over() -> None:
    assert found(lambda findings: check_limits(findings, TOPICS, {INBOX: Found(4, 1)})) == []


def test_a_user_is_named_as_acls_name_it_where_that_is_known() -> None:
    by_name = Settings(kafka_security_protocol="SASL_SSL", kafka_sasl_mechanism="PLAIN", kafka_sasl_username="ann",
                       kafka_sasl_password="x")  # fmt: skip
    assert name_user(by_name, Role.AUTHOR) == "User:ann"
    assert name_user(Settings(), Role.AUTHOR) == "User:fairway-author"

"""What a partition counts: each event by its result, what came of it, and how late it was; at the commit alone."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from streams.engine.effects import Activity, Cause, Command
from streams.engine.entries import EnrollmentRefused, EnrollmentStarted
from streams.kafka.topics import INBOX
from streams.partition import metrics
from streams.partition.metrics import Tally
from streams.partition.queue import Portion
from tests.partition.case import TOPIC, Case
from tests.partition.model import START, Source, event
from tests.small import command

SECOND = timedelta(seconds=1)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def events(topic: str = TOPIC) -> Mapping[str, float]:
    return {
        result: value("fairway_events_total", topic=topic, result=result)
        for result in ("used", "ignored", "foreign", "dead-letter")
    }


def records(*values: bytes | None) -> list[Any]:
    return [Source(5 + number, one, None, (), 9) for number, one in enumerate(values)]


@pytest.mark.parametrize("fails", [False, True])
def test_each_event_is_counted_once_by_what_became_of_it(fails: bool) -> None:
    case, before, foreign = Case(), events(), value("fairway_foreign_events_total")
    elsewhere = next(
        name for name in (f"c-{n}" for n in range(99)) if not case.processor.is_here(f"pinehurst:{name}".encode())
    )
    given = records(event(1, "c-7"), event(2, elsewhere), b"no event", event(3, "c-7"))
    if fails:  # then each is handled by itself
        case.processor.take = lambda *_: 1 / 0
    case.isolation.take(case.transaction, Portion(TOPIC, given, 9), START)
    assert events() == before, "counted before the commit"
    case.transaction.tally.count(START, START + SECOND)
    change = {result: number - before[result] for result, number in events().items()}
    assert change == {"used": 2, "ignored": 0, "foreign": 1, "dead-letter": 1}
    assert value("fairway_foreign_events_total") == foreign + 1


def test_the_inbox_is_no_topic_of_events() -> None:
    case = Case()
    case.isolation.take(case.transaction, Portion(INBOX, records(b"none"), 9), START)
    case.transaction.tally.count(START, START)
    assert events(INBOX) == dict.fromkeys(("used", "ignored", "foreign", "dead-letter"), 0.0)


def activity(*entries: Any) -> Activity:
    return Activity("a", START, "t", None, "c", Cause("event"), entries)


def test_what_came_of_events_is_counted_by_kind_reason_and_channel() -> None:
    tally = Tally()
    started = EnrollmentStarted("j", 1, "e", "", 1, START, {})
    refused = EnrollmentRefused(journey_id="j", journey_version=1, reason="conditions")
    names: list[tuple[str, dict[str, str]]] = [
        ("fairway_enrollments_total", {"result": "started"}),
        ("fairway_refusals_total", {"reason": "conditions"}),
        ("fairway_commands_total", {"channel": "EMAIL"}),
    ]
    before = [value(name, **labels) for name, labels in names]
    sent: Command = command("c-1", "t")
    tally.note_effects([(b"t:c", (activity(started, refused), sent)), (b"t:d", (activity(refused),))])
    tally.count(START, START)
    assert [value(name, **labels) for name, labels in names] == [before[0] + 1, before[1] + 2, before[2] + 1]


def test_moments_are_measured_to_the_commit_and_none_is_negative() -> None:
    tally = Tally()
    names = ("fairway_event_age_seconds", "fairway_wait_delay_seconds", "fairway_commit_seconds")
    before = [value(f"{name}_sum") for name in names]
    tally.note_age(START - 4 * SECOND)
    tally.note_age(START + 60 * SECOND)
    tally.note_fired([START - 2 * SECOND])
    tally.count(START, START + SECOND)
    assert [value(f"{name}_sum") - was for name, was in zip(names, before, strict=True)] == pytest.approx([5, 3, 1])


def test_authors_can_name_only_so_many_channels_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "_seen_channels", set())
    names = {metrics._bounded(f"channel-{number}") for number in range(100)}
    assert len(names) == 51
    assert "other" in names
    assert metrics._bounded("channel-0") == "channel-0"

"""Activity records as history reads them: as they were written, in an earlier form, and by a newer worker."""

from typing import Any, get_args

import msgspec
import pytest
from msgspec import UNSET

from streams.engine.entries import (
    EnrollmentExited,
    EnrollmentRefused,
    EnrollmentStarted,
    Entry,
    ProfileUpdated,
    StepCompleted,
    StepEntered,
)
from streams.engine.results import Change, ConditionResult, SendResult, decode_result
from streams.history.records import (
    RawStepCompleted,
    StoredEntry,
    UnknownEntry,
    read_cause,
    read_entries,
    read_record,
)
from tests.history.build import (
    JOURNEY,
    NOON,
    RUN,
    completed,
    done,
    entered,
    exited,
    failed,
    followed,
    hours,
    reached,
    record,
    replanned,
    skipped,
    started,
    value,
)

SENT = SendResult(True, "EMAIL", "m-1")
ALL: list[Entry] = [
    started(a=1), EnrollmentRefused(reason="duplicate"), completed(), exited(), entered(), skipped(), failed(),
    EnrollmentRefused(journey_id=JOURNEY, journey_version=1, reason="reentry", reentry="later", reentry_from=NOON),
    ProfileUpdated([Change("tier", None, "Gold")]), ProfileUpdated([], deleted=True),
    replanned(), reached(), reached(last=None, event_id=UNSET), followed(teeTime=None),
]  # fmt: skip
NEWER = {"type": "step.held", "journeyId": JOURNEY, "enrollmentId": RUN, "waitingUntil": {"before": 1}}


def test_entries_are_read_as_they_were_written() -> None:
    assert record(*ALL).entries == ALL


def test_a_completed_step_keeps_its_result_as_it_is_written() -> None:
    (entry,) = record(done("mail", 2, SENT)).entries
    assert isinstance(entry, RawStepCompleted)
    assert (entry.step_id, entry.visit, decode_result(entry.result)) == ("mail", 2, SENT)
    assert bytes(entry.result) == msgspec.json.encode(SENT)


def test_every_kind_of_entry_can_be_stored() -> None:
    assert {*get_args(StoredEntry)} == {*get_args(Entry), RawStepCompleted, UnknownEntry} - {StepCompleted}


def test_an_entry_of_a_newer_worker_is_passed_over_and_the_others_are_read() -> None:
    entries = record(entered(), NEWER, done()).entries
    assert [type(entry) for entry in entries] == [StepEntered, UnknownEntry, RawStepCompleted]
    assert entries[1] == UnknownEntry("step.held", JOURNEY, RUN)


def test_the_cause_and_the_entries_keep_what_this_version_does_not_know() -> None:
    read = record(NEWER)
    assert '"before":1' in read.text
    assert read.cause.startswith('{"kind":"event"')


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"type": "enrollment.started", "enrollmentKey": "", "triggerData": {}},
         EnrollmentStarted(JOURNEY, 0, RUN, "", 1, NOON, {})),
        ({"type": "enrollment.exited", "exitReason": "manual"},
         EnrollmentExited(JOURNEY, 0, RUN, "", NOON, "manual", None)),
        ({"type": "step.entered", "stepId": "wait", "stepNumber": 2, "visit": 1, "waitingUntil": NOON},
         StepEntered(JOURNEY, 0, RUN, "wait", 2, 1, NOON, NOON)),
    ],
)  # fmt: skip
def test_what_an_earlier_form_lacks_is_filled_in(fields: dict[str, Any], expected: Entry) -> None:
    assert record({"journeyId": JOURNEY, "enrollmentId": RUN, **fields}).entries == [expected]


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"no json", b"{}", b"[]", b"\xff", value(done()).replace(b'"visit":1', b'"visit":"1"'),
        value(done()).replace(b'"stepNumber":1', b'"stepNumber":1e400'),
        value(started(a=1)).replace(b'"a":1', b'"a":"\\ud800"'),
        value(started(a=1)).replace(b'"a":1', b'"a":' + b"[" * 90_000 + b"]" * 90_000),
        value(entered()).replace(b"2026-11-24T12:00:00Z", b"soon"),
        value(done(), at=NOON.replace(tzinfo=None)),
        value({"type": "step.failed", "stepId": ["a"]}),
        value({"type": ["step.failed"], "journeyId": JOURNEY}).replace(b'"entries":[', b'"entries":[3,'),
        value(done()).replace(b'"kind":"event"', b'"kind":"\xff"'),
        value(done()).replace(b'"cause":{', b'"cause":3,"was":{'),
    ],
)  # fmt: skip
def test_what_is_no_activity_record_is_refused(bad: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_record(bad, 0)


def test_nul_is_replaced_wherever_it_is_meant_and_a_backslash_is_left_alone() -> None:
    (entry,) = record(started(a="x\0y", b="\\u0000", c="\\\0")).entries
    assert isinstance(entry, EnrollmentStarted)
    assert entry.trigger_data == {"a": "x\ufffdy", "b": "\\u0000", "c": "\\\ufffd"}


def test_entries_that_were_kept_are_read_with_their_results() -> None:
    kept = msgspec.json.decode(value(*ALL, done("mail", 1, SENT)))["entries"]
    assert read_entries(kept, NOON) == [*ALL, done("mail", 1, SENT)]


def test_entries_whose_fields_are_hidden_are_told_as_far_as_they_can_be_read() -> None:
    asked = ConditionResult(True, [{"field": "email", "seen": "•••"}])
    hidden = {"type": "step.entered", "journeyId": JOURNEY, "enrollmentId": RUN, "waitingUntil": "•••"}
    kept = [hidden, NEWER, msgspec.to_builtins(done("ask", 1, asked)), {"type": 3}]
    assert read_entries(kept, hours(1)) == [
        UnknownEntry("step.entered", JOURNEY, RUN),
        UnknownEntry("step.held", JOURNEY, RUN),
        done("ask", 1, asked),
        UnknownEntry("3"),
    ]


def test_a_cause_in_another_form_keeps_its_kind() -> None:
    assert read_cause({"kind": "event", "eventId": "e-1"}).event_id == "e-1"
    assert read_cause({"kind": "vote", "eventId": 3}).kind == "vote"

"""Records in words: those of one enrolment, refusals alone, and the pauses between them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from streams.web.pages.timeline import describe_records, describe_refusals

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


def record(minutes: int, *entries: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": AT - timedelta(minutes=minutes),
        "activity_id": "a",
        "cause": {"kind": "wait"},
        "entries": entries,
    }


FAILED = {"type": "step.failed", "enrollmentId": "e-1", "journeyId": "j-1", "stepId": "s", "error": "No."}
DONE = {"type": "step.completed", "enrollmentId": "e-2", "journeyId": "j-1", "stepId": "s", "result": {}}
REFUSED = {"type": "enrollment.refused", "journeyId": "j-2", "reason": "paused"}


def test_a_record_is_as_bad_as_its_worst_entry_and_knows_the_pause_before_it() -> None:
    first, second = describe_records([record(0, DONE, FAILED), record(5, DONE)])
    assert (first.kind, first.pause, len(first.entries)) == ("bad", timedelta(minutes=5), 2)
    assert (second.kind, second.pause) == ("", None)


def test_of_one_enrolment_there_are_its_own_entries() -> None:
    (only,) = describe_records([record(0, DONE, FAILED)], "e-2")
    assert [entry.enrollment_id for entry in only.entries] == ["e-2"]


def test_refusals_are_of_a_journey_and_for_a_reason() -> None:
    records = [record(0, DONE, REFUSED), record(1, REFUSED | {"journeyId": "j-3"})]
    assert len(describe_refusals(records)) == 2
    assert [entry.journey_id for *_, entry in describe_refusals(records, "j-3")] == ["j-3"]
    assert describe_refusals(records, "j-2", "conditions") == []

"""What a batch adds to the counts."""

import pytest

from streams.engine.entries import EnrollmentRefused
from streams.engine.results import (
    NO_RESULT,
    ConditionResult,
    Result,
    SendResult,
    SplitResult,
    UnknownResult,
    UpdateResult,
    WaitResult,
)
from streams.history.counts import Counts
from tests.history.build import JOURNEY, NOON, hours

OTHER = "99999999-9999-9999-9999-999999999999"


def counts() -> Counts:
    found = Counts()
    found.turn_to(hours(0.75))
    return found


def test_what_begins_and_ends_is_counted_in_all_and_by_the_hour() -> None:
    found = counts()
    found.add(JOURNEY, "enrolled")
    found.turn_to(hours(1.5))
    found.add(JOURNEY, "enrolled")
    assert found.totals == {(JOURNEY, "enrolled"): 2}
    assert found.hours == {(JOURNEY, NOON, "enrolled"): 1, (JOURNEY, hours(1), "enrolled"): 1}


@pytest.mark.parametrize(
    ("result", "way"),
    [
        (ConditionResult(True, []), "yes"), (ConditionResult(False, []), "no"), (SplitResult("A"), "A"),
        (NO_RESULT, None), (WaitResult(NOON, NOON), None), (UpdateResult([]), None), (UnknownResult({}), None),
    ],
)  # fmt: skip
def test_a_result_says_which_way_was_taken(result: Result, way: str | None) -> None:
    found = counts()
    found.add_result(found.step(JOURNEY, 1, "step"), result, is_first=True)
    assert [count.variant for count in found.steps] == ["", way] if way else [""]
    assert not found.hours


def test_a_send_is_counted_by_channel_and_takes_no_way() -> None:
    found = counts()
    found.add_result(found.step(JOURNEY, 1, "step"), SendResult(True, "EMAIL", "m-1"), is_first=True)
    assert found.hours == {(JOURNEY, NOON, "sent:EMAIL"): 1}
    assert len(found.steps) == 1


def test_all_journeys_that_anything_is_counted_of_are_named() -> None:
    found = counts()
    found.add("a", "enrolled")
    found.add_refusal(EnrollmentRefused(journey_id="b", reason="club"))
    found.add_refusal(EnrollmentRefused(reason="duplicate"))
    found.step("c", 1, "step")
    assert found.journeys == {"a", "b", "c"}


def test_steps_come_in_one_order_whatever_was_counted_first() -> None:
    found = counts()
    for journey, step in ((OTHER, "a"), (JOURNEY, "b"), (JOURNEY, "a")):
        found.step(journey, 1, step).entered += 1
    assert [(one.journey_id, one.step_id) for one in found.steps] == [(JOURNEY, "a"), (JOURNEY, "b"), (OTHER, "a")]

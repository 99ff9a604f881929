"""Entries in words: every kind has a sentence, and what it tells of."""

from datetime import timedelta
from typing import Any, get_args

import pytest

from streams.engine.effects import Cause
from streams.engine.entries import EnrollmentFailed, EnrollmentRefused, EnrollmentStarted, Entry, ProfileUpdated
from streams.engine.results import (
    NO_RESULT,
    Change,
    ConditionResult,
    Result,
    SendResult,
    SplitResult,
    UnknownResult,
    UpdateResult,
    WaitResult,
)
from streams.engine.subscriptions import Ignored
from streams.history.records import UnknownEntry
from streams.history.wording import describe, describe_cause, describe_refusal
from tests.history.build import (
    JOURNEY,
    NOON,
    OF,
    RUN,
    completed,
    done,
    entered,
    exited,
    failed,
    followed,
    held,
    reached,
    replanned,
    skipped,
    started,
)

SENTENCES: list[tuple[Any, str, str]] = [
    (started(), "Entered version 1", "good"),
    (EnrollmentStarted(*OF, "t-1", 2, NOON, {}), "Entered version 1 for “t-1”, entry 2", "good"),
    (EnrollmentRefused(reason="duplicate"), "Did not enter: the same event had come before", "warn"),
    (EnrollmentRefused(reason="weather"), "Did not enter: weather", "warn"),
    (completed(), "Completed the journey", "good"),
    (exited(), "Left the journey (manual)", "gone"),
    (EnrollmentFailed(*OF, "update", NOON, "It broke."), "Failed: It broke.", "bad"),
    (entered(), "waits until", "waits"),
    (held(), "held: more than 1 EMAIL commands per hour for tenant 'pinehurst'. Sends at", "waits"),
    (skipped(), "skipped: another branch was taken", "gone"),
    (skipped(reason="weather"), "skipped: weather", "gone"),
    (failed(), "failed: It broke.", "bad"),
    (ProfileUpdated([]), "Profile changed", ""),
    (ProfileUpdated([], deleted=True), "Was erased", ""),
    (
        ProfileUpdated([], [Ignored("unsubscribed", "maybe"), Ignored("subscriptions.SMS")]),
        "Neither true nor false, so passed over: unsubscribed, subscriptions.SMS",
        "",
    ),
    (
        ProfileUpdated([Change("tier", None, "Gold")], [Ignored("unsubscribed", "maybe")]),
        "Profile changed; neither true nor false, so passed over: unsubscribed",
        "",
    ),
    (done(), "done", ""),
    (replanned(), "now waits until", "waits"),
    (reached(), "Reached the goal “paid”, last sent “mail” by EMAIL", "good"),
    (reached(last=None), "Reached the goal “paid”, nothing sent before", "good"),
    (followed(teeTime="Sun"), "Follows what changed", ""),
    (EnrollmentRefused(reason="exit"), "Did not enter: an exit of the journey would have ended it at once", "warn"),
    (EnrollmentRefused(reason="goal"), "Did not enter: the journey's goal was reached already", "warn"),
    (UnknownEntry("enrollment.migrated", JOURNEY, RUN), "enrollment.migrated", ""),
]


@pytest.mark.parametrize(("entry", "text", "kind"), SENTENCES)
def test_each_entry_has_a_sentence(entry: Any, text: str, kind: str) -> None:
    description = describe(entry)
    assert (description.text, description.kind) == (text, kind)


def test_every_kind_of_entry_is_in_the_table() -> None:
    assert {type(entry) for entry, _, _ in SENTENCES} == {*get_args(Entry), UnknownEntry}


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (NO_RESULT, "done"),
        (SendResult(True, "EMAIL", "m-1"), "done: sent by EMAIL"),
        (
            SendResult(True, "EMAIL", "m-1", NOON, "rate", "More than may."),
            "done: sent by EMAIL, after it was held until 2026-11-23 12:00:00 UTC",
        ),
        (ConditionResult(True, []), "done: the answer is yes"),
        (ConditionResult(False, []), "done: the answer is no"),
        (SplitResult("B"), "done: variant “B”"),
        (WaitResult(NOON, NOON), "done"),
        (WaitResult(NOON, NOON, note="It was late."), "done: It was late."),
        (WaitResult(NOON, NOON, ended="time", note="It was late."), "done: its time was over; It was late."),
        (WaitResult(NOON, NOON, ended="rules"), "done: its rules hold"),
        (WaitResult(NOON, NOON, ended="event", event_type="paid", event_id="e-1"), "done: paid came, event e-1"),
        (
            WaitResult(NOON, NOON, ended="event", event_type="paid", event_id="e-1", before=True),
            "done: paid came before, event e-1",
        ),
        (UpdateResult([]), "done"),
        (UnknownResult({"opened": True}), "done"),
    ],
)
def test_a_completed_step_says_what_came_of_it(result: Result, text: str) -> None:
    assert describe(done("step", 1, result)).text == text


def test_a_description_names_what_the_entry_is_about() -> None:
    found = describe(entered())
    assert (found.journey_id, found.enrollment_id, found.step_id) == (JOURNEY, RUN, "wait")
    assert found.moment == NOON + timedelta(days=1)
    assert describe(exited()).step_id == ""
    assert describe(EnrollmentRefused(reason="duplicate")).journey_id == ""


def test_rules_changes_and_commands_come_with_the_entry_that_tells_of_them() -> None:
    rule, change = {"field": "tier", "matched": True}, Change("tier", None, "Gold")
    assert describe(done("ask", 1, ConditionResult(True, [rule]))).rules == [rule]
    assert describe(EnrollmentRefused(reason="conditions", evaluated_rules=[rule])).rules == [rule]
    assert describe(done("mail", 1, SendResult(True, "EMAIL", "m-1"))).command_id == "m-1"
    assert describe(done("update", 1, UpdateResult([change]))).changes == [change]
    assert describe(ProfileUpdated([change])).changes == [change]
    assert describe(followed(tier="Gold")).changes == [Change("tier", "x", "Gold")]
    assert describe(done("wait", 1, WaitResult(NOON, NOON, ended="rules", evaluated_rules=[rule]))).rules == [rule]
    assert describe(replanned()).moment == NOON + timedelta(days=2)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"reentry": "once"}, "the journey can be entered only once, and the customer has been in it"),
        ({"reentry": "active"}, "the customer is still in it"),
        ({"reentry": "candidate"}, "an earlier entry still waits for a place"),
        ({"reentry": "later", "reentry_from": NOON}, "the customer may enter again from 2026-11-23 12:00 UTC"),
        ({}, "the customer is in it, or has been"),
        ({"reentry": "weather"}, "the customer is in it, or has been"),
    ],
)
def test_a_refused_reentry_says_which_rule_barred_it(rule: dict[str, Any], sentence: str) -> None:
    entry = EnrollmentRefused(journey_id=JOURNEY, reason="reentry", **rule)
    assert describe_refusal(entry) == sentence
    assert describe(entry).moment == rule.get("reentry_from")


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (Cause("event", "e-1", "teetime.booked"), "teetime.booked · event e-1"),
        (Cause("wait", step_id="day-before"), "the wait in “day-before” was over"),
        (Cause("wait"), "a wait was over"),
        (Cause("control", control="exit"), "by hand: exit"),
        (Cause("control"), "by hand"),
        (Cause("admission"), "the journey's answer whether there is a place"),
        (Cause("vote"), "vote"),
    ],
)
def test_each_cause_has_words(cause: Cause, text: str) -> None:
    assert describe_cause(cause) == text

"""Activity in words: what each entry of a record says, and how good or bad it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, assert_never

import msgspec

from streams.engine.effects import Cause
from streams.engine.entries import (
    EnrollmentCompleted,
    EnrollmentExited,
    EnrollmentFailed,
    EnrollmentRefused,
    EnrollmentStarted,
    GoalReached,
    OfStep,
    ProfileUpdated,
    StepCompleted,
    StepEntered,
    StepFailed,
    StepReplanned,
    StepSkipped,
    TriggerUpdated,
)
from streams.engine.results import (
    Change,
    ConditionResult,
    NoResult,
    Result,
    SendResult,
    SplitResult,
    UnknownResult,
    UpdateResult,
    WaitResult,
)
from streams.history.records import AnyEntry, UnknownEntry

REFUSALS = {
    "conditions": "the conditions did not hold",
    "club": "the event came from another club",
    "paused": "the journey was paused or archived",
    "reentry": "the customer is in it, or has been",
    "key": "the event lacks the value that tells one run from another, or it is longer than 256 bytes",
    "maxEnrollments": "the journey was full",
    "exit": "an exit of the journey would have ended it at once",
    "goal": "the journey's goal was reached already",
    "duplicate": "the same event had come before",
}
_REENTRY = {
    "once": "the journey can be entered only once, and the customer has been in it",
    "active": "the customer is still in it",
    "candidate": "an earlier entry still waits for a place",
    "later": "the customer may enter again from",
}
SKIPS = {
    "branch": "another branch was taken",
    "ended": "the journey ended before",
    "unsubscribed": "the customer has unsubscribed from its channel",
    "policy": "the wait's policy says so",
    "expired": "it could not leave before it expires",
}


class Description(msgspec.Struct, frozen=True):
    """An entry in words. `moment` is a time that ends the text, `rules` what was asked and seen."""

    text: str
    kind: str = ""
    journey_id: str = ""
    enrollment_id: str = ""
    step_id: str = ""
    moment: datetime | None = None
    rules: Sequence[Mapping[str, Any]] = ()
    command_id: str = ""
    changes: Sequence[Change] = ()


def describe(entry: AnyEntry) -> Description:
    """Return an entry in words."""
    match entry:
        case StepCompleted() | StepEntered() | StepReplanned() | StepSkipped() | StepFailed():
            return _describe_step(entry)
        case EnrollmentStarted():
            return _make(entry, _describe_start(entry), "good")
        case EnrollmentRefused():
            return _describe_refusal(entry)
        case EnrollmentCompleted() | EnrollmentExited() | EnrollmentFailed():
            return _describe_end(entry)
        case ProfileUpdated(changes=changes):
            return Description(_describe_profile(entry), changes=changes)
        case GoalReached():
            return _make(entry, _describe_goal(entry), "good")
        case TriggerUpdated(changes=changes):
            return _make(entry, "Follows what changed", changes=changes)
        case UnknownEntry(type=kind):
            return _make(entry, kind)
        case _:
            assert_never(entry)


def _describe_profile(entry: ProfileUpdated) -> str:
    if entry.deleted:
        return "Was erased"
    if not entry.ignored:
        return "Profile changed"
    fields = ", ".join(item.field for item in entry.ignored)
    beginning = "Profile changed; neither" if entry.changes else "Neither"
    return f"{beginning} true nor false, so passed over: {fields}"


def _describe_goal(entry: GoalReached) -> str:
    last = entry.last_send
    after = f", last sent “{last.step_id}” by {last.channel}" if last else ", nothing sent before"
    return f"Reached the goal “{entry.goal}”{after}"


def _describe_step(entry: StepCompleted | StepEntered | StepReplanned | StepSkipped | StepFailed) -> Description:
    match entry:
        case StepCompleted():
            return _describe_completed(entry)
        case StepEntered(waiting_until=until, note=str() as note):
            return _make(entry, f"held: {lower_first(note)} Sends at", "waits", moment=until)
        case StepEntered(waiting_until=until):
            return _make(entry, "waits until", "waits", moment=until)
        case StepReplanned(waiting_until=until):
            return _make(entry, "now waits until", "waits", moment=until.after)
        case StepSkipped(reason=reason):
            return _make(entry, f"skipped: {SKIPS.get(reason, reason)}", "gone")
        case StepFailed(error=error):
            return _make(entry, f"failed: {error}", "bad")
        case _:
            assert_never(entry)


def _describe_end(entry: EnrollmentCompleted | EnrollmentExited | EnrollmentFailed) -> Description:
    match entry:
        case EnrollmentCompleted():
            return _make(entry, "Completed the journey", "good")
        case EnrollmentExited(exit_reason=reason, detail=detail):
            return _make(entry, f"Left the journey ({reason}{f': {detail}' if detail else ''})", "gone")
        case EnrollmentFailed(error=error):
            return _make(entry, f"Failed: {error}", "bad")
        case _:
            assert_never(entry)


def _make(entry: AnyEntry, text: str, kind: str = "", **more: Any) -> Description:
    """Return a description that says what an entry is about, as far as it has one."""
    journey_id, enrollment_id = getattr(entry, "journey_id", ""), getattr(entry, "enrollment_id", "")
    step_id = entry.step_id if isinstance(entry, OfStep) else ""
    return Description(text, kind, journey_id or "", enrollment_id, step_id, **more)


def _describe_start(entry: EnrollmentStarted) -> str:
    key = f" for “{entry.enrollment_key}”" if entry.enrollment_key else ""
    again = f", entry {entry.entry_number}" if entry.entry_number > 1 else ""
    return f"Entered version {entry.journey_version}{key}{again}"


def describe_refusal(entry: EnrollmentRefused) -> str:
    """Return why a journey was not entered, so that it may end a sentence."""
    moment = f" {entry.reentry_from:%Y-%m-%d %H:%M} UTC" if isinstance(entry.reentry_from, datetime) else ""
    return _explain_refusal(entry) + moment


def _explain_refusal(entry: EnrollmentRefused) -> str:
    return _REENTRY.get(entry.reentry or "") or REFUSALS.get(entry.reason, entry.reason)


def _describe_refusal(entry: EnrollmentRefused) -> Description:
    moment = entry.reentry_from if isinstance(entry.reentry_from, datetime) else None
    text = f"Did not enter: {_explain_refusal(entry)}"
    return _make(entry, text, "warn", moment=moment, rules=entry.evaluated_rules or ())


def _describe_completed(entry: StepCompleted) -> Description:
    said = describe_result(entry.result)
    text = f"done: {said}" if said else "done"
    match entry.result:
        case SendResult(message_id=command_id):
            return _make(entry, text, command_id=command_id)
        case ConditionResult(evaluated_rules=rules):
            return _make(entry, text, rules=rules)
        case WaitResult(evaluated_rules=rules):
            return _make(entry, text, rules=rules or ())
        case UpdateResult(updates=changes):
            return _make(entry, text, changes=changes)
        case _:
            return _make(entry, text)


def describe_result(result: Result) -> str:
    """Return in a few words what came of a completed step; nothing where there is nothing to say."""
    match result:
        case SendResult(channel=channel, held_until=datetime() as until):
            return f"sent by {channel}, after it was held until {until:%Y-%m-%d %H:%M:%S} UTC"
        case SendResult(channel=channel):
            return f"sent by {channel}"
        case SplitResult(variant=variant):
            return f"variant “{variant}”"
        case ConditionResult(result=answer):
            return f"the answer is {'yes' if answer else 'no'}"
        case WaitResult():
            return "; ".join(filter(None, (_describe_end_of_wait(result), result.note or "")))
        case NoResult() | UpdateResult() | UnknownResult():
            return ""
        case _:
            assert_never(result)


def _describe_end_of_wait(result: WaitResult) -> str:
    """Return what ended a WAIT that had events or rules beside its time."""
    match result.ended or "":
        case "event":
            when = " before" if result.before else ""
            return f"{result.event_type} came{when}, event {result.event_id}"
        case "rules":
            return "its rules hold"
        case "time":
            return "its time was over"
        case _:
            return ""


def lower_first(sentence: str) -> str:
    """Return a sentence so that it may follow a colon."""
    return sentence[:1].lower() + sentence[1:]


def describe_cause(cause: Cause) -> str:
    """Return what an activity record answers."""
    match cause.kind:
        case "event":
            return f"{cause.event_type} · event {cause.event_id}"
        case "wait":
            return f"the wait in “{cause.step_id}” was over" if cause.step_id else "a wait was over"
        case "control":
            return f"by hand: {cause.control}" if cause.control else "by hand"
        case "admission":
            return "the journey's answer whether there is a place"
        case other:
            return other

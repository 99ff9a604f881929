"""Activity in words: what each entry of a record says, and how good or bad it is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

Entry = Mapping[str, Any]

REFUSALS = {
    "conditions": "the conditions did not hold",
    "club": "the event came from another club",
    "paused": "the journey was paused or archived",
    "reentry": "the customer has been in before, and may not enter again, or not yet",
    "key": "the event lacks the value that tells one run from another, or it is longer than 256 bytes",
    "maxEnrollments": "the journey was full",
    "duplicate": "the same event had come before",
}
_KINDS = {
    "enrollment.started": "good", "enrollment.refused": "warn", "enrollment.completed": "good",
    "enrollment.exited": "gone", "enrollment.failed": "bad", "step.entered": "waits", "step.completed": "",
    "step.skipped": "gone", "step.failed": "bad", "profile.updated": "",
}  # fmt: skip
SKIPS = {
    "branch": "another branch was taken",
    "ended": "the journey ended before",
    "unsubscribed": "the customer has unsubscribed",
    "policy": "the wait's policy says so",
}


class Description(msgspec.Struct, frozen=True):
    """An entry in words. `moment` is a time that belongs to it, `rules` what was asked and seen."""

    text: str
    kind: str
    journey_id: str
    enrollment_id: str
    step_id: str
    moment: datetime | None
    rules: Sequence[Entry]
    command_id: str
    changes: Sequence[Entry]


def describe(entry: Entry) -> Description:
    """Return an entry in words."""
    result = entry.get("result") or {}
    until = entry.get("waitingUntil")
    return Description(
        _tell_step(entry, result) if entry["type"].startswith("step.") else _tell_enrollment(entry),
        _KINDS.get(entry["type"], ""),
        entry.get("journeyId") or "",
        entry.get("enrollmentId") or "",
        entry.get("stepId", "") if entry["type"].startswith("step.") else "",
        datetime.fromisoformat(until) if isinstance(until, str) else until,
        entry.get("evaluatedRules") or result.get("evaluatedRules") or (),
        result.get("messageId") or "",
        entry.get("changes") or result.get("updates") or (),
    )


def _tell_enrollment(entry: Entry) -> str:
    match entry["type"]:
        case "enrollment.started":
            key = f" for “{entry['enrollmentKey']}”" if entry.get("enrollmentKey") else ""
            number = entry.get("entryNumber", 1)
            again = f", entry {number}" if number > 1 else ""
            return f"Entered version {entry.get('journeyVersion', '?')}{key}{again}"
        case "enrollment.refused":
            return f"Did not enter: {REFUSALS.get(entry['reason'], entry['reason'])}"
        case "enrollment.completed":
            return "Completed the journey"
        case "enrollment.exited":
            detail = f": {entry['detail']}" if entry.get("detail") else ""
            return f"Left the journey ({entry.get('exitReason')}{detail})"
        case "enrollment.failed":
            return f"Failed: {entry.get('error')}"
        case "profile.updated":
            return "Was erased" if entry.get("deleted") else "Profile changed"
        case other:
            return str(other)


def _tell_step(entry: Entry, result: Entry) -> str:
    match entry["type"]:
        case "step.entered":
            return "waits until"
        case "step.skipped":
            return f"skipped: {SKIPS.get(entry['reason'], entry['reason'])}"
        case "step.failed":
            return f"failed: {entry.get('error')}"
        case _:
            return f"done{_tell_result(result)}"


def _tell_result(result: Entry) -> str:
    if result.get("sent"):
        return f": sent by {result.get('channel')}"
    if "variant" in result:
        return f": variant “{result['variant']}”"
    if "result" in result:
        return f": the answer is {'yes' if result['result'] else 'no'}"
    return f" ({result['note']})" if result.get("note") else ""


def describe_cause(cause: Entry) -> str:
    """Return what an activity record answers."""
    match cause.get("kind"):
        case "event":
            return f"{cause.get('eventType')} · event {cause.get('eventId')}"
        case "wait":
            return f"the wait in “{cause.get('stepId')}” was over" if cause.get("stepId") else "a wait was over"
        case "control":
            return f"by hand: {cause['control']}" if cause.get("control") else "by hand"
        case "admission":
            return "the journey's answer whether there is a place"
        case other:
            return str(other)

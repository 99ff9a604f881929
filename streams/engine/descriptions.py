"""What each field of a message means, by struct and by the field's name in JSON: for documentation and schemas."""

_CLUB = "the club of the event that enrolled; null if it named none"
_DATA = "the trigger's data, as followed since"
_ENTERED = "when the step was entered"
_KEY = "the value that tells this run from others of the customer; empty without an enrollmentKey"
_JOURNEY = "the journey's id, a UUID"
_VERSION = "the version that the customer entered with, from 1"
_ENROLLMENT = "the enrolment's id, a UUID"
_REASON = "one of a fixed list of reasons"
_VISIT = "how often the step was entered by then, from 1; 0 if it never was"
_AT = "when, in UTC"

COMMON: dict[str, str] = {
    "tenantId": "the tenant",
    "clubId": _CLUB,
    "customerId": "the customer",
    "journeyId": _JOURNEY,
    "journeyVersion": _VERSION,
    "enrollmentId": _ENROLLMENT,
    "enrollmentKey": _KEY,
    "stepId": "the step's id, as authored",
    "stepNumber": "the step's place in the order",
    "visit": _VISIT,
    "enteredAt": _ENTERED,
    "at": _AT,
    "variants": "the variant drawn at each SPLIT, by the step's id",
    "reason": _REASON,
    "type": "the type of the entry",
}
"""Fields that mean the same wherever they stand."""

DESCRIPTIONS: dict[str, dict[str, str]] = {
    "KnownEvent": {
        "eventId": "names what happened; the same again is ignored (R7)",
        "occurredAt": "when it happened, with an offset, from the years 1970 to 2999; waits count from it",
        "eventType": "the type; the topic's name if it is left out",
        "clubId": "the club where it happened",
        "data": "what conditions, waits and senders read",
    },
    "SendCommand": {
        "commandId": "names the command, the same after any replay; drop one that repeats",
        "channel": "how to send, as authored: EMAIL, SMS, PUSH",
        "templateId": "which template to fill in",
        "journeyName": "the journey's name",
        "visit": "how often the step was entered by then, from 1",
        "data": _DATA,
        "issuedAt": "the time of the step",
        "notAfter": "after this moment it is no longer worth sending; null: always",
    },
    "ProfileUpdate": {
        "updates": "each changed attribute, in order",
        "updatedAt": "the time of the step",
    },
    "Change": {
        "field": "the attribute, as a path",
        "before": "its value before; null if there was none",
        "after": "its value after; null if it was removed",
    },
    "Ignored": {
        "field": "the attribute, as a path",
        "value": "the value that is neither true nor false",
    },
    "Activity": {
        "activityId": "names the record, the same after any replay",
        "at": "the time of the input",
        "clubId": "the club of the input, if it named one",
        "cause": "the input that this record answers",
        "entries": "what happened, in order",
    },
    "Cause": {
        "kind": "event, wait, control or admission",
        "eventId": "of an event, or the event of an admission",
        "eventType": "of an event, or the event of an admission",
        "topic": "where the input was read: the producer's own place, also if it was sent on",
        "partition": "likewise",
        "offset": "likewise",
        "control": "of a control: enroll, exit or archive",
        "enrollmentId": "of a wait: whose",
        "stepId": "of a wait: which step",
        "due": "of a wait: when it was due",
    },
    "EnrollmentStarted": {
        "entryNumber": "which entry with this key it is, counted from 1",
        "enrolledAt": "the time of the entry",
        "triggerData": "the data of the event, or of the enrolment by hand",
    },
    "EnrollmentRefused": {
        "journeyVersion": "the newest version",
        "reason": "why not: see refusal reasons",
        "evaluatedRules": "of conditions, goal and exit: each rule, with `seen` and `matched`",
        "reentry": "of reentry: once, active, candidate or later",
        "reentryFrom": "of later: from when on the customer may enter again",
    },
    "EnrollmentCompleted": {"stepId": "the last step", "exitReason": "completed"},
    "EnrollmentExited": {
        "stepId": "the step at which it stood",
        "exitReason": "why: see exit reasons",
        "detail": "a sentence or a name, or null",
    },
    "EnrollmentFailed": {
        "stepId": "the step that failed",
        "error": "a sentence that says why",
        "exitReason": "error",
    },
    "StepEntered": {
        "waitingUntil": "until when the WAIT holds, or the SEND is held",
        "heldBy": "of a SEND: what holds it; rate is FAIRWAY_MAX_SENDS",
        "note": "of a SEND: a sentence that says why it is held",
    },
    "StepReplanned": {"waitingUntil": "the moment `before` and `after`"},
    "StepCompleted": {"completedAt": "when it was done", "result": "what it did, by the step's type"},
    "StepSkipped": {"reason": "why: see skip reasons", "enteredAt": "when it was entered, if it was"},
    "StepFailed": {"error": "a sentence that says why"},
    "GoalReached": {
        "goal": "the goal's name",
        "at": "when it was reached",
        "lastSend": "the newest command before, or null",
        "eventId": "the event that reached it; missing if rules did",
    },
    "LastSend": {
        "channel": "its channel",
        "messageId": "its commandId",
        "at": "when it was issued",
    },
    "Moved": {"before": "the moment before", "after": "the moment after"},
    "TriggerUpdated": {"changes": "each field of the trigger's data that was replaced"},
    "ProfileUpdated": {
        "changes": "each attribute that changed",
        "ignored": "values that were passed over, since they are neither true nor false",
        "deleted": "true if the customer was erased; no changes are told then",
    },
    "SendResult": {
        "sent": "true",
        "channel": "the channel",
        "messageId": "the command's commandId",
        "heldUntil": "until when it was held, if it was",
        "heldBy": "what held it",
        "note": "a sentence that says why it was held",
    },
    "ConditionResult": {
        "result": "the answer",
        "evaluatedRules": "each rule, with `seen` and `matched`",
    },
    "SplitResult": {"variant": "the variant that was drawn"},
    "UpdateResult": {"updates": "each changed attribute"},
    "WaitResult": {
        "waitingUntil": "until when it was to hold; null if a policy stood in its place",
        "firedAt": "when the steps after it ran",
        "timezone": "the zone that counted, where the WAIT names customer",
        "note": "a sentence about the zone, a policy or lateness",
        "ifLate": "what ifLate made of it, if it fired late",
        "policy": "what ifPast or ifMissing made of it",
        "ended": "of a WAIT with events or rules: event, rules or time",
        "eventId": "of event: which",
        "eventType": "of event: its type",
        "eventAt": "of event: when it occurred",
        "listener": "of event: the place in the list of events, from 1",
        "before": "of event: true if it came before the step was entered",
        "kept": "of event: the fields that `keep` names",
        "leftOut": "of event: fields too large to keep",
        "evaluatedRules": "of rules: each rule, with `seen` and `matched`",
    },
    "Enroll": {
        "data": "the trigger's data, as an event would bring it",
        "source": "set by Fairway: where the control was read",
    },
    "Exit": {
        "journeyId": "the journey; every journey if it is left out",
        "source": "set by Fairway: where the control was read",
    },
}
"""Fields by the struct that has them."""


def find_description(struct: str, field: str) -> str | None:
    """Return what a field means; None for one of Fairway's own messages that nobody else reads."""
    return DESCRIPTIONS.get(struct, {}).get(field) or COMMON.get(field)

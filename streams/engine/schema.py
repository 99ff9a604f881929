"""The JSON Schema of a journey file, for editors, and the words that describe each field."""

from typing import Any

from models.journey import Journey
from models.rules import ALIASES

_RULES = "what must hold; groups may nest"
_COMBINATOR = "AND (all of them) or OR (any of them)"
_NAME = "what it is called where somebody left by it"
_LISTENER = {
    "eventType": "the type of event, as payment.succeeded",
    "conditions": _RULES,
    "key": "the field of the event that must be the enrolment's key, if not enrollmentKey's; or any",
}

DESCRIPTIONS: dict[str, dict[str, str]] = {
    "Journey": {
        "tenantId": "whose journey it is; no colon",
        "name": "what people call it; one of its kind per tenant",
        "id": "a UUID, if its name may change; else it follows from tenantId and name",
        "version": "counted by Fairway: a changed trigger, setting or step makes a new one",
        "status": "DRAFT, ACTIVE, PAUSED or ARCHIVED; only ACTIVE lets customers in",
        "clubId": "only events of this club enter",
        "description": "what it is for",
        "triggerType": "the type of event that enters, as teetime.booked, or MANUAL",
        "triggerConfig": "conditions on the event",
        "campaignId": "the campaign that it belongs to, kept elsewhere",
        "allowReentry": "true lets a customer in again after leaving",
        "reentryAfter": "the time from one entry to the next, as '7 days'; needs allowReentry",
        "enrollmentKey": "the field that tells runs of one customer apart, as trigger.teeTimeId",
        "maxEnrollments": "how many customers may be in it at once",
        "timezone": "the time zone of days and local times, as Europe/London",
        "exits": "what ends an enrolment wherever it stands: events, or rules on the profile",
        "goal": "what the journey is for; counted once an enrolment, also after its end",
        "follow": "events that replace fields of the trigger's data; waits on these are planned anew",
        "steps": "the steps, the TRIGGER first",
    },
    "Step": {
        "stepNumber": "its place in the order; else its position from 1",
        "id": "what next steps call it; else step-<stepNumber>",
        "name": "what people call it",
        "type": "TRIGGER, SEND, WAIT, CONDITION, SPLIT, UPDATE or END",
        "config": "the settings of this type of step",
        "nextStepId": "the step that comes after it, if not the next in order",
        "nextStepYesId": "of a CONDITION: the step if the rules hold; of a WAIT: if one of its events came",
        "nextStepNoId": "of a CONDITION: the step if they do not; of a WAIT: if none of its events came in time",
    },
    "JourneyTrigger": {"conditions": _RULES},
    "TriggerConfig": {"eventType": "the same as the journey's triggerType", "conditions": _RULES},
    "SendConfig": {
        "channel": "how to send, as EMAIL, SMS or PUSH",
        "templateId": "which template the sender fills in",
        "expiresAfter": "how long after the step it is still worth sending, as '2 hours'",
    },
    "WaitConfig": {
        "duration": "how long, as '3 days' or 'PT30M'",
        "until": "a date-time, {field, offset} or {time, weekdays}",
        "events": "events that end it before its time is over; the first counts",
        "rules": "rules that end it as soon as they hold; groups may nest",
        "combinator": _COMBINATOR,
        "since": "from when on events count: step (since it was entered), enrollment, or the id of an earlier step",
        "timezone": "a time zone, or customer for the customer's own",
        "ifPast": "what to do where until is past: continue, skip, exit or fail",
        "ifMissing": "what to do where the field is missing or no date: fail, continue or exit",
        "ifLate": "what to do where it fires late, after an outage or a pause",
    },
    "Lateness": {"after": "how late, as '6 hours'", "then": "continue, skip or exit"},
    "UntilField": {
        "field": "the field that holds the date",
        "offset": "from then, as '-1 day'",
        "follow": "true plans the wait anew when this field of the profile changes",
    },
    "UntilTime": {"time": "the local time, as '09:00'", "weekdays": "on which days, as [MON, TUE]; else any day"},
    "ConditionConfig": {"rules": _RULES, "combinator": _COMBINATOR},
    "Listener": _LISTENER,
    "WaitListener": _LISTENER
    | {
        "nextStepId": "the step if this event came; else the WAIT's nextStepYesId",
        "keep": "fields of its data to keep as enrollment.heard.<stepId>.<field>",
    },
    "EventExit": _LISTENER | {"name": _NAME},
    "RulesExit": {"name": _NAME, "rules": _RULES, "combinator": _COMBINATOR},
    "Goal": {
        "name": "what it is called, as paid",
        "events": "events that reach it",
        "rules": "rules on the profile that reach it",
        "combinator": _COMBINATOR,
        "within": "how long after the entry it counts, as '14 days', at most 1 year; else 30 days",
        "exit": "false lets the customer stay when it is reached",
    },
    "Follow": _LISTENER | {"set": "the fields to replace; else all that the trigger's data has"},
    "Rule": {
        "field": "the field to look at, as membershipTier or customer.home.city",
        "operator": "how to compare, as equals",
        "value": "what to compare with",
        "valueField": "another field to compare with, instead of value",
        "ignoreCase": "true makes upper and lower case the same",
    },
    "Group": {
        "combinator": _COMBINATOR,
        "rules": _RULES,
        "not": "true turns the answer round",
    },
    "SplitConfig": {
        "variants": "the ways out, each with its name and weight",
        "weights": "the weights of variants that are only names, in the same order",
    },
    "EndConfig": {},
    "Variant": {
        "name": "what it is called",
        "weight": "its share, relative to the sum of all weights",
        "nextStepId": "the step that it leads to",
    },
    "UpdateConfig": {"updates": "what to change, all of it or nothing"},
    "Update": {
        "field": "the attribute of the customer's profile",
        "operation": "set, unset, add, remove, increment or decrement",
        "value": "the new value, the element, or the amount",
    },
}


def journey_schema() -> dict[str, Any]:
    """Return the JSON Schema of a journey file: one journey, or a list of them, in all forms accepted."""
    schema = Journey.model_json_schema(by_alias=True)
    parts: dict[str, Any] = schema.pop("$defs")
    for model, part in [*parts.items(), ("Journey", schema)]:
        for name, field in part.get("properties", {}).items():
            field["description"] = DESCRIPTIONS["Step" if model.endswith("Step") else model][name]
    schema["required"].remove("id")
    parts["Operator"]["enum"] += ALIASES
    _accept_names_and_weights(parts["SplitConfig"])
    parts["UpdateConfig"] = {"anyOf": [parts["UpdateConfig"], {"$ref": "#/$defs/Update"}]}
    parts["Journey"] = schema
    journey = {"$ref": "#/$defs/Journey"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fairway journey file",
        "anyOf": [journey, {"type": "array", "items": journey}],
        "$defs": parts,
    }


def _accept_names_and_weights(split: dict[str, Any]) -> None:
    names = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
    fields = split["properties"]
    fields["variants"] = {"anyOf": [fields["variants"], names], "description": fields["variants"]["description"]}
    fields["weights"] = {
        "type": "array",
        "items": {"type": "number", "exclusiveMinimum": 0},
        "description": DESCRIPTIONS["SplitConfig"]["weights"],
    }

"""The JSON Schema of a journey file, for editors, and the words that describe each field."""

from typing import Any

from models.journey import Journey
from models.rules import ALIASES

_RULES = "what must hold; groups may nest"
_COMBINATOR = "AND (all of them) or OR (any of them)"
_NAME = "its name, told of enrolments that ended by it"
_LISTENER = {
    "eventType": "the type of event, such as payment.succeeded",
    "conditions": _RULES,
    "key": "the field of the event that must equal the enrolment's key; else that of enrollmentKey; or any",
}

DESCRIPTIONS: dict[str, dict[str, str]] = {
    "Journey": {
        "tenantId": "the tenant that it belongs to; no colon",
        "name": "what people call it; unique within the tenant",
        "id": "a UUID; without it the id follows from tenantId and name",
        "version": "counted by Fairway: a changed trigger, setting or step makes a new one",
        "status": "DRAFT, ACTIVE, PAUSED or ARCHIVED; only ACTIVE lets customers in",
        "clubId": "only events of this club enter",
        "description": "what it is for",
        "triggerType": "the type of event that enters, such as teetime.booked, or MANUAL",
        "triggerConfig": "conditions on the event",
        "campaignId": "the id of a campaign that is kept elsewhere; unique within the tenant",
        "allowReentry": "true lets a customer enter again after leaving",
        "reentryAfter": "the least time from one entry to the next, such as '7 days'; needs allowReentry",
        "enrollmentKey": "the field that tells enrolments of one customer apart, such as trigger.teeTimeId",
        "maxEnrollments": "how many customers may be in it at once",
        "timezone": "the time zone of days and local times, such as Europe/London",
        "exits": "what ends an enrolment wherever it stands: events, or rules on the profile",
        "goal": "what the journey is for; counted once an enrolment, also after its end",
        "follow": "events that replace fields of the trigger's data; waits for these fields are planned anew",
        "steps": "the steps, the TRIGGER first",
    },
    "Step": {
        "stepNumber": "its place in the order; its position, from 1, if left out",
        "id": "the id by which others name it; step-<stepNumber> if left out",
        "name": "its name for people",
        "type": "TRIGGER, SEND, WAIT, CONDITION, SPLIT, UPDATE or END",
        "config": "the settings of this type of step",
        "nextStepId": "the step that comes after it; the next in order if left out",
        "nextStepYesId": "CONDITION: the step to go to if the rules hold; WAIT: if an event or rules ended it",
        "nextStepNoId": "CONDITION: the step to go to if the rules do not hold; WAIT: if its time was over first",
    },
    "JourneyTrigger": {"conditions": _RULES},
    "TriggerConfig": {"eventType": "the same as the journey's triggerType", "conditions": _RULES},
    "SendConfig": {
        "channel": "how to send, such as EMAIL, SMS or PUSH",
        "templateId": "which template the sender fills in",
        "expiresAfter": "how long after the step it is still worth sending, such as '2 hours'",
    },
    "WaitConfig": {
        "duration": "how long, such as '3 days' or 'PT30M'",
        "until": "a date-time, {field, offset} or {time, weekdays}",
        "events": "events that end it before its time is over; the first counts",
        "rules": "rules that end it as soon as they hold; groups may nest",
        "combinator": _COMBINATOR,
        "since": "from when on events count: step (since it was entered), enrollment, or the id of an earlier step",
        "timezone": "a time zone, or customer for the customer's own",
        "ifPast": "what to do if until is past: continue, skip, exit or fail",
        "ifMissing": "what to do if the field is missing or no date: fail, continue or exit",
        "ifLate": "what to do if it fires late, after an outage or a pause",
    },
    "Lateness": {"after": "how late, such as '6 hours'", "then": "continue, skip or exit"},
    "UntilField": {
        "field": "the field that holds the date",
        "offset": "moves that moment, such as '-1 day'",
        "follow": "true plans the wait anew when this field of the profile changes",
    },
    "UntilTime": {
        "time": "the local time, such as '09:00'",
        "weekdays": "on which days, such as [MON, TUE]; any day if left out",
    },
    "ConditionConfig": {"rules": _RULES, "combinator": _COMBINATOR},
    "Listener": _LISTENER,
    "WaitListener": _LISTENER
    | {
        "nextStepId": "the step to go to if this event came; the WAIT's nextStepYesId if left out",
        "keep": "fields of its data to keep as enrollment.heard.<stepId>.<field>",
    },
    "EventExit": _LISTENER | {"name": _NAME},
    "RulesExit": {"name": _NAME, "rules": _RULES, "combinator": _COMBINATOR},
    "Goal": {
        "name": "its name, such as paid",
        "events": "events that reach it",
        "rules": "rules on the profile that reach it",
        "combinator": _COMBINATOR,
        "within": "how long after the entry it counts, such as '14 days', at most 1 year",
        "exit": "false lets the customer stay when it is reached",
    },
    "Follow": _LISTENER | {"set": "the fields to replace; all that the trigger's data has if left out"},
    "Rule": {
        "field": "the field to look at, such as membershipTier or customer.home.city",
        "operator": "how to compare, such as equals",
        "value": "what to compare with",
        "valueField": "another field to compare with, instead of value",
        "ignoreCase": "true makes upper and lower case the same",
    },
    "Group": {
        "combinator": _COMBINATOR,
        "rules": _RULES,
        "not": "true negates the group",
    },
    "SplitConfig": {
        "variants": "the ways out, each with its name and weight",
        "weights": "the weights of variants that are only names, in the same order",
    },
    "EndConfig": {},
    "Variant": {
        "name": "its name",
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

# ruff: noqa: E501 (one line a case)
"""What does not have the shape of a journey, in words that say what to do."""

from typing import Any

import pytest

from streams.engine.schema import DESCRIPTIONS
from tests.engine.build import END, TRIGGER, ask, problems, raw, rule, send, update, wait


def split(*variants: Any, **more: Any) -> dict[str, Any]:
    return {"id": "split", "type": "SPLIT", "config": {"variants": list(variants)} | more}


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
        (raw(tenantId="a:b"), None, "'tenantId' is 'a:b', but must hold no colon and no control characters."),
        (raw(tenantId="a\nb"), None, "'tenantId' is 'a\nb', but must hold no colon and no control characters."),
        (raw(tenantId="x" * 101), None, f"'tenantId' is '{'x' * 80}…', but must have at most 100 characters."),
        (raw(name="x" * 201), None, f"'name' is '{'x' * 80}…', but must have at most 200 characters."),
        (raw(clubId="x" * 256), None, f"'clubId' is '{'x' * 80}…', but must have at most 255 characters."),
        (raw(campaignId="x" * 201), None, f"'campaignId' is '{'x' * 80}…', but must have at most 200 characters."),
        (raw(maxEnrollments=2**31), None, "'maxEnrollments' is 2147483648, but must be at most 2147483647."),
        (raw(id="5"), None, "'id' is '5', but must be a UUID in lower case; or leave it out."),
        (raw(name=""), None, "'name' is empty."),
        (raw(name=None), None, "'name' is missing: what people call it; unique within the tenant."),
        (raw(name="x" * 200, clubId=["x" * 300]), None, "'clubId' is a list, but must be text; put quotes around it."),
        (raw(clubld="x"), None, "'clubld' is not known here; did you mean 'clubId'?"),
        (raw(status="Live"), None, "'status' is 'Live', which is not known; did you mean 'ACTIVE'?"),
        (raw(status="?" * 80), None, f"'status' is '{'?' * 80}', which is not known; use one of: DRAFT, ACTIVE, PAUSED, ARCHIVED."),
        (raw(status="?" * 81), None, f"'status' is '{'?' * 80}…', which is not known; use one of: DRAFT, ACTIVE, PAUSED, ARCHIVED."),
        (raw(allowReentry="perhaps"), None, "'allowReentry' is 'perhaps', but must be true or false."),
        (raw(allowReentry=[]), None, "'allowReentry' is a list, but must be true or false."),
        (raw(maxEnrollments=0), None, "'maxEnrollments' is 0, but must be at least 1."),
        (raw(maxEnrollments="many"), None, "'maxEnrollments' is 'many', but must be a whole number."),
        (raw(maxEnrollments=1.5), None, "'maxEnrollments' is 1.5, but must be a whole number."),
        (raw(maxEnrollments=True), None, "'maxEnrollments' is true, but must be a whole number."),
        (raw(maxEnrollments="10"), None, "'maxEnrollments' is '10', but must be a whole number."),
        (raw(maxEnrollments={}), None, "'maxEnrollments' is a mapping, but must be a whole number."),
        (raw(reentryAfter="7 days", allowReentry="perhaps"), None, "'allowReentry' is 'perhaps', but must be true or false."),
        (raw(timezone=5), None, "'timezone' is 5, but must be text; put quotes around it."),
        (raw(triggerConfig=[]), None, "'triggerConfig' is a list, but must hold names and values."),
        (
            raw(triggerConfig={"conditions": [rule("eqals", 1)]}),
            None,
            "'triggerConfig.conditions#1.operator' is 'eqals', which is not known; did you mean 'equals'?",
        ),
        (raw(triggerConfig={"rules": []}), None, "'triggerConfig.rules' is not known here; use one of: conditions."),
        (raw(send(5)), "step-2", "'id' is 5, but must be text; put quotes around it."),
        (raw(send(stepNumber="two")), "mail", "'stepNumber' is 'two', but must be a whole number."),
        (raw(send(stepNumber=-1)), "mail", "'stepNumber' is -1, but must be at least 0."),
        (raw(steps=[TRIGGER, send(stepNumber=2**40)]), "mail", "'stepNumber' is 1099511627776, but must be at most 2147483647."),
        (raw(send(name="x" * 201)), "mail", f"'name' is '{'x' * 80}…', but must have at most 200 characters."),
        (raw(send("x" * 201)), "x" * 201, f"'id' is '{'x' * 80}…', but must have at most 200 characters."),
        *((raw(send(config={name: "x" * 201})), "mail", f"'config.{name}' is '{'x' * 80}…', but must have at most 200 characters.")
          for name in ("channel", "templateId")),
        (raw(send(nextStepID="end")), "mail", "'nextStepID' is not known here; did you mean 'nextStepId'?"),
        (raw({"id": "mail", "type": "SEND"}), "mail", "'config' is missing: the settings of this type of step."),
        (raw({"id": "mail", "type": "SEND", "config": {"channel": "SMS"}}), "mail", "'config.templateId' is missing: which template the sender fills in."),
        (raw(send(config={"templateId": 5})), "mail", "'config.templateId' is 5, but must be text; put quotes around it."),
        (raw(send(config={"channel": ""})), "mail", "'config.channel' is empty."),
        (raw(send(config={"channel": None})), "mail", "'config.channel' is missing: how to send, such as EMAIL, SMS or PUSH."),
        (raw() | {"steps": [TRIGGER, END | {"config": {"a": 1}}]}, "end", "'config.a' is not known here; remove it."),
        (raw(wait(until=5)), "wait", "'config.until' is 5, but must be a date-time, {field, offset} or {time, weekdays}."),
        (raw(wait(until={"field": "a", "ofset": "1 day"})), "wait", "'config.until.ofset' is not known here; did you mean 'offset'?"),
        (raw(wait(until={"field": 5})), "wait", "'config.until.field' is 5, but must be text; put quotes around it."),
        (raw(wait(until={"time": "09:00", "weekdays": ["MO"]})), "wait", "'config.until.weekdays#1' is 'MO', which is not known; did you mean 'MON'?"),
        (raw(wait(ifPast="Skip")), "wait", "'config.ifPast' is 'Skip', which is not known; did you mean 'skip'?"),
        (raw(wait(ifPast="stop")), "wait", "'config.ifPast' is 'stop', which is not known; use one of: continue, skip, exit, fail."),
        (raw(wait(ifLate={"after": "1 day"})), "wait", "'config.ifLate.then' is missing: continue, skip or exit."),
        (raw(ask("ask", 5)), "ask", "'config.rules#1' is 5, but must hold names and values."),
        (raw(ask("ask", None)), "ask", "'config.rules#1' is nothing, but must hold names and values."),
        (raw(ask("ask", {"rules": {}})), "ask", "'config.rules#1.rules' is a mapping, but must be a list."),
        (raw(ask("ask", {"operator": "isNull"})), "ask", f"'config.rules#1.field' is missing: {DESCRIPTIONS['Rule']['field']}."),
        (
            raw(ask("ask", {"field": "x", "rules": [rule("isNull")]})),
            "ask",
            "'config.rules#1.field' is not known here; use one of: combinator, not, rules.",
        ),
        (
            raw(ask("ask", rule("isNull") | {"not": True})),
            "ask",
            "'config.rules#1.not' is not known here; use one of: field, ignoreCase, operator, value, valueField.",
        ),
        (
            raw(wait(until={"field": "a", "time": "09:00"})),
            "wait",
            "'config.until.field' is not known here; use one of: time, weekdays.",
        ),
        (raw(ask("ask", rule("eqals", 1))), "ask", "'config.rules#1.operator' is 'eqals', which is not known; did you mean 'equals'?"),
        (raw(ask("ask", {"rules": [rule("eqals", 1)]})), "ask", "'config.rules#1.rules#1.operator' is 'eqals', which is not known; did you mean 'equals'?"),
        (raw(ask("ask", rule("exsts"))), "ask", "'config.rules#1.operator' is 'exsts', which is not known; did you mean 'exists'?"),
        (raw(version=1e308), None, "'version' is 1e+308, which is too large for a whole number."),
        (raw(follow=[{"eventType": "teetime.moved", "set": [{"type": "x"}]}]), None, "'follow#1.set#1' is a mapping, but must be text; put quotes around it."),
        (raw({"id": "split", "type": "SPLIT", "config": {}}), "split", "'config.variants' is missing: the ways out, each with its name and weight."),
        (raw(split()), "split", "'config.variants' is empty; it needs at least one entry."),
        (raw(split("A", "B", weights=[1])), "split", "'config': 2 variants need as many weights."),
        (raw(split({"name": "A", "weight": "x"})), "split", "'config.variants#1.weight' is 'x', but must be a number."),
        (raw(split({"name": "A", "weight": True})), "split", "'config.variants#1.weight' is true, but must be a number."),
        (raw(split({"name": "A", "weight": []})), "split", "'config.variants#1.weight' is a list, but must be a number."),
        (raw(split("A", "")), "split", "'config.variants#2.name' is empty."),
        (
            raw(split({"name": "A"}, weights=[1])),
            "split",
            "'config.weights' is not known here; use one of: variants.",
        ),
        (
            raw({"id": "u", "type": "UPDATE", "config": {"field": "a", "updates": [{"field": "b", "value": 1}]}}),
            "u",
            "'config.field' is not known here; use one of: operation, updates, value.",
        ),
        (raw(update("u")), "u", "'config.updates' is empty; it needs at least one entry."),
        (raw({"id": "u", "type": "UPDATE", "config": {"field": "a", "valeu": 1, "value": 2}}), "u", "'config.valeu' is not known here; did you mean 'value'?"),
    ],
)  # fmt: skip
def test_what_has_another_shape_is_told_with_what_is_wanted(journey: Any, step: str | None, sentence: str) -> None:
    assert problems(journey) == [(step, sentence)]

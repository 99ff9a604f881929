# ruff: noqa: E501 (one line a case)
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.rules import Operator
from streams.engine.check import Problem, check, find_twins
from streams.engine.compiling import compile_journey
from streams.engine.conditions import Scope
from streams.engine.reading import read_journeys
from streams.engine.schema import DESCRIPTIONS
from tests.engine.build import END, EXAMPLES, NOON, TRIGGER, ask, problems, raw, rule, send, update, wait
from tests.engine.truth import NO_VALUE, TRUTH

DURATION = "is not a duration; write for example '30 minutes', '1 day 2 hours' or 'PT30M'."


def split(*variants: Any, **more: Any) -> dict[str, Any]:
    return {"id": "split", "type": "SPLIT", "config": {"variants": list(variants)} | more}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_has_no_problems(file: Path) -> None:
    for journey in read_journeys(file.read_text()):
        assert problems(journey) == []


def test_every_form_of_every_step_has_no_problems() -> None:
    whole = raw(
        wait("for", "1 day", timezone="customer", ifLate={"after": "6 hours", "then": "skip"}),
        wait("at", None, until="2026-11-23T10:00", timezone="Asia/Tokyo"),
        wait("field", None, until={"field": "trigger.teeTime", "offset": "-1 day"}, ifPast="exit"),
        wait("daily", "2 days", until={"time": "09:00", "weekdays": ["MON"]}),
        send(config={"expiresAfter": "2 hours"}, name="Mail", stepNumber=6),
        split({"name": "A", "weight": 1, "nextStepId": "one"}, {"name": "B", "weight": 0.5}),
        {"id": "names", "type": "SPLIT", "config": {"variants": ["A", "B"], "weights": [1, 2]}},
        {"id": "one", "type": "UPDATE", "config": {"field": "customer.tier", "value": "Gold"}},
        update(
            "many",
            {"field": "tags", "operation": "add", "value": "x"},
            {"field": "tags", "operation": "remove", "value": "y"},
            {"field": "old", "operation": "unset"},
            {"field": "count", "operation": "increment"},
            {"field": "count", "operation": "decrement", "value": 2},
            {"field": "event", "operation": "set", "value": None},
        ),
        ask("ask", rule("isTrue"), nextStepYesId="for", nextStepNoId="end"),
        triggerConfig={"conditions": [{"combinator": "OR", "not": True, "rules": [rule(">", 1)]}]},
        timezone="Europe/London",
        allowReentry=True,
        reentryAfter="7 days",
        enrollmentKey="trigger.teeTimeId",
        maxEnrollments=5,
        clubId="north",
        campaignId="c-1",
        description="All of it.",
    )
    assert problems(whole) == []
    assert problems(raw(triggerType="MANUAL")) == []


NOT_A_DATE = "which is not a date; write for example 2026-11-23T10:00."


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
        ("text", None, "A journey holds names and values, as 'name: Welcome'."),
        (raw(tenantId="a:b"), None, "'tenantId' is 'a:b', but must hold no colon and no control characters."),
        (raw(tenantId="a\nb"), None, "'tenantId' is 'a\nb', but must hold no colon and no control characters."),
        (raw(tenantId="*"), None, "'tenantId' is '*', which stands for all tenants; name one."),
        (raw(tenantId="x" * 101), None, f"'tenantId' is '{'x' * 80}…', but must have at most 100 characters."),
        (raw(name="x" * 201), None, f"'name' is '{'x' * 80}…', but must have at most 200 characters."),
        (raw(clubId="x" * 256), None, f"'clubId' is '{'x' * 80}…', but must have at most 255 characters."),
        (raw(campaignId="x" * 201), None, f"'campaignId' is '{'x' * 80}…', but must have at most 200 characters."),
        (raw(maxEnrollments=2**31), None, "'maxEnrollments' is 2147483648, but must be at most 2147483647."),
        (raw(*[send(f"s{n}") for n in range(499)]), None, "It has 501 steps; 500 are allowed: make several journeys of it."),
        (raw(description="x" * (1 << 19)), None, "It has 524642 bytes as it is published; 524288 are allowed."),
        (raw(id="5"), None, "'id' is '5', but must be a UUID in lower case; or leave it out."),
        (raw(name=""), None, "'name' is empty."),
        (raw(name=None), None, "'name' is missing: what people call it; one of its kind per tenant."),
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
        (raw(reentryAfter="soon", allowReentry=True), None, f"'reentryAfter': 'soon' {DURATION}"),
        (raw(reentryAfter="7 days"), None, "'reentryAfter' needs 'allowReentry: true'."),
        *((raw(reentryAfter="7 days", allowReentry=no), None, "'reentryAfter' needs 'allowReentry: true'.")
          for no in (None, False, 0, 0.0, "false", "no", "off", "N")),
        (raw(reentryAfter="7 days", allowReentry="perhaps"), None, "'allowReentry' is 'perhaps', but must be true or false."),
        (raw(timezone="Europe/Londn"), None, "'timezone' is 'Europe/Londn', which is not a time zone; did you mean 'Europe/London'?"),
        (raw(timezone="?"), None, "'timezone' is '?', which is not a time zone; write for example Europe/London."),
        (raw(timezone="customer"), None, "'timezone' is 'customer', which is not a time zone; write for example Europe/London."),
        (raw(timezone=5), None, "'timezone' is 5, but must be text; put quotes around it."),
        (raw(enrollmentKey="trigger."), None, "'enrollmentKey' is 'trigger.', which has an empty part; write it as customer.home.city."),
        (raw(enrollmentKey="enrollment.key"), None, "'enrollmentKey' is 'enrollment.key', but there is no enrolment yet when an event asks to enter."),
        (raw(triggerConfig=[]), None, "'triggerConfig' is a list, but must hold names and values."),
        (
            raw(triggerConfig={"conditions": [{"rules": []}]}),
            None,
            "'triggerConfig.conditions#1' is a group without rules; add one or remove the group.",
        ),
        (
            raw(triggerConfig={"conditions": [rule("eqals", 1)]}),
            None,
            "'triggerConfig.conditions#1.operator' is 'eqals', which is not known; did you mean 'equals'?",
        ),
        (raw(triggerConfig={"rules": []}), None, "'triggerConfig.rules' is not known here; use one of: conditions."),
        (raw(steps=None), None, "'steps' is missing: a list of steps, the TRIGGER first."),
        (raw(steps=[]), None, "'steps' is missing: a list of steps, the TRIGGER first."),
        (raw(steps={}), None, "'steps' is missing: a list of steps, the TRIGGER first."),
        (raw(description="\0"), None, "'description' holds the character U+0000, which can't be stored; remove it."),
        (raw(description="\ud800"), None, "'description' holds the character U+D800, which can't be stored; remove it."),
        (raw(description={"\0": 1}), None, "'description' has a name with characters that can't be stored; remove them."),
        (raw(description={5: "x"}), None, "'description' has the name 5, but names are text; put quotes around it."),
        (raw() | {5: "x"}, None, "A journey has the name 5, but names are text; put quotes around it."),
        (raw(maxEnrollments=2**63), None, "'maxEnrollments' is too large a number; put quotes around it."),
        (
            raw(split({"name": "A", "weight": float("inf")})),
            None,
            "'steps#2.config.variants#1.weight' is inf, which is not a finite number; write one such as 1.5.",
        ),
        (raw(description=NOON), None, f"'description' is {NOON}, neither text, number, list nor mapping; put quotes around it."),
        (raw(description=[["x"] * 1000] * 1000), None, "It holds more than 100000 values."),
        (raw(5), "step-2", "A step holds names and values, as {type: END}."),
        (raw({"id": "a"}), "a", f"'type' is missing: {DESCRIPTIONS['Step']['type']}."),
        (raw({"id": "a", "type": "send"}), "a", "'type' is 'send', which is not known; did you mean 'SEND'?"),
        (
            raw({"type": ["x"]}),
            "step-2",
            "'type' is a list, which is not known; use one of: TRIGGER, SEND, WAIT, CONDITION, SPLIT, UPDATE, END.",
        ),
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
        (raw(send(config={"channel": None})), "mail", "'config.channel' is missing: how to send, as EMAIL, SMS or PUSH."),
        (raw(send(config={"expiresAfter": "soon"})), "mail", f"'config.expiresAfter': 'soon' {DURATION}"),
        (raw() | {"steps": [TRIGGER, END | {"config": {"a": 1}}]}, "end", "'config.a' is not known here; remove it."),
        (raw(wait(duration=None)), "wait", "A WAIT needs 'duration' or 'until', as duration: 3 days."),
        (raw(wait(duration="3 dayz")), "wait", f"'config.duration': '3 dayz' {DURATION}"),
        (raw(wait(until="tomorrow")), "wait", f"'config.until' is 'tomorrow', {NOT_A_DATE}"),
        (raw(wait(until="2026-02-30")), "wait", f"'config.until' is '2026-02-30', {NOT_A_DATE}"),
        (raw(wait(until=5)), "wait", "'config.until' is 5, but must be a date-time, {field, offset} or {time, weekdays}."),
        (raw(wait(until={"field": "a..b"})), "wait", "'config.until.field' is 'a..b', which has an empty part; write it as customer.home.city."),
        (raw(wait(until={"field": "a", "offset": "soon"})), "wait", f"'config.until.offset': 'soon' {DURATION}"),
        (raw(wait(until={"field": "a", "ofset": "1 day"})), "wait", "'config.until.ofset' is not known here; did you mean 'offset'?"),
        (raw(wait(until={"field": 5})), "wait", "'config.until.field' is 5, but must be text; put quotes around it."),
        (raw(wait(until={"time": "9"})), "wait", "'config.until.time' is '9', which is not a time of day; write for example '09:00'."),
        (raw(wait(until={"time": "09:00", "weekdays": ["MO"]})), "wait", "'config.until.weekdays#1' is 'MO', which is not known; did you mean 'MON'?"),
        (raw(wait(timezone="Customer")), "wait", "'config.timezone' is 'Customer', which is not a time zone; did you mean 'customer'?"),
        (raw(wait(ifPast="Skip")), "wait", "'config.ifPast' is 'Skip', which is not known; did you mean 'skip'?"),
        (raw(wait(ifPast="stop")), "wait", "'config.ifPast' is 'stop', which is not known; use one of: continue, skip, exit, fail."),
        (raw(wait(ifLate={"after": "x", "then": "exit"})), "wait", f"'config.ifLate.after': 'x' {DURATION}"),
        (raw(wait(ifLate={"after": "1 day"})), "wait", "'config.ifLate.then' is missing: continue, skip or exit."),
        (raw(ask()), "ask", "A CONDITION needs at least one rule."),
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
        (raw({"id": "split", "type": "SPLIT", "config": {}}), "split", "'config.variants' is missing: the ways out, each with its name and weight."),
        (raw(split()), "split", "'config.variants' is empty; it needs at least one entry."),
        (raw(split("A", "B", weights=[1])), "split", "'config': 2 variants need as many weights."),
        (raw(split({"name": "A", "weight": "x"})), "split", "'config.variants#1.weight' is 'x', but must be a number."),
        (raw(split({"name": "A", "weight": True})), "split", "'config.variants#1.weight' is true, but must be a number."),
        (raw(split({"name": "A", "weight": []})), "split", "'config.variants#1.weight' is a list, but must be a number."),
        (raw(split({"name": "A", "weight": 1e308}, {"name": "B", "weight": 1e308})), "split", "The weights of 'config.variants' are too large to be summed; write smaller ones."),
        (raw(update("u", {"field": "customer." + "a." * 32 + "a", "value": 1})), "u", "'config.updates#1.field' has 33 parts, but 32 are allowed."),
        (raw(split({"name": "A", "weight": 0})), "split", "'config.variants#1.weight' is 0, but must be more than 0."),
        (raw(split("A", "B", weights=[1, -2.5])), "split", "'config.variants#2.weight' is -2.5, but must be more than 0."),
        (raw(split("A", "")), "split", "'config.variants#2.name' is empty."),
        (raw(split("A", "B", "A")), "split", "2 variants have the name 'A'; give each its own."),
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
        (raw(update("u", {"field": "a"})), "u", "'config.updates#1': set needs a 'value'; to remove an attribute, use unset."),
        (raw(update("u", {"field": "a", "operation": "unset", "value": 1})), "u", "'config.updates#1': unset takes no value; remove it."),
        (raw(update("u", {"field": "a", "operation": "add"})), "u", "'config.updates#1': add needs a 'value'."),
        (raw(update("u", {"field": "a", "operation": "increment", "value": "1"})), "u", "'config.updates#1': increment needs a number, not '1'."),
        (raw(update("u", {"field": "a", "operation": "decrement", "value": True})), "u", "'config.updates#1': decrement needs a number, not true."),
        (raw(update("u", {"field": "trigger.a", "value": 1})), "u", "'config.updates#1.field' is 'trigger.a', but only the customer's profile can be changed."),
        (raw(update("u", {"field": "event.a", "value": 1})), "u", "'config.updates#1.field' is 'event.a', but only the customer's profile can be changed."),
        (raw(update("u", {"field": "enrollment.a", "value": 1})), "u", "'config.updates#1.field' is 'enrollment.a', but only the customer's profile can be changed."),
        (raw(update("u", {"field": "a.", "value": 1})), "u", "'config.updates#1.field' is 'a.', which has an empty part; write it as customer.home.city."),
        (raw({"id": "u", "type": "UPDATE", "config": {"field": "a", "valeu": 1, "value": 2}}), "u", "'config.valeu' is not known here; did you mean 'value'?"),
        (raw(send(nextStepYesId="end")), "mail", "'nextStepYesId' is only for a CONDITION; use 'nextStepId'."),
        (raw(send(nextStepId="ned")), "mail", "'nextStepId' is 'ned', which no step has as its id; did you mean 'end'?"),
        (raw(ask("ask", rule("isNull"), nextStepNoId="?")), "ask", "'nextStepNoId' is '?', which no step has as its id; use the id of a step."),
        (raw(split({"name": "A", "nextStepId": "ned"})), "split", "'config.variants#1.nextStepId' is 'ned', which no step has as its id; did you mean 'end'?"),
        (raw({"id": "stop", "type": "END", "nextStepId": "end"}, wait(), send(nextStepId="start"))
         | {"steps": [TRIGGER, {"id": "stop", "type": "END", "nextStepId": "start"}]},
         "stop", "An END leads nowhere; remove 'nextStepId'."),
        (raw() | {"steps": [END]}, None, "The journey has no TRIGGER; put one before all other steps."),
        (raw() | {"steps": [send(), TRIGGER, END]}, "start", "The TRIGGER must be the first step."),
        (raw({"id": "again", "type": "TRIGGER"}), "again", "The journey has more than one TRIGGER; keep the first."),
        (raw() | {"steps": [{"id": "start", "type": "TRIGGER", "config": {"eventType": "payment.failed"}}, END]}, "start",
         "'config.eventType' is 'payment.failed', but the journey's triggerType is 'teetime.booked'; make them equal."),
        (raw() | {"steps": [TRIGGER | {"config": {"conditions": [rule("isNull") | {"field": "enrollment.key"}]}}, END]}, "start",
         "'config.conditions#1.field' is 'enrollment.key', but there is no enrolment yet when an event asks to enter."),
        (raw(send(stepNumber=3)), "end", "It has the stepNumber 3, as step 'mail' has; give each step its own."),
        (raw(wait("again"), wait("again")), "again", "The id 'again' stands twice; give each step its own."),
        (raw(send(nextStepId="end"), wait()), "wait", "No step leads here; name it as the next step of one, or remove it."),
        (raw(ask("ask", rule("isNull"), nextStepYesId="ask")), "ask", "The steps 'ask' → 'ask' go round without a WAIT; put a WAIT into the loop."),
    ],
)  # fmt: skip
def test_a_problem_is_a_sentence_that_says_what_to_do(journey: Any, step: str | None, sentence: str) -> None:
    assert problems(journey) == [(step, sentence)]


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        (rule("in", "Gold"), "in needs a list of values, as [gold, silver], not 'Gold'."),
        (rule("nin", []), "notIn needs a list of values, as [gold, silver], not []."),
        (rule("containsAny", [1, None]), "The list of containsAny holds nothing as a value; to ask for a missing field, use isNull."),
        (rule("contains", ["a"]), "contains asks for one value, not a list; use containsAny or containsAll."),
        (rule("="), "equals needs a 'value' or a 'valueField'; to ask for a missing field, use isNull."),
        (rule(">"), "greaterThan needs a 'value' or a 'valueField'."),
        (rule(">", True), "greaterThan needs a number or a text, not true."),
        (rule("lte", {}), "lessThanOrEqual needs a number or a text, not a mapping."),
        (rule("between", [1]), "between needs two numbers or two texts, as [1, 5], not [1]."),
        (rule("between", 1), "between needs two numbers or two texts, as [1, 5], not 1."),
        (rule("between", [1, "5"]), "between needs two numbers or two texts, as [1, 5], not [1, '5']."),
        (rule("notBetween", [None, None]), "notBetween needs two numbers or two texts, as [1, 5], not [nothing, nothing]."),
        (rule("between", [5, 1]), "between needs the lower end first, as [1, 5]."),
        (rule("startsWith", 1), "startsWith needs a text, not 1."),
        (rule("matches", 1), "matches needs a text, not 1."),
        (rule("matches", "("), "'(' is not a regular expression in RE2 syntax: missing ): (."),
        (rule("matches", "x" * 4097), "The expression of matches has 4097 characters; 4096 are allowed."),
        (rule("before", "soon"), "before needs a date, as 2026-11-23 or 2026-11-23T10:00:00Z, not 'soon'."),
        (rule("after", 5), "after needs a date, as 2026-11-23 or 2026-11-23T10:00:00Z, not 5."),
        (rule("withinLast", "soon"), f"'soon' {DURATION}"),
        (rule("notWithinNext", 5), "notWithinNext needs a duration, as '3 days', not 5."),
        (rule("isNull", True), "isNull takes no value; remove it."),
        (rule("exists", valueField="y"), "isNotNull takes no value; remove it."),
        (rule("equals", 1, valueField="y"), "It has both 'value' and 'valueField'; keep one."),
    ],
)  # fmt: skip
def test_R10_a_value_that_an_operator_cannot_use_is_refused(condition: dict[str, Any], sentence: str) -> None:
    group = {"rules": [rule("isNull"), condition]}
    assert problems(raw(ask("ask", group))) == [("ask", f"'config.rules#1.rules#2': {sentence}")]


@pytest.mark.parametrize(
    ("operator", "value", "option", "_marks"),
    [*TRUTH, ("between", [5, 5], "", ""), ("matches", "x" * 4096, "", ""), ("before", "2026-11-23", "", "")],
)
def test_R10_a_value_that_an_operator_can_use_is_taken(operator: str, value: Any, option: str, _marks: str) -> None:
    condition = rule(operator, None if value is NO_VALUE else value, **({option: True} if option else {}))
    conditions = [condition, rule("equals", valueField="customer.y")]
    trigger = TRIGGER | {"config": {"conditions": conditions}}
    grouped = {"triggerConfig": {"conditions": [*conditions, {"rules": conditions}]}}
    assert problems(raw(**grouped) | {"steps": [trigger, ask("ask", *conditions), END]}) == []


def test_R8_a_field_that_cannot_be_looked_up_is_refused() -> None:
    empty = "which has an empty part; write it as customer.home.city."
    early = "is 'enrollment.key', but there is no enrolment yet when an event asks to enter."
    of_enrolment = [rule("isNull") | {"field": "enrollment.key"}, rule("equals", valueField="enrollment.key")]
    journey = raw(
        ask("ask", {"field": ".x", "operator": "equals", "valueField": "x."}, *of_enrolment),
        triggerConfig={"conditions": [*of_enrolment, {"rules": of_enrolment}]},
    )
    here = "triggerConfig.conditions"
    assert problems(journey) == [
        (None, f"'{here}#1.field' {early}"),
        (None, f"'{here}#2': '{here}#2.valueField' {early}"),
        (None, f"'{here}#3.rules#1.field' {early}"),
        (None, f"'{here}#3.rules#2': '{here}#3.rules#2.valueField' {early}"),
        ("ask", f"'config.rules#1.field' is '.x', {empty}"),
        ("ask", f"'config.rules#1': 'config.rules#1.valueField' is 'x.', {empty}"),
    ]


def test_all_problems_come_at_once() -> None:
    journey = raw(
        wait("a", "3 dayz"),
        {"id": "b", "type": "SEND", "config": {}},
        ask("c", rule("in", 5), nextStepYesId="nowhere"),
        split({"name": "A", "weight": 0}),
        timezone="Mars",
        maxEnrolments=5,
    )
    assert [step for step, _ in problems(journey)] == [None, None, "a", "b", "b", "c", "split", "c"]


def test_a_missing_trigger_type_is_told_once() -> None:
    nameless = raw(triggerType=None) | {"steps": [{"type": "TRIGGER", "config": {"eventType": "teetime.booked"}}]}
    meaning = DESCRIPTIONS["Journey"]["triggerType"]
    assert problems(nameless) == [(None, f"'triggerType' is missing: {meaning}.")]


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"x": inner}])
def test_data_nested_too_deeply_is_refused(wrap: Any) -> None:
    nested: Any = "x"
    for _ in range(63):
        nested = wrap(nested)
    sentence = "It is nested too deeply; 64 levels are allowed."
    assert (None, sentence) not in problems(raw(description=nested))
    assert problems(raw(description=wrap(nested))) == [(None, sentence)]


def test_what_cannot_be_stored_is_found_before_and_after_a_mapping() -> None:
    sentence = "'description' holds the character U+0000, which can't be stored; remove it."
    for settings in ({"description": "\0", "triggerConfig": {}}, {"triggerConfig": {}, "description": "\0"}):
        assert problems(raw(**settings)) == [(None, sentence)]


def test_what_goes_on_being_wrong_is_told_up_to_a_hundred_times_and_quickly() -> None:
    alike = [send(("ab" * 30) + str(n), nextStepId=("ba" * 28) + str(n)) for n in range(400)]  # dear to compare
    found = problems(raw(*alike))
    assert len(found) == 101
    assert found[-1] == (None, "More than these 100 problems are not looked for; mend them first.")


def test_a_long_journey_is_good_up_to_the_limits() -> None:
    assert problems(raw(*[send(f"s{n}") for n in range(498)])) == []
    assert problems(raw(description="x" * (500 * 1024))) == []


def test_journeys_that_cannot_stand_side_by_side_are_told_apart() -> None:
    id_ = "12345678-1234-1234-1234-123456789012"
    authored = [raw(), raw(name="Other", id=id_), raw(), raw(tenantId="other", id=id_), raw(version=2)]
    authored += [raw(name="c", campaignId="c-1"), raw(name="d", campaignId="c-1")]
    authored += [raw(tenantId="other", name="e", campaignId="c-1")]
    found = [journey for journey, _ in map(check, authored) if journey]
    assert list(find_twins(found)) == [
        (2, Problem(None, "Tenant 'pinehurst' has another journey named 'Welcome'; give each its own.")),
        (3, Problem(None, f"Another journey has the id '{id_}' too; give each its own.")),
        (6, Problem(None, "Another journey has the campaignId 'c-1' too; a campaign has one journey.")),
    ]


# Data that often looks like a journey: the right names with any values.
names = sorted({name for fields in DESCRIPTIONS.values() for name in fields})
words = st.sampled_from(["start", "end", "mail", "SEND", "WAIT", "UPDATE", "3 days", "x", "", "AND", *Operator])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=3)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(names) | words, inner, max_size=5),
    max_leaves=12,
)
types = st.sampled_from(["TRIGGER", "SEND", "WAIT", "CONDITION", "SPLIT", "UPDATE", "END"])
configs = st.dictionaries(st.sampled_from(names), anything, max_size=3)
strange = st.fixed_dictionaries(
    {"type": types, "config": configs | anything}, optional={"id": words, "nextStepId": words}
)


@given(st.lists(strange | anything, max_size=4), st.dictionaries(st.sampled_from(names), anything, max_size=3))
def test_checking_never_raises_and_what_passes_can_run(steps: list[Any], more: dict[str, Any]) -> None:
    for journey in (raw(*steps), raw(*steps) | more, more):
        found, wrong = check(journey)
        assert (found is None) is bool(wrong)
        assert all(problem.text.endswith((".", "?")) for problem in wrong)
        if found:
            compiled = compile_journey(found)
            compiled.conditions.hold(Scope(event={}, data={}, profile={}), NOON)

# ruff: noqa: E501 (one line a case)
"""Whether each rule can be asked (R8, R10)."""

from typing import Any

import pytest

from tests.engine.build import END, TRIGGER, ask, problems, raw, rule
from tests.engine.truth import NO_VALUE, TRUTH

DURATION = "is not a duration; write for example '30 minutes', '1 day 2 hours' or 'PT30M'."


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

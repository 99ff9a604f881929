# ruff: noqa: E501 (one line a case)
"""Checking a journey: all that is wrong at once, up to the limits of what is looked for."""

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
from tests.engine.build import EXAMPLES, NOON, ask, problems, raw, rule, send, update, wait

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


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
        ("text", None, "A journey holds names and values, as 'name: Welcome'."),
        (raw(tenantId="*"), None, "'tenantId' is '*', which stands for all tenants; name one."),
        (raw(*[send(f"s{n}") for n in range(499)]), None, "It has 501 steps; 500 are allowed: make several journeys of it."),
        (raw(description="x" * (1 << 19)), None, "It has 524642 bytes as it is published; 524288 are allowed."),
        (raw(reentryAfter="soon", allowReentry=True), None, f"'reentryAfter': 'soon' {DURATION}"),
        (raw(reentryAfter="7 days"), None, "'reentryAfter' needs 'allowReentry: true'."),
        *((raw(reentryAfter="7 days", allowReentry=no), None, "'reentryAfter' needs 'allowReentry: true'.")
          for no in (None, False, 0, 0.0, "false", "no", "off", "N")),
        (raw(timezone="Europe/Londn"), None, "'timezone' is 'Europe/Londn', which is not a time zone; did you mean 'Europe/London'?"),
        (raw(timezone="?"), None, "'timezone' is '?', which is not a time zone; write for example Europe/London."),
        (raw(timezone="customer"), None, "'timezone' is 'customer', which is not a time zone; write for example Europe/London."),
        (raw(enrollmentKey="trigger."), None, "'enrollmentKey' is 'trigger.', which has an empty part; write it as customer.home.city."),
        (raw(enrollmentKey="enrollment.key"), None, "'enrollmentKey' is 'enrollment.key', but there is no enrolment yet when an event asks to enter."),
        (
            raw(triggerConfig={"conditions": [{"rules": []}]}),
            None,
            "'triggerConfig.conditions#1' is a group without rules; add one or remove the group.",
        ),
        (raw(steps=None), None, "'steps' is missing: a list of steps, the TRIGGER first."),
        (raw(steps=[]), None, "'steps' is missing: a list of steps, the TRIGGER first."),
        (raw(steps={}), None, "'steps' is missing: a list of steps, the TRIGGER first."),
        (raw(5), "step-2", "A step holds names and values, as {type: END}."),
        (raw({"id": "a"}), "a", f"'type' is missing: {DESCRIPTIONS['Step']['type']}."),
        (raw({"id": "a", "type": "send"}), "a", "'type' is 'send', which is not known; did you mean 'SEND'?"),
        (
            raw({"type": ["x"]}),
            "step-2",
            "'type' is a list, which is not known; use one of: TRIGGER, SEND, WAIT, CONDITION, SPLIT, UPDATE, END.",
        ),
    ],
)  # fmt: skip
def test_a_problem_is_a_sentence_that_says_what_to_do(journey: Any, step: str | None, sentence: str) -> None:
    assert problems(journey) == [(step, sentence)]


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

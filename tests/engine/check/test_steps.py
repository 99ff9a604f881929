# ruff: noqa: E501 (one line a case)
"""Whether the settings of steps mean something."""

from typing import Any

import pytest

from tests.engine.build import END, TRIGGER, ask, problems, raw, rule, send, update, wait

DURATION = "is not a duration; write for example '30 minutes', '1 day 2 hours' or 'PT30M'."
NOT_A_DATE = "which is not a date; write for example 2026-11-23T10:00."


def split(*variants: Any, **more: Any) -> dict[str, Any]:
    return {"id": "split", "type": "SPLIT", "config": {"variants": list(variants)} | more}


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
        (raw(send(config={"expiresAfter": "soon"})), "mail", f"'config.expiresAfter': 'soon' {DURATION}"),
        (raw(wait(duration=None)), "wait", "A WAIT needs 'duration' or 'until', as duration: 3 days."),
        (raw(wait(duration="3 dayz")), "wait", f"'config.duration': '3 dayz' {DURATION}"),
        (raw(wait(until="tomorrow")), "wait", f"'config.until' is 'tomorrow', {NOT_A_DATE}"),
        (raw(wait(until="2026-02-30")), "wait", f"'config.until' is '2026-02-30', {NOT_A_DATE}"),
        (raw(wait(until={"field": "a..b"})), "wait", "'config.until.field' is 'a..b', which has an empty part; write it as customer.home.city."),
        (raw(wait(until={"field": "a", "offset": "soon"})), "wait", f"'config.until.offset': 'soon' {DURATION}"),
        (raw(wait(until={"time": "9"})), "wait", "'config.until.time' is '9', which is not a time of day; write for example '09:00'."),
        (raw(wait(timezone="Customer")), "wait", "'config.timezone' is 'Customer', which is not a time zone; did you mean 'customer'?"),
        (raw(wait(ifLate={"after": "x", "then": "exit"})), "wait", f"'config.ifLate.after': 'x' {DURATION}"),
        (raw(ask()), "ask", "A CONDITION needs at least one rule."),
        (raw(split({"name": "A", "weight": 1e308}, {"name": "B", "weight": 1e308})), "split", "The weights of 'config.variants' are too large to be summed; write smaller ones."),
        (raw(update("u", {"field": "customer." + "a." * 32 + "a", "value": 1})), "u", "'config.updates#1.field' has 33 parts, but 32 are allowed."),
        (raw(split({"name": "A", "weight": 0})), "split", "'config.variants#1.weight' is 0, but must be more than 0."),
        (raw(split("A", "B", weights=[1, -2.5])), "split", "'config.variants#2.weight' is -2.5, but must be more than 0."),
        (raw(split("A", "B", "A")), "split", "2 variants have the name 'A'; give each its own."),
        (raw(update("u", {"field": "a"})), "u", "'config.updates#1': set needs a 'value'; to remove an attribute, use unset."),
        (raw(update("u", {"field": "a", "operation": "unset", "value": 1})), "u", "'config.updates#1': unset takes no value; remove it."),
        (raw(update("u", {"field": "a", "operation": "add"})), "u", "'config.updates#1': add needs a 'value'."),
        (raw(update("u", {"field": "a", "operation": "increment", "value": "1"})), "u", "'config.updates#1': increment needs a number, not '1'."),
        (raw(update("u", {"field": "a", "operation": "decrement", "value": True})), "u", "'config.updates#1': decrement needs a number, not true."),
        (raw(update("u", {"field": "trigger.a", "value": 1})), "u", "'config.updates#1.field' is 'trigger.a', but only the customer's profile can be changed."),
        (raw(update("u", {"field": "event.a", "value": 1})), "u", "'config.updates#1.field' is 'event.a', but only the customer's profile can be changed."),
        (raw(update("u", {"field": "enrollment.a", "value": 1})), "u", "'config.updates#1.field' is 'enrollment.a', but only the customer's profile can be changed."),
        (raw(update("u", {"field": "a.", "value": 1})), "u", "'config.updates#1.field' is 'a.', which has an empty part; write it as customer.home.city."),
        (raw() | {"steps": [{"id": "start", "type": "TRIGGER", "config": {"eventType": "payment.failed"}}, END]}, "start",
         "'config.eventType' is 'payment.failed', but the journey's triggerType is 'teetime.booked'; make them equal."),
        (raw() | {"steps": [TRIGGER | {"config": {"conditions": [rule("isNull") | {"field": "enrollment.key"}]}}, END]}, "start",
         "'config.conditions#1.field' is 'enrollment.key', but there is no enrolment yet when an event asks to enter."),
    ],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_told_with_what_would(
    journey: Any, step: str | None, sentence: str
) -> None:
    assert problems(journey) == [(step, sentence)]

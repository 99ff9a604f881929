# ruff: noqa: E501 (one line a case)
"""Where steps lead, as validate sees it: R15, R25 and steps that nothing leads to."""

from typing import Any

import pytest

from tests.engine.build import END, TRIGGER, ask, problems, raw, rule, send, wait


def split(*variants: Any) -> dict[str, Any]:
    return {"id": "split", "type": "SPLIT", "config": {"variants": list(variants)}}


ALONE = "No step leads here; name it as the next step of one, or remove it."


def test_R25_a_loop_with_a_wait_is_none() -> None:
    assert problems(raw(wait(), ask("ask", rule("isNull"), nextStepYesId="wait"))) == []


def test_R25_every_loop_without_a_wait_is_told() -> None:
    journey = raw(
        send("a"),
        ask("b", rule("isNull"), nextStepYesId="a"),
        send("c"),
        ask("d", rule("isNull"), nextStepNoId="c"),
    )
    assert problems(journey) == [
        ("a", "The steps 'a' → 'b' → 'a' go round without a WAIT; put a WAIT into the loop."),
        ("c", "The steps 'c' → 'd' → 'c' go round without a WAIT; put a WAIT into the loop."),
    ]


def test_R25_no_more_than_twenty_loops_are_told() -> None:
    steps = [ask(f"s{number}", rule("isNull"), nextStepYesId=f"s{number}") for number in range(30)]
    assert len(problems(raw(*steps))) == 20


def test_R25_two_steps_with_one_id_are_no_loop() -> None:
    twins = raw(send(), send())
    assert problems(twins) == [("mail", "The id 'mail' stands twice; give each step its own.")]


def test_a_mistyped_next_step_does_not_make_the_step_that_it_meant_unreachable() -> None:
    journey = raw(send(nextStepId="wiat"), send("lone"), wait())
    assert problems(journey) == [
        ("mail", "'nextStepId' is 'wiat', which no step has as its id; did you mean 'wait'?"),
        ("lone", "No step leads here; name it as the next step of one, or remove it."),
    ]


@pytest.mark.parametrize(
    ("before", "alone"),
    [
        ([send("other", nextStepId="end")], True),
        ([ask("ask", rule("isNull"), nextStepYesId="end", nextStepNoId="end")], True),
        ([ask("ask", rule("isNull"), nextStepYesId="end")], False),
        ([split({"name": "A", "nextStepId": "end"}, {"name": "B", "nextStepId": "end"})], True),
        ([split({"name": "A", "nextStepId": "end"}, {"name": "B"})], False),
    ],
)
def test_R15_a_step_that_nothing_leads_to_is_told(before: list[Any], alone: bool) -> None:
    assert problems(raw(*before, send())) == [("mail", ALONE)] * alone


def test_R15_an_end_leads_nowhere() -> None:
    assert problems(raw() | {"steps": [TRIGGER, END, send()]}) == [("mail", ALONE)]


def test_R15_a_way_that_only_a_condition_may_have_leads_nowhere_from_another_step() -> None:
    journey = raw(send("a", nextStepYesId="b", nextStepId="end"), send("b"))
    assert problems(journey) == [
        ("a", "'nextStepYesId' is only for a CONDITION; use 'nextStepId'."),
        ("b", ALONE),
    ]


def test_R15_ids_that_differ_by_case_are_two() -> None:
    ways = {"nextStepYesId": "mail", "nextStepNoId": "Mail"}
    assert problems(raw(ask("ask", rule("isNull"), **ways), send("mail", nextStepId="end"), send("Mail"))) == []


def test_R15_numbers_say_the_order_and_none_or_0_is_the_position() -> None:
    assert problems(raw(send("a", stepNumber=0), send("b", stepNumber=0))) == []
    assert problems(raw() | {"steps": [send(stepNumber=2), TRIGGER | {"stepNumber": 1}, END]}) == []


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
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
        (raw(send(stepNumber=3)), "end", "It has the stepNumber 3, as step 'mail' has; give each step its own."),
        (raw(wait("again"), wait("again")), "again", "The id 'again' stands twice; give each step its own."),
        (raw(send(nextStepId="end"), wait()), "wait", "No step leads here; name it as the next step of one, or remove it."),
        (raw(ask("ask", rule("isNull"), nextStepYesId="ask")), "ask", "The steps 'ask' → 'ask' go round without a WAIT; put a WAIT into the loop."),
    ],
)  # fmt: skip
def test_where_a_step_can_t_lead_is_told(journey: Any, step: str | None, sentence: str) -> None:
    assert problems(journey) == [(step, sentence)]

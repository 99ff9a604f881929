"""What a journey compiles to, step by step."""

import re
from typing import Any

import pytest

from streams.engine.compiled import ways_out
from streams.engine.compiling import compile_journey
from tests.engine.build import TRIGGER, ask, journey, send, wait

VARIANTS = [{"name": "A", "nextStepId": "after"}, {"name": "B"}, {"name": "C", "nextStepId": "after"}]
WAYS = {"nextStepYesId": "a", "nextStepNoId": "b"}
EVERY_WAY = journey(
    steps=[
        TRIGGER,
        ask("ask", **WAYS),
        {"id": "ab", "type": "SPLIT", "config": {"variants": VARIANTS}},
        send("b", nextStepId="ask"),
        send("a", nextStepId="stop"),
        {"id": "stop", "type": "END"},
        send("after"),
    ]
)


def test_R15_a_step_leads_where_it_says_else_to_the_next_in_order_else_to_the_end() -> None:
    steps = compile_journey(EVERY_WAY).steps
    assert {id_: ways_out(step) for id_, step in steps.items()} == {
        "start": ("ask",),
        "ask": ("a", "b"),
        "ab": ("after", "b"),
        "b": ("ask",),
        "a": ("stop",),
        "stop": (),
        "after": (None,),
    }


def test_R26_what_can_be_reached_follows_every_way_out() -> None:
    compiled = compile_journey(EVERY_WAY)
    reached = {
        id_: {other for n, other in enumerate(compiled.steps) if bits >> n & 1}
        for id_, bits in compiled.reach.items()
    }
    assert reached == {
        "start": {"start", "ask", "a", "b", "stop"},
        "ask": {"ask", "a", "b", "stop"},
        "ab": {"ab", "ask", "a", "b", "stop", "after"},
        "b": {"ask", "a", "b", "stop"},
        "a": {"a", "stop"},
        "stop": {"stop"},
        "after": {"after"},
    }


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"timezone": "Atlantis"}, "'Atlantis' is not a time zone."),
        ({"steps": [TRIGGER, TRIGGER]}, "Two steps have the same id."),
        ({"steps": [TRIGGER | {"nextStepId": "x"}]}, "Step 'start' leads to 'x', which no step has as its id."),
        ({"steps": [TRIGGER, ask("q", nextStepNoId="x")]}, "Step 'q' leads to 'x', which no step has as its id."),
        ({"steps": [TRIGGER, wait(until={"time": "25:00"})]}, "'25:00' is not a time of day."),
    ],
)
def test_what_could_not_run_is_refused_with_a_sentence(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        compile_journey(journey(**wrong))

"""What a journey compiles to, step by step."""

from streams.engine.compiled import compile_journey, ways_out
from tests.engine.build import TRIGGER, ask, journey, send

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

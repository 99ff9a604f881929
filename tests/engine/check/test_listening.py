# ruff: noqa: E501 (one line a case)
"""What a journey listens for, as validate sees it: R31, R34 to R43."""

from typing import Any

import pytest

from streams.engine.check import check
from streams.engine.compiling import compile_journey
from streams.engine.schema import DESCRIPTIONS
from tests.engine.build import ask, problems, raw, send, wait
from tests.engine.test_schema import takes

PAID: dict[str, Any] = {"eventType": "payment.succeeded"}
GOLD = {"field": "customer.tier", "operator": "equals", "value": "Gold"}
DURATION = "is not a duration; write for example '30 minutes', '1 day 2 hours' or 'PT30M'."
KEPT = "ask customer., or enrollment. with one of: id, journeyId, version, key, entryNumber, enrolledAt, variants."


def listen(*events: Any, **more: Any) -> dict[str, Any]:
    ways = {name: more.pop(name) for name in ("nextStepYesId", "nextStepNoId", "nextStepId") if name in more}
    return wait("wait", more.pop("duration", "3 days"), events=list(events), **more) | ways


def test_every_form_of_listening_has_no_problems_is_in_the_schema_and_compiles() -> None:
    whole = raw(
        send("mail"),
        listen(
            PAID | {"nextStepId": "mail", "keep": ["amount", "invoice"], "conditions": [GOLD]},
            {"eventType": "email.opened", "key": "any"},
            {"eventType": "email.clicked", "key": "event.data.id"},
            rules=[GOLD, {"rules": [GOLD]}], combinator="OR", since="mail", nextStepYesId="mail", nextStepNoId="next",
        ),
        wait("next", None, until={"field": "customer.renewalDate", "follow": True}, events=[PAID], since="enrollment"),
        wait("bare", None, until={"field": "renewalDate", "follow": True}, rules=[GOLD]),
        enrollmentKey="trigger.id",
        exits=[{"eventType": "teetime.cancelled"}, {"eventType": "x", "name": "gone", "key": "booking", "conditions": [GOLD]},
               {"rules": [GOLD]}, {"rules": [GOLD], "combinator": "OR", "name": "left the club"}],
        goal={"name": "paid", "events": [{"eventType": "paid", "key": "any"}], "rules": [GOLD], "combinator": "OR", "within": "1 year", "exit": False},
        follow=[{"eventType": "teetime.rescheduled", "set": ["teeTime"]}, {"eventType": "moved", "key": "any", "conditions": [GOLD]}],
    )  # fmt: skip
    assert problems(whole) == []
    assert takes(whole)
    found, _ = check(whole)
    assert found is not None
    assert compile_journey(found).hears == {
        "payment.succeeded", "email.opened", "email.clicked", "teetime.cancelled", "x", "paid", "teetime.rescheduled", "moved",
    }  # fmt: skip
    for fewer in ({"exits": None}, {"goal": None}, {"follow": None}, {"exits": []}, {"goal": {"rules": [GOLD]}}):
        assert problems(whole | fewer) == []


@pytest.mark.parametrize(
    ("journey", "step", "sentence"),
    [
        # R34
        (raw(listen(PAID, duration=None)), "wait", "A WAIT needs 'duration' or 'until' beside what it waits for, as duration: 30 days, for it may never come."),
        (raw(wait("wait", None, rules=[GOLD])), "wait", "A WAIT needs 'duration' or 'until' beside what it waits for, as duration: 30 days, for it may never come."),
        (raw(listen()), "wait", "'config.events' is empty; it needs at least one entry."),
        (raw(listen(*[PAID | {"eventType": f"e{n}"} for n in range(33)])), "wait", "'config.events' has 33 entries; 32 are allowed."),
        (raw(listen({"conditions": []})), "wait", "'config.events#1.eventType' is missing: the type of event, such as payment.succeeded."),
        (raw(listen(PAID | {"keeep": ["x"]})), "wait", "'config.events#1.keeep' is not known here; did you mean 'keep'?"),
        (raw(listen({"eventType": ""})), "wait", "'config.events#1.eventType' is empty."),
        (raw(listen(PAID | {"nextStepId": "ned"})), "wait", "'config.events#1.nextStepId' is 'ned', which no step has as its id; did you mean 'end'?"),
        (raw(listen(PAID, nextStepYesId="ned")), "wait", "'nextStepYesId' is 'ned', which no step has as its id; did you mean 'end'?"),
        (raw(wait("wait", nextStepYesId="end") | {"nextStepYesId": "end", "config": {"duration": "1 day"}}), "wait", "'nextStepYesId' is only for a WAIT with 'events' or 'rules'; use 'nextStepId'."),
        (raw(listen(PAID | {"nextStepId": "end"}, nextStepYesId="end")), "wait", "'nextStepYesId' is never taken, for each event has a nextStepId of its own; remove it."),
        (raw(listen(PAID, PAID)), "wait", "'config.events#2' is never heard, for 'config.events#1' takes every such event; remove it."),
        (raw(listen(PAID, PAID | {"conditions": [GOLD]})), "wait", "'config.events#2' is never heard, for 'config.events#1' takes every such event; remove it."),
        (raw(listen(PAID | {"key": "any"}, PAID), enrollmentKey="id"), "wait", "'config.events#2' is never heard, for 'config.events#1' takes every such event; remove it."),
        (raw(listen(PAID), exits=[PAID]), "wait", "'config.events#1' never ends the WAIT, for 'exits#1' ends the journey by the same event; remove one."),
        (raw(listen(PAID), exits=[{"rules": [GOLD]}, PAID | {"name": "paid"}]), "wait", "'config.events#1' never ends the WAIT, for exit 'paid' ends the journey by the same event; remove one."),
        (raw(listen(PAID), goal={"events": [PAID]}), "wait", "'config.events#1' never ends the WAIT, for the goal ends the journey by the same event; remove one."),
        # R31
        (raw(listen(PAID | {"key": "id"})), "wait", "'config.events#1.key' tells nothing apart, for the journey has no 'enrollmentKey'; remove it."),
        (raw(exits=[PAID | {"key": "any"}]), None, "'exits#1.key' tells nothing apart, for the journey has no 'enrollmentKey'; remove it."),
        (raw(exits=[PAID | {"key": "customer.id"}], enrollmentKey="id"), None, "'exits#1.key' is 'customer.id', but must lie in the event; write a field of its data, or any."),
        (raw(exits=[PAID | {"key": "a..b"}], enrollmentKey="id"), None, "'exits#1.key' is 'a..b', which has an empty part; write it as customer.home.city."),
        (raw(exits=[PAID | {"key": ""}], enrollmentKey="id"), None, "'exits#1.key' is empty."),
        (raw(exits=[PAID | {"conditions": [{"field": "x", "operator": "eqals", "value": 1}]}]), None, "'exits#1.conditions#1.operator' is 'eqals', which is not known; did you mean 'equals'?"),
        (raw(listen(PAID | {"conditions": [{"field": "x", "operator": "in", "value": 1}]})), "wait", "'config.events#1.conditions#1': in needs a list of values, as [gold, silver], not 1."),
        # R35
        (raw(wait("wait", since="enrollment")), "wait", "'config.since' needs 'config.events'; remove it."),
        (raw(wait("wait", rules=[GOLD], since="step")), "wait", "'config.since' needs 'config.events'; remove it."),
        (raw(send(), listen(PAID, since="mial")), "wait", "'config.since' is 'mial', which no step has as its id; did you mean 'mail'?"),
        (raw(listen(PAID, since="enrolment")), "wait", "'config.since' is 'enrolment', which no step has as its id; did you mean 'enrollment'?"),
        (raw(listen(PAID, since="???")), "wait", "'config.since' is '???', which no step has as its id; use step, enrollment or the id of an earlier step."),
        (raw(listen(PAID, since="wait")), "wait", "'config.since' is 'wait', the WAIT itself; write step."),
        (raw(listen(PAID, since="mail"), send()), "wait", "'config.since' is 'mail', but no way leads from there to here; name an earlier step."),
        # R36
        (raw(wait("wait", rules=[])), "wait", "'config.rules' is empty; it needs at least one entry."),
        (raw(wait("wait", combinator="OR")), "wait", "'config.combinator' needs 'config.rules'; remove it."),
        (raw(wait("wait", rules=[{"field": "x", "operator": "withinLast", "value": "1 day"}])), "wait", "'config.rules#1': withinLast turns true by the clock alone, but this is asked when the profile changes; use a WAIT until {field, offset}."),
        (raw(wait("wait", rules=[{"rules": [{"field": "x", "operator": "notWithinNext", "value": "1 day"}]}])), "wait", "'config.rules#1.rules#1': notWithinNext turns true by the clock alone, but this is asked when the profile changes; use a WAIT until {field, offset}."),
        # R37
        (raw(listen(PAID | {"keep": list("abcdefghi")})), "wait", "'config.events#1.keep' has 9 entries; 8 are allowed."),
        (raw(listen(PAID | {"keep": ["a", ""]})), "wait", "'config.events#1.keep' holds an empty name; write a field of the event's data."),
        (raw(listen(PAID | {"keep": ["a", "a"]})), "wait", "'config.events#1.keep' names a field twice; keep one."),
        (raw(listen(PAID | {"keep": ["a"]}) | {"id": "a.b"}), "a.b", "The id 'a.b' holds a dot, so enrollment.heard can't name what it keeps; give it another id."),
        # R39
        (raw(exits=[{"rules": []}]), None, "'exits#1.rules' is empty; it needs at least one entry."),
        (raw(exits=[{}]), None, f"'exits#1.eventType' is missing: {DESCRIPTIONS['Listener']['eventType']}."),
        (raw(exits=[{"evntType": "x", "rules": [GOLD]}]), None, "'exits#1.evntType' is not known here; use one of: combinator, name, rules."),
        (raw(exits=[PAID | {"combinator": "OR"}]), None, "'exits#1.combinator' is not known here; use one of: conditions, eventType, key, name."),
        (raw(exits=PAID), None, "'exits' is a mapping, but must be a list."),
        (raw(exits=[5]), None, "'exits#1' is 5, but must hold names and values."),
        (raw(exits=[PAID | {"name": "x" * 201}]), None, f"'exits#1.name' is '{'x' * 80}…', but must have at most 200 characters."),
        (raw(exits=[{"rules": [{"field": "x", "operator": "withinNext", "value": "1 day"}]}]), None, "'exits#1.rules#1': withinNext turns true by the clock alone, but this is asked when the profile changes; use a WAIT until {field, offset}."),
        (raw(exits=[{"rules": [GOLD]}], triggerConfig={"conditions": [GOLD]}), None, "'exits#1.rules' always hold when the trigger lets somebody in, so that nobody would enter; change one."),
        # R40
        (raw(goal={}), None, "'goal' needs 'events' or 'rules', as events: [{eventType: payment.succeeded}]."),
        (raw(goal={"events": []}), None, "'goal.events' is empty; it needs at least one entry."),
        (raw(goal={"rules": []}), None, "'goal.rules' is empty; it needs at least one entry."),
        (raw(goal={"evnts": [PAID]}), None, "'goal.evnts' is not known here; did you mean 'events'?"),
        (raw(goal={"events": [PAID | {"keep": ["x"]}]}), None, "'goal.events#1.keep' is not known here; use one of: conditions, eventType, key."),
        (raw(goal={"events": [PAID], "exit": "no"}), None, "'goal.exit' is 'no', but must be true or false."),
        (raw(goal={"events": [PAID], "within": "soon"}), None, f"'goal.within': 'soon' {DURATION}"),
        (raw(goal={"events": [PAID], "within": "366 days"}), None, "'goal.within' is '366 days', but must be more than nothing and at most 1 year."),
        (raw(goal={"events": [PAID], "within": "0 days"}), None, "'goal.within' is '0 days', but must be more than nothing and at most 1 year."),
        (raw(goal={"events": [PAID | {"conditions": [{"field": "trigger.x", "operator": "isNull"}]}]}), None, f"'goal.events#1.conditions#1.field' is 'trigger.x', which is not kept when the enrolment has ended; {KEPT}"),
        (raw(goal={"rules": [{"field": "event.x", "operator": "isNull"}]}), None, f"'goal.rules#1.field' is 'event.x', which is not kept when the enrolment has ended; {KEPT}"),
        (raw(goal={"rules": [{"field": "x", "operator": "equals", "valueField": "enrollment.visits.mail"}]}), None, f"'goal.rules#1.valueField' is 'enrollment.visits.mail', which is not kept when the enrolment has ended; {KEPT}"),
        (raw(goal={"rules": [GOLD]}, triggerConfig={"conditions": [GOLD]}), None, "'goal.rules' always hold when the trigger lets somebody in, so that nobody would enter; change one."),
        # R42
        (raw(follow=[PAID | {"set": []}]), None, "'follow#1.set' is empty; name fields, or remove it to set all that the trigger's data has."),
        (raw(follow=[PAID | {"set": [""]}]), None, "'follow#1.set' holds an empty name; write a field of the event's data."),
        (raw(follow=[PAID | {"set": ["id"]}], enrollmentKey="trigger.id"), None, "'follow#1.set' names 'id', but the enrollmentKey never changes; leave it out."),
        (raw(follow=[PAID | {"set": ["booking"]}], enrollmentKey="event.data.booking.id"), None, "'follow#1.set' names 'booking', but the enrollmentKey never changes; leave it out."),
        (raw(follow=[PAID | {"sett": ["x"]}]), None, "'follow#1.sett' is not known here; did you mean 'set'?"),
        # R43
        (raw(wait("wait", None, until={"field": "trigger.x", "follow": True})), "wait", "'config.until.follow' is for fields of the profile, not for 'trigger.x'; to move the trigger's data, give the journey a 'follow'."),
        (raw(wait("wait", None, until={"field": "x", "follow": "yes"})), "wait", "'config.until.follow' is 'yes', but must be true or false."),
    ],
)  # fmt: skip
def test_a_problem_of_listening_is_a_sentence_that_says_what_to_do(
    journey: Any, step: str | None, sentence: str
) -> None:
    assert problems(journey) == [(step, sentence)]


@pytest.mark.parametrize(
    ("rules", "asked", "always"),
    [
        ([GOLD], [GOLD], True),
        ([GOLD], [{"rules": [GOLD]}], True),
        ([{"rules": [GOLD]}], [GOLD], True),
        ([GOLD], [{"rules": [GOLD], "not": True}], False),
        ([GOLD], [{"rules": [GOLD, GOLD | {"value": "x"}], "combinator": "OR"}], False),
        ([GOLD], [{"rules": [GOLD], "combinator": "OR"}], True),
        ([{"rules": [GOLD], "not": True}], [GOLD], False),
        ([GOLD | {"value": "Silver"}], [GOLD], False),
        ([GOLD | {"ignoreCase": True}], [GOLD], False),
        ([GOLD, GOLD | {"value": "Silver"}], [GOLD], False),
        ([{"rules": [GOLD, GOLD | {"value": "Silver"}], "combinator": "OR"}], [GOLD], True),
        ([{"rules": [GOLD, GOLD | {"operator": "!="}], "combinator": "OR"}], [], True),
        ([{"rules": [GOLD, {"rules": [GOLD | {"operator": "!="}]}], "combinator": "OR"}], [], False),
        ([GOLD | {"field": "tier"}], [GOLD | {"field": "tier"}], False),
    ],
)
def test_R39_an_exit_that_lets_nobody_in_is_found(rules: list[Any], asked: list[Any], always: bool) -> None:
    for settings in (
        {"triggerConfig": {"conditions": asked}},
        {
            "steps": [
                {"id": "start", "type": "TRIGGER", "config": {"conditions": asked}},
                {"id": "end", "type": "END"},
            ]
        },
    ):
        assert bool(problems(raw(exits=[{"rules": rules}]) | settings)) == always
        assert problems(raw(goal={"rules": rules, "exit": False}) | settings) == []


@pytest.mark.parametrize(
    "journey",
    [
        raw(listen(PAID | {"conditions": [GOLD]}, PAID)),
        raw(listen(PAID, PAID | {"key": "any"}), enrollmentKey="id"),
        raw(listen(PAID), exits=[PAID | {"conditions": [GOLD]}]),
        raw(listen(PAID | {"key": "any"}), exits=[PAID], enrollmentKey="id"),
        raw(listen(PAID), goal={"events": [PAID], "exit": False}),
        raw(listen(PAID | {"nextStepId": "end"}, rules=[GOLD], nextStepYesId="end")),
    ],
)
def test_a_listener_that_may_be_heard_is_no_problem(journey: Any) -> None:
    assert problems(journey) == []


def test_R15_steps_that_only_a_listener_or_a_time_out_leads_to_are_reached() -> None:
    for way in ("nextStepId", "nextStepYesId", "nextStepNoId"):
        there = listen(
            PAID | ({"nextStepId": "far"} if way == "nextStepId" else {}),
            **({} if way == "nextStepId" else {way: "far"}),
        )
        assert problems(raw(there, send(nextStepId="end"), send("far"))) == []
    assert problems(raw(listen(PAID), send(nextStepId="end"), send("far"))) == [
        ("far", "No step leads here; name it as the next step of one, or remove it.")
    ]


def test_R25_a_loop_through_a_listening_wait_is_none() -> None:
    assert problems(raw(send(), listen(PAID, nextStepYesId="mail"))) == []
    round_ = ask("ask", GOLD, nextStepYesId="wait")
    assert problems(raw(listen(PAID, nextStepNoId="end"), round_)) == []


def test_what_is_wrong_in_one_part_does_not_hide_the_others() -> None:
    whole = raw(
        listen(PAID | {"key": "id"}),
        exits=[5, PAID | {"key": "any"}], goal={"events": [PAID], "within": "soon"}, follow=[{"set": ["x"]}, PAID | {"set": []}],
    )  # fmt: skip
    assert [text.partition(" ")[0].strip("':") for _, text in problems(whole)] == [
        "exits#1", "follow#1.eventType", "exits#2.key", "goal.within", "follow#2.set", "config.events#1.key",
        "config.events#1", "config.events#1",
    ]  # fmt: skip

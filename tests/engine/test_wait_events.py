"""A WAIT that an event or rules end before its time is over: R34 to R38."""

from datetime import timedelta
from typing import Any

import pytest

from models.customer import Customer
from models.journey import Journey, JourneyStatus
from tests.engine.build import NOON, Life, ask, event, hours, journey, live, send, update, wait

COMPLETED = {"eventType": "teetime.completed"}
OPENED = {"eventType": "email.opened"}
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


def listen(
    *events: dict[str, Any], id_: str = "wait", duration: str | None = "3 days", **more: Any
) -> dict[str, Any]:
    ways = {name: more.pop(name) for name in ("nextStepYesId", "nextStepNoId") if name in more}
    return wait(id_, duration, **({"events": list(events)} if events else {}), **more) | ways


def asking(*steps: dict[str, Any], **settings: Any) -> Journey:
    """Return a journey with a WAIT that leads to `thank` or, when its time is over, to `remind`."""
    return journey(*steps, send("remind", "remind", nextStepId="end"), send("thank", "thank"), **settings)


BY_EVENT = asking(listen(COMPLETED, nextStepYesId="thank", nextStepNoId="remind"))
BY_KEY = asking(
    listen(COMPLETED, nextStepYesId="thank", nextStepNoId="remind"), enrollmentKey="trigger.id", allowReentry=True
)
DUE = NOON + timedelta(days=3)


def results(life: Life, step: str = "wait") -> list[dict[str, Any]]:
    return [
        entry["result"] for entry in life.entries if entry["type"] == "step.completed" and entry["stepId"] == step
    ]


# --- R34: events


@pytest.mark.parametrize(
    ("occurs", "sent"),
    [
        (timedelta(), [("thank", NOON)]),
        (timedelta(hours=5), [("thank", NOON + hours(5))]),
        (timedelta(days=3) - INSTANT, [("thank", DUE - INSTANT)]),
        (timedelta(days=3), [("remind", DUE)]),
        (timedelta(days=3) + INSTANT, [("remind", DUE + INSTANT)]),
    ],
)
def test_R34_the_first_event_ends_the_wait_unless_its_time_is_over_before(occurs: timedelta, sent: Any) -> None:
    life = Life(live(BY_EVENT)).give(event()).give(event(2, NOON + occurs, "teetime.completed"))
    assert life.sent == sent
    assert life.due(DUE + hours(1)).sent == sent


def test_R34_a_run_of_a_tee_time_waits_for_that_tee_time() -> None:
    life = Life(live(BY_KEY)).give(event(1, data={"id": "t1"})).give(event(2, NOON + hours(1), data={"id": "t2"}))
    life.hear(3, 2, "teetime.completed")
    assert life.latest == (), "an event without the key is heard by nobody"
    life.hear(4, 3, "teetime.completed", id="t2")
    assert life.stands == [("t1", "wait")]
    assert life.sent == [("thank", NOON + hours(3))]
    assert life.due(DUE).sent[1:] == [("remind", DUE)]


def test_R34_of_several_listeners_that_fit_the_first_counts_and_leads_its_own_way() -> None:
    won = {"field": "score", "operator": "lessThan", "value": 70}
    both = listen(
        COMPLETED | {"conditions": [won], "nextStepId": "won"}, COMPLETED, OPENED | {"nextStepId": "remind"},
        nextStepYesId="thank",
    )  # fmt: skip
    one = asking(both, send("won", "won", nextStepId="end"))
    for type_, data, template in [
        ("teetime.completed", {"score": 69}, "won"),
        ("teetime.completed", {"score": 70}, "thank"),
        ("email.opened", {}, "remind"),
    ]:
        life = Life(live(one)).give(event()).hear(2, 1, type_, **data)
        assert [name for name, _ in life.sent] == [template]


def test_R34_each_way_falls_back_to_the_next_step() -> None:
    one = journey(listen(COMPLETED), send("next", "next"))
    for life in (
        Life(live(one)).give(event()).hear(2, 1, "teetime.completed"),
        Life(live(one)).give(event()).due(DUE),
    ):
        assert [name for name, _ in life.sent] == ["next"]


@pytest.mark.parametrize("then", ["skip", "exit"])
def test_R34_R20_is_asked_of_the_time_out_alone(then: str) -> None:
    late = listen(COMPLETED, nextStepYesId="thank", nextStepNoId="remind", ifLate={"after": "1 hour", "then": then})
    life = Life(live(asking(late))).give(event()).hear(2, 1, "teetime.completed", read=60)
    assert life.sent == [("thank", NOON + hours(1))]
    assert Life(live(asking(late))).give(event()).due(DUE + hours(2)).sent == []


def test_R34_the_steps_after_it_run_at_the_event_s_time_and_a_wait_after_it_counts_from_there() -> None:
    one = journey(listen(COMPLETED), send("one"), wait("hour", "1 hour"), send("two"))
    life = Life(live(one)).give(event()).hear(2, 1, "teetime.completed", read=1.5)
    assert life.told("step.entered", "waitingUntil")[1:] == [NOON + hours(2)]
    assert [at for _, at in life.due(NOON + hours(2)).sent] == [NOON + hours(1), NOON + hours(2)]


def test_R34_an_event_that_is_read_after_an_outage_goes_before_the_time_out_that_was_due_after_it() -> None:
    life = Life(live(BY_EVENT)).give(event()).hear(2, 71.9, "teetime.completed", read=73)
    assert [name for name, _ in life.sent] == ["thank"]


def test_R34_the_same_event_twice_is_refused_and_ends_nothing_again() -> None:
    twice = journey(listen(COMPLETED, id_="one"), listen(COMPLETED, id_="two"), send())
    life = Life(live(twice)).give(event()).hear(2, 1, "teetime.completed").hear(2, 2, "teetime.completed")
    assert (life.stands, life.told("enrollment.refused", "reason")) == ([("", "two")], ["duplicate"])
    assert len(life.hear(3, 2, "teetime.completed").sent) == 1


def test_R34_one_event_moves_an_enrolment_once() -> None:
    twice = journey(listen(COMPLETED, id_="one"), listen(COMPLETED, id_="two"), send())
    life = Life(live(twice)).give(event()).hear(2, 1, "teetime.completed")
    assert life.stands == [("", "two")]


def test_R34_an_event_that_exits_and_triggers_ends_one_run_and_begins_another_that_it_does_not_move() -> None:
    again = journey(
        listen({"eventType": "teetime.booked"}), send(), allowReentry=True, exits=[{"eventType": "teetime.booked"}]
    )
    life = Life(live(again)).give(event(1)).hear(2, 1, "teetime.booked")
    assert life.told("enrollment.exited", "exitReason", "detail") == [("rule", "exit 1")]
    assert life.told("enrollment.started", "entryNumber") == [1, 2]
    assert (life.stands, life.sent) == ([("", "wait")], [])


def test_R34_the_branch_that_was_not_taken_is_skipped_whichever_way_it_ends() -> None:
    for life, skipped in [
        (Life(live(BY_EVENT)).give(event()).hear(2, 1, "teetime.completed"), ["remind"]),
        (Life(live(BY_EVENT)).give(event()).due(DUE), ["thank"]),
    ]:
        assert life.told("step.skipped", "stepId", "reason") == [(id_, "branch") for id_ in skipped]


@pytest.mark.parametrize(("policy", "sent"), [("continue", ["remind"]), ("skip", []), ("exit", []), ("fail", [])])
def test_R34_a_date_that_is_past_means_that_time_is_over(policy: str, sent: list[str]) -> None:
    past = listen(
        COMPLETED, duration=None, until="2026-11-20", ifPast=policy, nextStepYesId="thank", nextStepNoId="remind"
    )
    life = Life(live(asking(past))).give(event())
    assert [name for name, _ in life.sent] == sent
    assert [result["ended"] for result in results(life)] == ["time"] * (policy != "fail")


# --- R35: since


def since(step: str, *steps: dict[str, Any], **settings: Any) -> Journey:
    after = listen(OPENED, since=step, nextStepYesId="thank", nextStepNoId="remind", duration="1 hour")
    return asking(*steps, wait("quiet", "1 hour"), after, **settings)


@pytest.mark.parametrize(
    ("step", "occurs", "read", "ended", "sent_at"),
    [
        ("step", 0.5, 0.5, "time", 2),
        ("step", 0.5, 1.5, "time", 2),
        ("step", 1, 1, "event", 1),
        ("step", 1.5, 1.5, "event", 1.5),
        ("enrollment", -0.1, 0.5, "time", 2),
        ("enrollment", 0, 0.5, "event", 1),
        ("enrollment", 0.5, 0.5, "event", 1),
        ("enrollment", 0.5, 1.5, "event", 1),
        ("enrollment", 1.5, 1.5, "event", 1.5),
        ("mail", 0.5, 0.5, "event", 1),
        ("mail", -0.1, 0.5, "time", 2),
    ],
)
def test_R35_from_when_on_events_count(step: str, occurs: float, read: float, ended: str, sent_at: float) -> None:
    life = Life(live(since(step, send()))).give(event())
    for at in (0.5, 1, 1.5, 2):
        if read == at:
            life.hear(2, occurs, "email.opened", read=read)
        life.due(NOON + hours(at))
    template = "thank" if ended == "event" else "remind"
    assert life.sent[1:] == [(template, NOON + hours(sent_at))]
    (result,) = results(life)
    assert (result["ended"], result.get("before")) == (
        ended,
        True if occurs < 1 and read < 1 and ended == "event" else None,
    )


def test_R35_a_step_is_told_as_entered_even_if_it_is_over_at_once() -> None:
    life = Life(live(since("enrollment", send()))).give(event()).hear(2, 0.5, "email.opened").due(NOON + hours(1))
    assert life.told("step.entered", "stepId", "waitingUntil") == [
        ("quiet", NOON + hours(1)), ("wait", NOON + hours(2)),
    ]  # fmt: skip
    assert results(life) == [
        {
            "waitingUntil": NOON + hours(2), "firedAt": NOON + hours(1), "ended": "event", "eventId": "e-2",
            "eventType": "email.opened", "eventAt": NOON + hours(0.5), "listener": 1, "before": True,
        }
    ]  # fmt: skip


def test_R35_an_event_that_is_kept_leaves_no_record_but_is_remembered() -> None:
    life = Life(live(since("enrollment", send()))).give(event()).hear(2, 0.5, "email.opened")
    assert life.latest == ()
    assert life.hear(2, 0.6, "email.opened").told("enrollment.refused", "reason") == ["duplicate"]


def test_R35_nothing_is_kept_for_a_wait_that_can_t_be_reached_any_more() -> None:
    life = Life(live(since("enrollment", send()))).give(event()).due(NOON + hours(1))
    before = life.customer
    assert life.stands == [("", "wait")]
    life = Life(live(journey(listen(OPENED, since="enrollment"), wait("last", "9 hours")))).give(event())
    life.hear(2, 0.1, "email.opened")
    before = life.customer
    assert life.hear(3, 0.2, "email.opened").customer is before


def test_R35_a_step_that_was_never_entered_counts_nothing() -> None:
    skipping = since("mail", ask("ask", {"field": "x", "operator": "isNull"}, nextStepYesId="quiet"), send())
    life = Life(live(skipping)).give(event()).hear(2, 0.5, "email.opened").due(NOON + hours(1))
    life.hear(3, 1.5, "email.opened")
    assert life.stands == [("", "wait")]
    assert life.due(NOON + hours(2)).sent == [("remind", NOON + hours(2))]


LOOP = journey(
    send("mail", "mail"), wait("quiet", "1 hour"),
    listen(OPENED, id_="opened", since="enrollment", duration="2 hours", nextStepYesId="mail", nextStepNoId="end"),
)  # fmt: skip


def test_R35_an_event_that_was_used_is_not_found_again_in_the_next_round() -> None:
    life = Life(live(LOOP)).give(event()).hear(2, 0.5, "email.opened").due(NOON + hours(1))
    assert life.stands == [("", "quiet")]
    life.due(NOON + hours(2))
    assert life.stands == [("", "opened")], "the second round holds again"
    life.hear(3, 2.5, "email.opened").due(NOON + hours(3.5))
    assert [at for _, at in life.sent] == [NOON, NOON + hours(1), NOON + hours(2.5)]


def test_R35_entering_the_step_to_count_from_begins_the_memory_anew() -> None:
    again = journey(
        send("mail", "mail"),
        listen(COMPLETED, id_="played", duration="1 hour", nextStepYesId="mail", nextStepNoId="opened"),
        listen(OPENED, id_="opened", since="mail", duration="1 hour", nextStepYesId="yes", nextStepNoId="end"),
        send("yes", "yes", nextStepId="end"),
    )
    life = Life(live(again)).give(event()).hear(2, 0.2, "email.opened").hear(3, 0.5, "teetime.completed")
    life.due(NOON + hours(1.5)).due(NOON + hours(2.5))
    assert [name for name, _ in life.sent] == ["mail", "mail"]
    life = Life(live(again)).give(event()).hear(3, 0.5, "teetime.completed").hear(2, 0.5, "email.opened")
    life.due(NOON + hours(1.5))
    assert [name for name, _ in life.sent] == ["mail", "mail", "yes"]


def test_R35_of_a_listener_the_newest_event_is_kept_and_of_several_listeners_the_earliest_counts() -> None:
    both = listen(
        OPENED | {"nextStepId": "thank"},
        COMPLETED | {"nextStepId": "remind"},
        since="enrollment",
        duration="1 hour",
    )
    life = Life(live(asking(wait("quiet", "1 hour"), both))).give(event())
    life.hear(2, 0.1, "email.opened").hear(3, 0.5, "email.opened").hear(4, 0.3, "teetime.completed", read=0.6)
    life.hear(5, 0.2, "email.opened", read=0.7).due(NOON + hours(1))
    assert [name for name, _ in life.sent] == ["remind"]
    assert results(life)[0]["eventAt"] == NOON + hours(0.3)
    life = Life(live(asking(wait("quiet", "1 hour"), both))).give(event())
    life.hear(2, 0.1, "email.opened").hear(3, 0.5, "email.opened").due(NOON + hours(1))
    assert results(life)[0]["eventId"] == "e-3"


def test_R35_an_event_that_ended_a_wait_is_spent_for_all_others() -> None:
    later = listen(OPENED, id_="later", since="enrollment", duration="1 hour")
    one = journey(listen(OPENED, duration="1 hour"), later, send())
    life = Life(live(one)).give(event()).hear(2, 0.5, "email.opened")
    assert life.stands == [("", "later")]
    kept = journey(wait("quiet", "1 hour"), listen(OPENED, id_="one", since="enrollment"), later, send())
    life = Life(live(kept)).give(event()).hear(2, 0.5, "email.opened").due(NOON + hours(1))
    assert life.stands == [("", "later")]


# --- R36: rules


HANDICAP = {"field": "customer.handicap", "operator": "isNotNull"}


def ruled(**more: Any) -> Journey:
    return asking(listen(rules=[HANDICAP], nextStepYesId="thank", nextStepNoId="remind", **more))


def test_R36_rules_that_hold_when_the_step_is_entered_end_it_at_once() -> None:
    life = Life(live(ruled()), Customer("pinehurst", "c-7", {"handicap": 12})).give(event())
    assert life.sent == [("thank", NOON)]
    seen = HANDICAP | {"value": None, "seen": 12, "matched": True}
    assert results(life) == [{"waitingUntil": DUE, "firedAt": NOON, "ended": "rules", "evaluatedRules": [seen]}]


def test_R36_else_a_change_of_the_profile_ends_it() -> None:
    life = Life(live(ruled())).give(event()).hear(2, 1, "customer.updated", city="Cork")
    assert life.sent == []
    assert life.hear(3, 2, "customer.updated", handicap=12).sent == [("thank", NOON + hours(2))]
    assert life.kinds[0] == "profile.updated"
    assert Life(live(ruled())).give(event()).due(DUE).sent == [("remind", DUE)]


def test_R36_combinator() -> None:
    rules = [HANDICAP, {"field": "city", "operator": "equals", "value": "Cork"}]
    for combinator, sent in (("AND", 0), ("OR", 1)):
        either = asking(listen(rules=rules, combinator=combinator, nextStepYesId="thank", nextStepNoId="remind"))
        assert len(Life(live(either)).give(event()).hear(2, 1, "customer.updated", city="Cork").sent) == sent


SETS = journey(
    update("set", {"field": "handicap", "value": 9}), name="Sets", triggerType="round.played", allowReentry=True
)


def test_R36_an_update_of_another_journey_ends_it_in_the_same_record() -> None:
    life = Life(live(ruled(), SETS)).give(event()).hear(2, 1, "round.played")
    assert life.sent == [("thank", NOON + hours(1))]
    assert len(life.latest) == 3, "a command, a profile update, and one record"
    assert len(life.records) == 2


def test_R36_of_an_event_and_rules_within_one_input_the_event_counts() -> None:
    both = listen(
        {"eventType": "customer.updated", "nextStepId": "remind"}, rules=[HANDICAP], nextStepYesId="thank"
    )
    life = Life(live(asking(both))).give(event()).hear(2, 1, "customer.updated", handicap=9)
    assert [name for name, _ in life.sent] == ["remind"]


def test_R36_rules_that_hold_for_a_moment_within_one_input_are_not_seen() -> None:
    undone = journey(
        update("set", {"field": "handicap", "value": 9}),
        update("unset", {"field": "handicap", "operation": "unset"}),
        name="Undone", triggerType="round.played",
    )  # fmt: skip
    life = Life(live(ruled(), undone)).give(event()).hear(2, 1, "round.played")
    assert life.stands == [("", "wait")]


def test_R36_a_change_that_comes_late_ends_it_no_earlier_than_it_was_entered() -> None:
    late = asking(wait("quiet", "1 hour"), listen(rules=[HANDICAP], nextStepYesId="thank", nextStepNoId="remind"))
    life = Life(live(late)).give(event()).due(NOON + hours(1)).hear(2, 0.5, "customer.updated", read=2, handicap=9)
    assert life.sent == [("thank", NOON + hours(1))]


# --- R33: who wakes whom


def waking(name: str, waits_for: str, sets: str) -> Journey:
    """Return a journey that waits for the one value, sets the other, and waits again, round and round."""
    rule = {"field": "ball", "operator": "equals", "value": waits_for}
    return journey(
        listen(rules=[rule], id_="wait", nextStepYesId="set", nextStepNoId="end"),
        update("set", {"field": "ball", "value": sets}) | {"nextStepId": "wait"},
        name=name,
    )


def test_R33_of_two_journeys_that_wake_each_other_the_first_to_pass_a_hundred_steps_fails() -> None:
    life = Life(live(waking("A", "a", "b"), waking("B", "b", "a"))).give(event())
    life.hear(2, 1, "customer.updated", ball="a")
    assert life.told("enrollment.failed", "error") == ["step limit"]
    ((_, step),) = life.stands
    assert step == "wait", "the other is simply not woken again"
    (failed,) = life.told("enrollment.failed", "enrollmentId")
    taken = [e["visit"] for e in life.entries if e.get("enrollmentId") == failed and e["type"] == "step.completed"]
    assert len(taken) == 1 + 1 + 100, "the trigger; the wait that the first input entered; a hundred steps"
    assert len(life.records) == 2


def test_R33_the_next_input_counts_anew() -> None:
    life = Life(live(waking("A", "a", "c"))).give(event())
    for number in range(2, 80):
        life.hear(number, 1, "customer.updated", ball="a")
    assert life.stands == [("", "wait")]


def test_R33_a_late_wait_in_between_lets_the_steps_count_anew() -> None:
    ball, score = ({"field": name, "operator": "isNotNull"} for name in ("ball", "score"))
    one = journey(
        listen(rules=[ball]),
        *[send(f"a{number}") for number in range(60)],
        wait("late", "1 hour"),
        *[send(f"b{number}") for number in range(60)],
        listen(rules=[score], id_="again"),
        *[send(f"c{number}") for number in range(30)],
    )
    other = journey(listen(rules=[ball]), update("u", {"field": "score", "value": 1}), name="Other")
    life = Life(live(one)).give(event())
    life.journeys = live(one, other)
    life.give(event(2, NOON + hours(0.5))).hear(3, 1, "customer.updated", read=5, ball=1)
    assert len(life.sent) == 150
    assert life.told("enrollment.completed", "exitReason") == ["completed"] * 2


# --- R37: told and kept


@pytest.mark.parametrize(
    ("data", "kept", "left_out"),
    [
        ({"score": 72, "course": "old", "x": 1}, {"score": 72, "course": "old"}, None),
        ({"score": None}, {"score": None, "course": None}, None),
        ({"score": {"out": 36, "in": [9, 27]}}, {"score": {"out": 36, "in": [9, 27]}, "course": None}, None),
        ({"score": 1, "course": "x" * 1001}, {"score": 1, "course": "x" * 1001}, None),
        ({"score": 1, "course": "x" * 1002}, {"score": 1}, ["course"]),
        ({"score": "x" * 2000, "course": "old"}, {"course": "old"}, ["score"]),
    ],
)
def test_R37_fields_of_the_event_are_kept(data: dict[str, Any], kept: Any, left_out: Any) -> None:
    keeping = listen(COMPLETED | {"keep": ["score", "course"]}, id_="played")
    rule = {"field": "enrollment.heard.played.score", "operator": "equals", "value": 72}
    life = Life(live(journey(keeping, ask("ask", rule), send()))).give(event())
    (result,) = results(life.hear(2, 1, "teetime.completed", **data), "played")
    assert result == {
        "waitingUntil": DUE, "firedAt": NOON + hours(1), "ended": "event", "eventId": "e-2",
        "eventType": "teetime.completed", "eventAt": NOON + hours(1), "listener": 1, "kept": kept,
        **({"leftOut": left_out} if left_out else {}),
    }  # fmt: skip
    assert results(life, "ask")[0]["result"] == (data.get("score") == 72)


def test_R37_what_was_kept_before_the_wait_is_there_too_and_is_a_field_for_until() -> None:
    keeping = listen(COMPLETED | {"keep": ["again"]}, id_="played", since="enrollment")
    until = wait("later", None, until={"field": "enrollment.heard.played.again"})
    life = Life(live(journey(wait("quiet", "1 hour"), keeping, until, send()))).give(event())
    life.hear(2, 0.5, "teetime.completed", again="2026-11-25T09:00:00Z").due(NOON + hours(1))
    assert results(life, "played")[0]["kept"] == {"again": "2026-11-25T09:00:00Z"}
    assert life.told("step.entered", "waitingUntil")[-1] == NOON + hours(45)


def test_R37_a_listener_that_keeps_nothing_tells_nothing_of_it_and_a_plain_wait_is_as_ever() -> None:
    life = (
        Life(live(journey(listen(COMPLETED), wait("plain", "1 hour"))))
        .give(event())
        .hear(2, 1, "teetime.completed")
    )
    assert "kept" not in results(life)[0]
    life.due(NOON + hours(2))
    assert results(life, "plain") == [{"waitingUntil": NOON + hours(2), "firedAt": NOON + hours(2)}]


def test_R37_time_that_is_over_says_so_beside_what_any_wait_says() -> None:
    late = {"after": "1 hour", "then": "continue"}
    zoned = listen(COMPLETED, timezone="customer", ifLate=late)
    life = Life(live(journey(zoned))).give(event()).due(DUE + hours(2))
    (result,) = results(life)
    assert {name: result[name] for name in ("waitingUntil", "firedAt", "ended", "timezone", "ifLate")} == {
        "waitingUntil": DUE, "firedAt": DUE + hours(2), "ended": "time", "timezone": "UTC", "ifLate": "continue",
    }  # fmt: skip


# --- R38: pause


def pause(life: Life, one: Journey) -> Life:
    return life.set(JourneyStatus.PAUSED, one)


def resume(life: Life, one: Journey) -> Life:
    return life.set(JourneyStatus.ACTIVE, one)


SHORT = asking(
    listen(COMPLETED | {"keep": ["score"]}, duration="30 minutes", nextStepYesId="thank", nextStepNoId="remind")
)


def test_R38_the_first_event_of_a_pause_ends_the_wait_at_the_resume() -> None:
    life = pause(Life(live(SHORT)).give(event()), SHORT)
    life.hear(2, 0.25, "teetime.completed", score=72).hear(3, 0.4, "teetime.completed", score=80).due(
        NOON + hours(1)
    )
    assert life.sent == []
    resume(life, SHORT).due(NOON + hours(2))
    assert life.sent == [("thank", NOON + hours(2))]
    assert results(life) == [
        {
            "waitingUntil": NOON + hours(0.5), "firedAt": NOON + hours(2), "ended": "event", "eventId": "e-2",
            "eventType": "teetime.completed", "eventAt": NOON + hours(0.25), "listener": 1, "kept": {"score": 72},
        }
    ]  # fmt: skip
    assert life.due(NOON + hours(3)).sent == [("thank", NOON + hours(2))]


def test_R38_a_time_out_that_was_due_first_stays_first() -> None:
    life = pause(Life(live(SHORT)).give(event()), SHORT).hear(2, 0.5, "teetime.completed")
    assert resume(life, SHORT).due(NOON + hours(2)).sent == [("remind", NOON + hours(2))]


def test_R38_rules_that_come_true_in_a_pause_are_kept_even_if_they_turn_false_again() -> None:
    one = ruled()
    life = pause(Life(live(one)).give(event()), one).hear(2, 1, "customer.updated", handicap=9)
    life.hear(3, 2, "customer.updated", handicap=None)
    resume(life, one).due(NOON + hours(4))
    assert life.sent == [("thank", NOON + hours(4))]
    assert [(r["ended"], r["waitingUntil"]) for r in results(life)] == [("rules", DUE)]
    assert results(life)[0]["evaluatedRules"][0]["seen"] == 9


def test_R38_an_event_that_ended_a_wait_in_a_pause_is_not_late() -> None:
    late = listen(
        COMPLETED, nextStepYesId="thank", nextStepNoId="remind", ifLate={"after": "1 hour", "then": "exit"}
    )
    one = asking(late)
    life = pause(Life(live(one)).give(event()), one).hear(2, 1, "teetime.completed")
    assert resume(life, one).due(NOON + hours(9)).sent == [("thank", NOON + hours(9))]


def test_R38_what_is_kept_for_a_later_wait_is_kept_in_a_pause_too() -> None:
    one = since("enrollment", send())
    life = pause(Life(live(one)).give(event()), one).hear(2, 0.5, "email.opened")
    resume(life, one).due(NOON + hours(3))
    assert life.sent[1:] == [("thank", NOON + hours(3))]


def test_R38_an_event_that_comes_late_in_a_pause_is_due_no_earlier_than_the_step_was_entered() -> None:
    one = since("enrollment", send())
    life = Life(live(one)).give(event()).due(NOON + hours(1))
    pause(life, one).hear(2, 0.5, "email.opened", read=1.5)
    assert life.customer is not None
    assert [e.waiting_until for e in life.customer.enrollments.values()] == [NOON + hours(1)]

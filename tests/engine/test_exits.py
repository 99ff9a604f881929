"""What ends an enrolment wherever it stands, and keeps out whom it would end at once: R39."""

from datetime import timedelta
from typing import Any

import pytest

from models.customer import Customer
from models.ids import CustomerKey
from models.journey import JourneyStatus
from streams.engine.advance import advance
from streams.engine.inputs import Arrived, Enroll, Exit, PlaceAnswer, ReleasePlace
from tests.engine.build import NOON, Life, ask, event, hours, journey, live, send, update, wait

PAID = {"eventType": "payment.succeeded"}
GONE = {"field": "customer.status", "operator": "in", "value": ["LAPSED", "RESIGNED"]}
INSTANT = timedelta(microseconds=1)


def out(life: Life) -> list[tuple[str, str, str]]:
    return life.told("enrollment.exited", "stepId", "exitReason", "detail")


def test_R39_an_event_ends_it_while_it_waits_and_the_rest_is_skipped() -> None:
    one = journey(wait(duration="3 days"), send(), exits=[PAID])
    life = Life(live(one)).give(event()).hear(2, 24, "payment.succeeded")
    assert out(life) == [("wait", "rule", "exit 1")]
    assert life.told("step.skipped", "stepId", "visit", "reason") == [
        ("wait", 1, "ended"), ("mail", 0, "ended"), ("end", 0, "ended"),
    ]  # fmt: skip
    assert life.customer is not None
    assert (life.customer.enrollments, life.due(NOON + hours(99)).sent) == ({}, [])


@pytest.mark.parametrize(("occurs", "sent"), [(-INSTANT, 0), (timedelta(), 1), (INSTANT, 1)])
def test_R39_a_wait_that_is_due_at_or_before_it_fires_first(occurs: timedelta, sent: int) -> None:
    one = journey(wait(), send(), wait("more"), exits=[PAID])
    life = (
        Life(live(one)).give(event()).give(event(2, NOON + hours(2) + occurs, "payment.succeeded"), NOON + hours(3))
    )
    assert (len(life.sent), len(out(life))) == (sent, 1)


def test_R39_only_the_run_of_that_tee_time_ends_and_by_any_key_all_in_order() -> None:
    for listener, left in (({}, 1), ({"key": "any"}, 2)):
        one = journey(
            wait(),
            enrollmentKey="trigger.id",
            allowReentry=True,
            exits=[{"eventType": "teetime.cancelled"} | listener],
        )
        life = Life(live(one)).give(event(1, data={"id": "t2"})).give(event(2, NOON + hours(1), data={"id": "t1"}))
        ids = life.told("enrollment.started", "enrollmentId")
        life.hear(3, 1.5, "teetime.cancelled")
        life.hear(4, 1.5, "teetime.cancelled", id="t2")
        assert life.told("enrollment.exited", "enrollmentId") == ids[:left]
        assert len(life.records[-1]["entries"]) == left * 3, "one record"


def test_R39_each_exit_is_told_by_its_name_or_by_its_place_and_the_first_that_fits_counts() -> None:
    exits = [PAID | {"conditions": [{"field": "amount", "operator": "greaterThan", "value": 9}]}, {"rules": [GONE]},
             PAID | {"name": "paid"}, PAID, {"name": "left the club", "rules": [GONE]}]  # fmt: skip
    for number, type_, data, detail in [
        (2, "payment.succeeded", {"amount": 10}, "exit 1"),
        (3, "payment.succeeded", {"amount": 9}, "paid"),
        (4, "customer.updated", {"status": "LAPSED"}, "exit 2"),
    ]:
        life = Life(live(journey(wait(), exits=exits))).give(event()).hear(number, 1, type_, **data)
        assert out(life) == [("wait", "rule", detail)]


def test_R39_rules_end_it_as_soon_as_they_hold_and_another_journey_may_make_them() -> None:
    one = journey(wait(), send(), exits=[{"rules": [GONE]}])
    life = Life(live(one)).give(event()).hear(2, 1, "customer.updated", status="ACTIVE")
    assert out(life) == []
    assert len(out(life.hear(3, 1, "customer.updated", status="RESIGNED"))) == 1
    sets = journey(update("u", {"field": "status", "value": "LAPSED"}), name="Sets", triggerType="dues.late")
    life = Life(live(one, sets)).give(event()).hear(2, 1, "dues.late")
    assert (len(out(life)), len(life.records)) == (1, 2)


def test_R39_rules_may_be_joined_by_or() -> None:
    rules = [GONE, {"field": "tier", "operator": "isNull"}]
    for combinator, ended in (("AND", 0), ("OR", 1)):
        known = Customer("pinehurst", "c-7", {"tier": "Gold"})
        one = journey(wait(), exits=[{"rules": rules, "combinator": combinator}])
        life = Life(live(one), known).give(event()).hear(2, 1, "customer.updated", tier=None)
        assert len(out(life)) == ended


def test_R39_its_own_update_may_end_it() -> None:
    one = journey(update("u", {"field": "status", "value": "LAPSED"}), wait(), exits=[{"rules": [GONE]}])
    assert out(Life(live(one)).give(event())) == [("wait", "rule", "exit 1")]


def test_R39_a_paused_journey_ends_it_at_the_event_too() -> None:
    one = journey(wait(), send(), exits=[PAID, {"rules": [GONE]}])
    for type_, data in (("payment.succeeded", {}), ("customer.updated", {"status": "LAPSED"})):
        life = Life(live(one)).give(event()).set(JourneyStatus.PAUSED, one).hear(2, 3, type_, **data)
        assert life.told("enrollment.exited", "at") == [NOON + hours(3)]
        assert life.set(JourneyStatus.ACTIVE, one).due(NOON + hours(9)).sent == []


def test_R39_what_comes_late_ends_it_no_earlier_than_its_step_was_entered() -> None:
    one = journey(wait(), send(), wait("more"), exits=[PAID])
    life = Life(live(one)).give(event()).due(NOON + hours(3)).hear(2, 1, "payment.succeeded", read=4)
    assert life.told("enrollment.exited", "at") == [NOON + hours(3)]


KNOWN = Customer("pinehurst", "c-7", {"status": "LAPSED"})


def test_R39_whom_rules_would_end_at_once_does_not_enter() -> None:
    one = journey(wait(), exits=[PAID, {"rules": [GONE], "name": "gone"}])
    life = Life(live(one), KNOWN).give(event())
    assert life.told("enrollment.refused", "reason", "evaluatedRules") == [
        ("exit", [GONE | {"seen": "LAPSED", "matched": True}])
    ]
    assert Life(live(one)).give(event()).stands == [("", "wait")]


def test_R39_entry_by_hand_is_asked_too() -> None:
    one = journey(wait(), exits=[{"rules": [GONE]}])
    assert Life(live(one), KNOWN).give(Enroll(one.id, NOON)).told("enrollment.refused", "reason") == ["exit"]
    assert Life(live(one)).give(Enroll(one.id, NOON)).stands == [("", "wait")]


@pytest.mark.parametrize(
    ("data", "key", "reason"),
    [({"x": 1}, "trigger.x", "conditions"), ({}, "trigger.x", "exit"), ({}, None, "exit")],
)
def test_R39_it_is_asked_after_the_conditions_and_before_the_key(data: Any, key: str | None, reason: str) -> None:
    asked = {"conditions": [{"field": "x", "operator": "isNull"}]}
    one = journey(wait(), exits=[{"rules": [GONE]}], triggerConfig=asked, enrollmentKey=key)
    assert Life(live(one), KNOWN).give(event(data=data)).told("enrollment.refused", "reason") == [reason]


def test_R39_rules_may_ask_the_trigger_s_data() -> None:
    alone = {"field": "trigger.players", "operator": "lessThan", "value": 2}
    one = journey(wait(), exits=[{"rules": [alone]}])
    assert Life(live(one)).give(event(data={"players": 1})).told("enrollment.refused", "reason") == ["exit"]
    assert Life(live(one)).give(event(data={"players": 2})).stands == [("", "wait")]


LIMITED = journey(
    wait(), maxEnrollments=1, enrollmentKey="trigger.id", exits=[PAID, {"rules": [GONE]}], allowReentry=True
)


def candidate() -> Life:
    life = Life(live(LIMITED)).give(event(data={"id": "t1"}))
    assert life.customer is not None
    assert len(life.customer.candidates) == 1
    return life


def test_R39_a_candidate_whose_key_fits_leaves_and_gives_its_place_back() -> None:
    life = candidate().hear(2, 1, "payment.succeeded", id="t2")
    assert life.latest == ()
    life.hear(3, 1, "payment.succeeded", id="t1")
    assert life.told("enrollment.refused", "reason", "enrollmentKey") == [("exit", "t1")]
    (asked,) = life.forwards
    life.give(PlaceAnswer(asked.message.enrollment_id, LIMITED.id, admitted=True))  # type: ignore[union-attr]
    assert isinstance(life.forwards[-1].message, ReleasePlace)
    assert life.stands == []


def test_R39_a_candidate_leaves_by_rules_too() -> None:
    life = candidate().hear(2, 1, "customer.updated", city="Cork")
    assert life.told("enrollment.refused", "reason") == []
    assert life.hear(3, 1, "customer.updated", status="LAPSED").told("enrollment.refused", "reason") == ["exit"]


def test_R39_a_candidate_is_asked_by_the_version_that_it_would_enter() -> None:
    life = candidate()
    stricter = LIMITED.model_copy(update={"version": 2, "exits": journey(wait(), exits=[{"rules": [
        {"field": "trigger.id", "operator": "equals", "value": "t1"}]}]).exits})  # fmt: skip
    life.journeys = life.journeys.with_version(stricter).with_status(LIMITED.id, JourneyStatus.ACTIVE, 2)
    (asked,) = life.forwards
    life.give(PlaceAnswer(asked.message.enrollment_id, LIMITED.id, admitted=True))  # type: ignore[union-attr]
    assert life.told("enrollment.refused", "reason", "enrollmentKey") == [("exit", "t1")]
    assert isinstance(life.forwards[-1].message, ReleasePlace)


def test_R39_who_unsubscribes_from_everything_leaves_for_that_reason_even_where_it_is_an_exit() -> None:
    one = journey(wait(), exits=[{"eventType": "customer.unsubscribed"}])
    life = Life(live(one)).give(event()).hear(2, 1, "customer.unsubscribed")
    assert out(life) == [("wait", "unsubscribed", None)]
    assert out(Life(live(one)).give(event()).hear(2, 1, "customer.unsubscribed", channel="SMS")) == [
        ("wait", "rule", "exit 1")
    ]


def test_R39_exits_belong_to_the_version_that_was_entered() -> None:
    old, new = journey(wait()), journey(wait(), exits=[PAID], version=2)
    life = Life(live(old)).give(event())
    life.journeys = life.journeys.with_version(new).with_status(new.id, JourneyStatus.ACTIVE, 2)
    assert life.hear(2, 1, "payment.succeeded").stands == [("", "wait")]


def test_R39_where_refusals_are_not_told_one_is_not_explained() -> None:
    one = journey(wait(), exits=[{"rules": [GONE]}])
    silent = advance(
        KNOWN, CustomerKey.of("pinehurst", "c-7"), Arrived(event()), NOON, live(one), tell_refusals=False
    )
    assert (silent.customer is not None and silent.customer.enrollments, silent.effects) == ({}, ())


def test_R39_leaving_by_hand_is_as_ever() -> None:
    one = journey(wait(), ask("ask", GONE), exits=[PAID])
    assert out(Life(live(one)).give(event()).give(Exit(NOON))) == [("wait", "manual", None)]

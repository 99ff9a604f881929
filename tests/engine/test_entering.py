"""Who enters a journey, and why not: R1 to R7."""

from datetime import timedelta
from typing import Any

import pytest

from models.customer import Customer, decode, encode
from models.ids import CustomerKey
from models.journey import JourneyStatus
from streams.engine.advance import advance
from streams.engine.effects import plain
from streams.engine.inputs import Arrived, Enroll, Exit
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait

GOLD = {"field": "membershipTier", "operator": "in", "value": ["Gold", "Platinum"]}
WAITING = journey(wait(duration="30 days"))


def test_R1_an_event_that_meets_everything_enters() -> None:
    life = Life(live(journey(send(), triggerConfig={"conditions": [GOLD]}, clubId="north")))
    life.give(event(club="north", data={"membershipTier": "Gold"}))
    assert life.told("enrollment.started", "enrollmentKey", "entryNumber") == [("", 1)]
    assert life.sent == [("hello", NOON)]


@pytest.mark.parametrize(
    ("settings", "given", "reason"),
    [
        ({"clubId": "north"}, {"club": "south"}, "club"),
        ({"clubId": "north"}, {}, "club"),
        ({"triggerConfig": {"conditions": [GOLD]}}, {"data": {"membershipTier": "Silver"}}, "conditions"),
        ({"triggerConfig": {"conditions": [GOLD]}}, {}, "conditions"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {}, "key"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {"data": {"teeTimeId": None}}, "key"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {"data": {"teeTimeId": ""}}, "key"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {"data": {"teeTimeId": ["t-1"]}}, "key"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {"data": {"teeTimeId": "t" * 257}}, "key"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {"data": {"teeTimeId": "é" * 128 + "t"}}, "key"),
        ({"enrollmentKey": "trigger.teeTimeId"}, {"data": {"teeTimeId": 1e300}}, "key"),
    ],
)
def test_R2_a_journey_that_is_not_entered_says_why(
    settings: dict[str, Any], given: dict[str, Any], reason: str
) -> None:
    life = Life(live(journey(send(), **settings))).give(event(**given))
    assert life.told("enrollment.refused", "reason") == [reason]
    assert life.sent == []


def test_R2_refusal_by_conditions_records_every_rule() -> None:
    vip = {"field": "vip", "operator": "isTrue"}
    life = Life(live(journey(send(), triggerConfig={"conditions": [GOLD, vip]}))).give(event())
    (rules,) = life.told("enrollment.refused", "evaluatedRules")
    assert [(rule["field"], rule["matched"]) for rule in rules] == [("membershipTier", False), ("vip", False)]


def test_R2_refusals_may_be_left_out() -> None:
    journeys = live(journey(wait(), triggerConfig={"conditions": [GOLD]}))
    for given in (event(1), event(2, data={"membershipTier": "Gold"}), event(3, data={"membershipTier": "Gold"})):
        outcome = advance(
            None, CustomerKey.of("pinehurst", "c-7"), Arrived(given), NOON, journeys, tell_refusals=False
        )
        again = advance(
            outcome.customer,
            CustomerKey.of("pinehurst", "c-7"),
            Arrived(given),
            NOON,
            journeys,
            tell_refusals=False,
        )
        assert again.effects == ()
        kinds = [entry["type"] for effect in outcome.effects for entry in plain(effect)["entries"]]
        assert "enrollment.refused" not in kinds


def test_R1_the_conditions_of_the_trigger_step_count_too() -> None:
    gold_only = journey(send(), steps=[{"type": "TRIGGER", "config": {"conditions": [GOLD]}}, send()])
    life = Life(live(gold_only)).give(event(1)).give(event(2, data={"membershipTier": "Gold"}))
    assert life.told("enrollment.refused", "reason") == ["conditions"]
    assert len(life.sent) == 1


def test_R1_other_tenants_types_and_drafts_are_no_business_of_the_event() -> None:
    journeys = live(journey(send(), tenantId="augusta"), journey(send(), name="B", triggerType="payment.failed"))
    journeys = journeys.with_version(journey(send(), name="C")).with_status(
        journey(name="C").id, JourneyStatus.DRAFT, 1
    )
    life = Life(journeys).give(event())
    assert (life.customer, life.effects) == (None, [])


def test_R2_one_event_enters_several_journeys_and_they_do_not_affect_each_other() -> None:
    failing = journey(
        {"id": "u", "type": "UPDATE", "config": {"field": "name", "operation": "increment"}}, name="B"
    )
    life = Life(live(failing, journey(send())), Customer("pinehurst", "c-7", {"name": "Ann"}))
    life.give(event())
    assert life.told("enrollment.failed", "exitReason") == ["error"]
    assert life.sent == [("hello", NOON)]


def test_R29_a_paused_journey_refuses() -> None:
    life = Life(live(journey(send()), status=JourneyStatus.PAUSED)).give(event())
    assert life.told("enrollment.refused", "reason") == ["paused"]


def test_R3_once_ever_without_reentry_also_when_completed_and_over_versions() -> None:
    first = journey(send())
    life = Life(live(first)).give(event(1))
    life.journeys = life.journeys.with_version(first.model_copy(update={"version": 2}))
    life.journeys = life.journeys.with_status(first.id, JourneyStatus.ACTIVE, 2)
    life.give(event(2))
    assert life.told("enrollment.refused", "reason") == ["reentry"]
    assert len(life.sent) == 1


def test_R3_with_reentry_again_as_soon_as_none_is_active() -> None:
    life = Life(live(journey(wait(), allowReentry=True)))
    life.give(event(1)).give(event(2, NOON + hours(1))).due(NOON + hours(2)).give(event(3, NOON + hours(2)))
    assert life.told("enrollment.started", "entryNumber") == [1, 2]
    assert life.told("enrollment.refused", "reason") == ["reentry"]


@pytest.mark.parametrize(
    ("later", "enters"),
    [
        (timedelta(days=7) - timedelta(microseconds=1), False),
        (timedelta(days=7), True),
        (timedelta(days=8), True),
    ],
)
def test_R3_reentry_after_counts_from_the_last_entry(later: timedelta, enters: bool) -> None:
    life = Life(live(journey(send(), allowReentry=True, reentryAfter="7 days")))
    life.give(event(1)).give(event(2, NOON + later))
    assert len(life.sent) == 1 + enters


def test_R3_a_refusal_says_which_rule_bars_the_entry() -> None:
    once = Life(live(journey(wait()))).give(event(1)).give(event(2))
    again = Life(live(journey(wait(), allowReentry=True, reentryAfter="7 days")))
    again.give(event(1)).give(event(2, NOON + hours(1))).give(event(3, NOON + hours(3)))
    full = Life(live(journey(send(), maxEnrollments=1))).give(event(1)).give(event(2))
    rules = [life.told("enrollment.refused", "reentry") for life in (once, again, full)]
    assert rules == [["once"], ["active", "later"], ["candidate"]]
    refused = [entry for entry in again.entries if entry["type"] == "enrollment.refused"]
    assert [entry.get("reentryFrom") for entry in refused] == [None, NOON + timedelta(days=7)]


def test_R4_one_enrolment_for_each_value_of_the_key() -> None:
    life = Life(live(journey(wait(), enrollmentKey="trigger.teeTimeId")))
    for number, value in enumerate(["t-1", "t-2", "t-1", 5, 5.0, True, 2.5]):
        life.give(event(number, data={"teeTimeId": value}))
    assert life.told("enrollment.started", "enrollmentKey") == ["t-1", "t-2", "5", "true", "2.5"]
    assert life.told("enrollment.refused", "reason") == ["reentry", "reentry"]


def test_R4_a_key_may_have_256_bytes() -> None:
    life = Life(live(journey(wait(), enrollmentKey="trigger.teeTimeId")))
    for number, value in enumerate(["t" * 256, "é" * 128, "t" * 257, "é" * 128 + "t"]):
        life.give(event(number, data={"teeTimeId": value}))
    assert life.told("enrollment.started", "enrollmentKey") == ["t" * 256, "é" * 128]
    assert life.told("enrollment.refused", "reason") == ["key", "key"]


def test_R6_by_hand_conditions_are_not_asked_but_reentry_is() -> None:
    manual = journey(send(), triggerType="MANUAL", triggerConfig={"conditions": [GOLD]})
    life = Life(live(manual))
    life.give(Enroll(manual.id, NOON, {"a": 1})).give(Enroll(manual.id, NOON))
    assert [command["data"] for command in life.commands] == [{"a": 1}]
    assert life.told("enrollment.refused", "reason") == ["reentry"]
    assert life.records[0]["cause"]["kind"] == "control"


def test_R6_no_event_enters_a_manual_journey_whatever_it_calls_itself() -> None:
    life = Life(live(journey(send(), triggerType="MANUAL"))).give(event(type_="MANUAL"))
    assert (life.customer, life.effects) == (None, [])


def test_R6_by_hand_only_an_active_journey_of_the_tenant() -> None:
    paused, foreign = journey(send(), name="A"), journey(send(), name="B", tenantId="augusta")
    life = Life(live(paused, status=JourneyStatus.PAUSED).with_version(foreign))
    life.journeys = life.journeys.with_status(foreign.id, JourneyStatus.ACTIVE, 1)
    life.give(Enroll(paused.id, NOON)).give(Enroll(foreign.id, NOON)).give(Enroll("nobody", NOON))
    assert life.told("enrollment.refused", "reason") == ["paused"]


def test_R7_the_same_event_again_is_ignored_and_says_so_once() -> None:
    life = Life(live(journey(send(), allowReentry=True), journey(send(), name="B", allowReentry=True)))
    life.give(event(1)).give(event(1))
    assert len(life.sent) == 2
    assert life.told("enrollment.refused", "reason") == ["duplicate"]


@pytest.mark.parametrize(("between", "enters_again"), [(255, False), (256, True)])
def test_R7_events_are_remembered_as_long_as_they_are_among_the_last_256(between: int, enters_again: bool) -> None:
    life = Life(live(journey(send(), allowReentry=True)))
    for number in (0, *range(1, between + 1), 0):
        life.give(event(number))
    assert len(life.sent) == between + 1 + enters_again


def test_R7_an_event_that_no_journey_wants_leaves_the_customer_untouched() -> None:
    life = Life(live(WAITING)).give(event(1))
    before = life.customer
    life.give(event(2, type_="payment.failed"))
    assert life.customer is before
    assert life.latest == ()


def test_the_row_survives_its_encoding() -> None:
    life = Life(live(WAITING)).give(event(1, data={"teeTime": "2026-11-25T09:00:00Z"}, extra={"via": "app"}))
    assert life.customer is not None
    assert decode(encode(life.customer)) == life.customer


def test_R27_exit_by_hand_ends_one_journey_or_all() -> None:
    one, other = journey(wait(), name="A"), journey(wait(), name="B")
    life = Life(live(one, other)).give(event())
    life.give(Exit(NOON, one.id))
    assert life.told("enrollment.exited", "journeyId", "exitReason") == [(one.id, "manual")]
    life.give(Exit(NOON)).give(Exit(NOON))
    assert len(life.told("enrollment.exited", "exitReason")) == 2
    assert life.latest == ()


def test_R16_an_event_from_the_future_runs_now() -> None:
    life = Life(live(journey(send()))).give(Arrived(event(at=NOON + hours(3))), now=NOON)
    assert life.sent == [("hello", NOON)]

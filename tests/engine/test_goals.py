"""What a journey is for: counted once an enrolment, ACTIVE or over, with the last command before it: R40, R41."""

from datetime import timedelta
from typing import Any

import pytest

from models.customer import Customer, encode
from models.ids import command_id, customer_key
from models.journey import Journey, JourneyStatus
from streams.engine.inputs import Enroll, Exit, MergeAway, MergeIn
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait

PAID = [{"eventType": "payment.succeeded", "key": "any"}]
GOLD = {"field": "customer.tier", "operator": "equals", "value": "Gold"}
DAYS = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def aiming(*steps: Any, goal: dict[str, Any], **settings: Any) -> Journey:
    return journey(*steps, goal=goal, enrollmentKey="trigger.id", allowReentry=True, **settings)


def booked(number: int = 1, after: float = 0, id_: str = "t1") -> Any:
    return event(number, NOON + hours(after), data={"id": id_})


def reached(life: Life, *fields: str) -> list[Any]:
    return life.told("goal.reached", *(fields or ("enrollmentKey",)))


def paid(life: Life, number: int, after: timedelta) -> Life:
    return life.give(event(number, NOON + after, "payment.succeeded"))


STAYS = aiming(
    send(), wait(duration="60 days"), goal={"name": "paid", "events": PAID, "within": "14 days", "exit": False}
)
LEAVES = aiming(send(), wait(duration="60 days"), goal={"name": "paid", "events": PAID, "within": "14 days"})
SHORT = aiming(send(), goal={"name": "paid", "events": PAID, "within": "14 days"})


@pytest.mark.parametrize(
    ("after", "counts"),
    [
        (timedelta(), True),
        (14 * DAYS - INSTANT, True),
        (14 * DAYS, True),
        (14 * DAYS + INSTANT, False),
        (15 * DAYS, False),
    ],
)
@pytest.mark.parametrize("one", [STAYS, LEAVES, SHORT], ids=["stays", "leaves", "is over"])
def test_R40_it_counts_up_to_and_including_the_end_of_its_time(
    one: Journey, after: timedelta, counts: bool
) -> None:
    life = paid(Life(live(one)).give(booked()), 2, after)
    assert len(reached(life)) == counts
    left = one is LEAVES
    assert life.told("enrollment.exited", "exitReason", "detail") == [("goal", "paid")] * left
    if counts:
        assert len(reached(paid(life, 3, 13 * DAYS))) == 1, "a second one counts no more"


def test_R40_time_is_counted_in_the_journey_s_zone_and_is_thirty_days_unless_said() -> None:
    spring = aiming(wait(duration="60 days"), goal={"events": PAID}, timezone="Europe/London")
    start = NOON.replace(year=2026, month=3, day=1)
    for after, counts in ((30 * DAYS - hours(1), 1), (30 * DAYS - hours(1) + INSTANT, 0)):
        life = Life(live(spring)).give(event(1, start, data={"id": "t1"}))
        life.give(event(2, start + after, "payment.succeeded"))
        assert len(reached(life)) == counts
        assert life.told("enrollment.exited", "detail") == ["goal"]


def test_R40_an_enrolment_that_ended_earlier_counts_for_its_own_id_and_stays_as_it_ended() -> None:
    for end in (
        lambda life: life,
        lambda life: life.give(Exit(NOON + hours(1)), NOON + hours(1)),
        lambda life: life.hear(7, 1, "customer.unsubscribed"),
        lambda life: life.hear(7, 1, "teetime.cancelled", id="t1"),
    ):
        one = aiming(send(), goal={"events": PAID}, exits=[{"eventType": "teetime.cancelled"}])
        life = end(Life(live(one)).give(booked()))
        paid(life, 2, 3 * DAYS)
        assert reached(life, "enrollmentId") == life.told("enrollment.started", "enrollmentId")
        assert life.kinds == ["goal.reached"]


def test_R41_it_says_which_command_came_last_before_it() -> None:
    one = aiming(send("one"), wait("w", "2 days"), send("two", config={"channel": "SMS"}), goal={"events": PAID})
    for after, step, channel, at in (
        (hours(1), "one", "EMAIL", NOON), (2 * DAYS - INSTANT, "one", "EMAIL", NOON),
        (2 * DAYS, "two", "SMS", NOON + 2 * DAYS), (13 * DAYS, "two", "SMS", NOON + 2 * DAYS),
    ):  # fmt: skip
        life = Life(live(one)).give(booked())
        life.due(NOON + min(after, 2 * DAYS))
        (told,) = reached(paid(life, 2, after), "lastSend")
        (id_,) = life.told("enrollment.started", "enrollmentId")
        assert told == {"stepId": step, "channel": channel, "messageId": command_id(id_, step, 1), "at": at}


def test_R41_what_is_read_late_is_credited_to_the_command_that_was_out_then() -> None:
    one = aiming(send("one"), wait("w", "1 hour"), send("two"), wait("w2", "9 days"), goal={"events": PAID})
    for occurs, step in ((0.5, "one"), (1, "two")):
        life = Life(live(one)).give(booked()).due(NOON + hours(1)).hear(2, occurs, "payment.succeeded", read=2)
        assert reached(life, "lastSend")[0]["stepId"] == step
        assert reached(life, "at") == [NOON + hours(occurs)]


def test_R41_the_whole_entry() -> None:
    split = {"id": "ab", "type": "SPLIT", "config": {"variants": [{"name": "A"}]}}
    one = aiming(split, wait(), goal={"name": "paid", "events": PAID, "exit": False})
    life = paid(Life(live(one)).give(booked()), 2, hours(1))
    (told,) = [entry for entry in life.entries if entry["type"] == "goal.reached"]
    (id_,) = life.told("enrollment.started", "enrollmentId")
    assert told == {
        "type": "goal.reached", "journeyId": one.id, "journeyVersion": 1, "enrollmentId": id_,
        "enrollmentKey": "t1", "goal": "paid", "at": NOON + hours(1), "eventId": "e-2", "variants": {"ab": "A"},
        "lastSend": None,
    }  # fmt: skip
    assert life.stands == [("t1", "wait")]


def test_R40_each_run_counts_by_its_key_or_all_do_by_any_and_each_journey_for_itself() -> None:
    goal = {"events": [{"eventType": "payment.succeeded"}]}
    for aim, runs in ((goal, ["t1"]), ({"events": PAID}, ["t1", "t2"])):
        one = aiming(wait(duration="9 days"), goal=aim)
        other = aiming(wait(duration="9 days"), goal=aim, name="Other")
        life = Life(live(one, other)).give(booked(1, 0, "t1")).give(booked(2, 1, "t2"))
        life.hear(3, 2, "payment.succeeded", id="t1")
        assert reached(life) == [run for run in runs for _ in "12"]


def test_R40_conditions_may_ask_what_is_kept_after_the_end() -> None:
    for field, value in (
        ("event.amount", 120), ("amount", 120), ("customer.tier", "Gold"), ("enrollment.key", "t1"),
        ("enrollment.entryNumber", 1), ("enrollment.variants.ab", "A"), ("enrollment.version", 1),
    ):  # fmt: skip
        rule = {"field": field, "operator": "equals", "value": value}
        split = {"id": "ab", "type": "SPLIT", "config": {"variants": [{"name": "A"}]}}
        one = aiming(split, goal={"events": [PAID[0] | {"conditions": [rule]}]})
        life = Life(live(one), Customer("pinehurst", "c-7", {"tier": "Gold"})).give(booked())
        assert len(reached(life.hear(2, 1, "payment.succeeded", amount=120))) == 1, field
        life = Life(live(one)).give(booked(id_="t9")).hear(2, 1, "payment.succeeded", amount=9)
        assert len(reached(life)) == (
            field in ("enrollment.entryNumber", "enrollment.variants.ab", "enrollment.version")
        )


BY_RULES = {"rules": [GOLD], "within": "14 days"}


def test_R40_rules_reach_it_as_soon_as_they_hold_also_after_the_end() -> None:
    for steps, left in (([wait(duration="9 days")], ["goal"]), ([], [])):
        life = (
            Life(live(aiming(*steps, goal=BY_RULES))).give(booked()).hear(2, 5, "customer.updated", tier="Silver")
        )
        assert reached(life) == []
        life.hear(3, 6, "customer.updated", tier="Gold")
        assert life.told("goal.reached", "at") == [NOON + hours(6)]
        assert "eventId" not in next(entry for entry in life.entries if entry["type"] == "goal.reached")
        assert life.told("enrollment.exited", "exitReason") == left


def test_R40_rules_that_hold_too_late_end_it_uncounted() -> None:
    one = aiming(wait(duration="60 days"), goal=BY_RULES)
    life = Life(live(one)).give(booked()).hear(2, 15 * 24, "customer.updated", tier="Gold")
    assert (reached(life), life.told("enrollment.exited", "exitReason", "detail")) == ([], [("goal", "goal")])


KNOWN = Customer("pinehurst", "c-7", {"tier": "Gold"})


@pytest.mark.parametrize("enter", [booked(), None])
def test_R40_whom_the_goal_would_end_at_once_does_not_enter(enter: Any) -> None:
    one = journey(wait(), goal=BY_RULES, exits=[{"rules": [GOLD]}])
    life = Life(live(one), KNOWN).give(enter or Enroll(one.id, NOON))
    assert life.told("enrollment.refused", "reason", "evaluatedRules") == [
        ("goal", [GOLD | {"seen": "Gold", "matched": True}])
    ]


@pytest.mark.parametrize("steps", [[wait(duration="9 days")], []], ids=["active", "over"])
def test_R40_rules_that_held_at_the_entry_never_count_but_its_events_do(steps: list[Any]) -> None:
    one = aiming(*steps, goal=BY_RULES | {"exit": False, "events": PAID})
    life = Life(live(one), KNOWN).give(booked())
    life.hear(2, 1, "customer.updated", tier="Silver").hear(3, 2, "customer.updated", tier="Gold")
    assert reached(life) == []
    assert len(reached(life.hear(4, 3, "payment.succeeded"))) == 1


def test_R40_goal_and_exit_by_one_event_the_goal_is_counted_and_ends_it_if_it_says_so() -> None:
    for ends, reason in ((True, "goal"), (False, "rule")):
        one = aiming(wait(), goal={"events": PAID, "exit": ends}, exits=[PAID[0] | {"name": "paid"}])
        life = paid(Life(live(one)).give(booked()), 2, hours(1))
        assert len(reached(life)) == 1
        assert life.told("enrollment.exited", "exitReason") == [reason]
        assert life.kinds[0] == "goal.reached"


def test_R40_a_paused_journey_counts_and_ends_at_the_event() -> None:
    life = Life(live(LEAVES)).give(booked()).set(JourneyStatus.PAUSED, LEAVES)
    paid(life, 2, DAYS)
    assert (reached(life, "at"), life.told("enrollment.exited", "at")) == ([NOON + DAYS], [NOON + DAYS])


def test_R40_an_archived_journey_s_goals_count_on() -> None:
    life = Life(live(STAYS)).give(booked()).set(JourneyStatus.ARCHIVED, STAYS).due(NOON + hours(1))
    assert life.told("enrollment.exited", "detail") == ["journey archived"]
    assert len(reached(paid(life, 2, DAYS))) == 1


def test_R40_who_is_deleted_is_watched_no_more() -> None:
    life = Life(live(SHORT)).give(booked()).hear(2, 1, "customer.deleted")
    assert reached(paid(life, 3, DAYS)) == []
    assert life.customer is None


def test_R41_a_version_counts_for_those_who_entered_with_it() -> None:
    old, new = aiming(wait(), goal={"events": [{"eventType": "x"}]}), LEAVES.model_copy(update={"version": 2})
    life = Life(live(old)).give(booked())
    life.journeys = life.journeys.with_version(new).with_status(new.id, JourneyStatus.ACTIVE, 2)
    assert reached(paid(life, 2, hours(1))) == []


def watches(life: Life) -> list[str]:
    return [watch.key for watch in life.customer.watched] if life.customer else []


@pytest.mark.parametrize(("after", "kept"), [(15 * DAYS, True), (15 * DAYS + INSTANT, False)])
def test_R41_a_watch_goes_with_the_first_change_of_the_row_more_than_a_day_after_its_end(
    after: timedelta, kept: bool
) -> None:
    life = Life(live(SHORT)).give(booked())
    assert watches(life) == ["t1"]
    life.give(event(2, NOON + after, "round.played"))
    assert watches(life) == ["t1"], "nothing changed"
    late = event(3, NOON + 14 * DAYS, "payment.succeeded")
    life.give(event(2, NOON + after, "customer.updated", data={"n": 1}))
    assert watches(life) == ["t1"] * kept
    assert len(reached(life.give(late, NOON + after))) == kept


def test_R41_who_ends_long_after_the_time_is_not_watched() -> None:
    life = Life(live(STAYS)).give(booked()).due(NOON + 60 * DAYS)
    assert watches(life) == []


def test_R41_of_more_than_sixteen_watches_the_one_that_ends_first_goes() -> None:
    life = Life(live(SHORT))
    for number in range(17):
        life.give(booked(number, number, f"t{number}"))
    assert watches(life) == [f"t{number}" for number in range(1, 17)]
    assert len(reached(paid(life, 99, DAYS))) == 16
    assert watches(life) == []


def test_R41_a_watch_goes_to_the_survivor_and_counts_there_once_for_the_merged_enrolment() -> None:
    life = Life(live(SHORT)).give(booked())
    (id_,) = life.told("enrollment.started", "enrollmentId")
    life.give(MergeAway("c-8", "e-9", NOON + hours(1)), NOON + hours(1))
    ((key, legacy),) = [(forward.key, forward.message) for forward in life.forwards]
    assert key == customer_key("pinehurst", "c-8")
    assert isinstance(legacy, MergeIn)
    assert (watches(life), len(legacy.watched)) == ([], 1)
    survivor = Life(live(SHORT), Customer("pinehurst", "c-7", merging=("c-7",))).give(legacy, NOON + hours(1))
    assert len(reached(paid(paid(survivor, 2, DAYS), 3, DAYS))) == 1
    assert reached(survivor, "enrollmentId") == [id_]


def test_R41_who_is_merged_while_active_is_watched_by_the_survivor() -> None:
    life = Life(live(LEAVES)).give(booked()).give(MergeAway("c-8", "e-9", NOON + hours(1)), NOON + hours(1))
    legacy = life.forwards[-1].message
    assert isinstance(legacy, MergeIn)
    assert [watch.key for watch in legacy.watched] == ["t1"]


def test_R40_a_row_of_a_journey_without_a_goal_holds_nothing_of_it() -> None:
    life = Life(live(journey(send(), wait()))).give(event())
    assert life.customer is not None
    row = encode(life.customer)
    assert b"memory" not in row
    assert b"watched" not in row

"""The order in which one input moves those on the way (R33), and all that else befalls them meanwhile."""

from collections.abc import Callable
from typing import Any

import pytest

from models.customer import Customer
from models.journey import Journey, JourneyStatus
from streams.engine.inputs import Enroll, MergeAway, MergeIn, PlaceAnswer, ReleasePlace, Sweep
from tests.engine.build import NOON, Life, event, hours, journey, live, send, update, wait

PAID = {"eventType": "payment.succeeded"}
GOLD = {"field": "customer.tier", "operator": "equals", "value": "Gold"}


def listen(*events: dict[str, Any], **config: Any) -> dict[str, Any]:
    return wait("wait", "3 days", events=list(events), **config)


def test_R33_goals_exits_follow_waits_entries_then_rules_all_in_one_record() -> None:
    """Each journey does one thing at one event, and is named by when that comes."""
    goal = journey(wait(), name="1 goal", goal={"events": [PAID], "exit": False})
    exits = journey(wait(), name="2 exit", exits=[PAID])
    follow = journey(wait(), name="3 follow", follow=[PAID])
    waits = journey(listen(PAID), update("u", {"field": "tier", "value": "Gold"}), wait("w2"), name="4 wait")
    enter = journey(wait(), name="5 enter", triggerType="payment.succeeded")
    rules = [
        journey(wait(), name="6 goal by rules", goal={"rules": [GOLD], "exit": False}),
        journey(wait(), name="7 exit by rules", exits=[{"rules": [GOLD]}]),
        journey(
            wait("wait", None, until={"field": "customer.until", "follow": True}, ifMissing="continue"),
            name="8 nothing to follow",
        ),
        journey(wait("wait", "3 days", rules=[GOLD]), wait("w2"), name="9 wait by rules"),
    ]
    ones = [*reversed(rules), enter, waits, follow, exits, goal]
    names = {one.id: one.name for one in ones}
    life = Life(live(*ones)).give(event(data={"amount": 1})).hear(2, 1, "payment.succeeded", amount=2)
    (record,) = life.records[1:]
    told = [(names[entry["journeyId"]], entry["type"]) for entry in record["entries"] if "journeyId" in entry]
    marks = ["goal.reached", "enrollment.exited", "trigger.updated", "step.completed", "enrollment.started"]
    order = list(dict.fromkeys(name for name, kind in told if kind in marks))
    assert order == [
        "1 goal", "2 exit", "3 follow", "4 wait", "5 enter", "6 goal by rules", "7 exit by rules",
        "9 wait by rules",
    ]  # fmt: skip


def test_R33_of_each_the_first_to_enrol_comes_first_then_by_id() -> None:
    ones = [journey(listen(PAID), send(), name=name) for name in "ABC"]
    life = Life(live(*ones[:1])).give(event(1))
    life.journeys = live(*ones)
    life.give(event(2, NOON + hours(1))).hear(3, 2, "payment.succeeded")
    first, *others = life.told("enrollment.started", "enrollmentId")
    ended = [e["enrollmentId"] for e in life.entries if e["type"] == "step.completed" and e["stepId"] == "wait"]
    assert ended == [first, *sorted(others)]


def test_R33_waits_that_are_due_by_the_event_come_first_each_with_what_its_update_brings() -> None:
    sets = journey(wait("hour", "1 hour"), update("u", {"field": "tier", "value": "Gold"}), name="Sets")
    leaves = journey(wait("w", "90 minutes"), send(), name="Leaves", exits=[{"rules": [GOLD]}])
    life = Life(live(sets, leaves)).give(event()).hear(2, 5, "customer.updated", city="Cork")
    assert life.told("enrollment.exited", "detail") == ["exit 1"]
    assert life.sent == [], "its own wait was due after the update"
    assert [record["cause"]["kind"] for record in life.records] == ["event", "wait", "event"]
    kinds = [entry["type"] for entry in life.records[1]["entries"]]
    assert kinds.index("enrollment.exited") > kinds.index("profile.updated")


def test_R33_what_an_entry_s_update_brings_is_in_its_record_whatever_let_it_in() -> None:
    sets = journey(update("u", {"field": "tier", "value": "Gold"}), name="Sets", triggerType="dues.paid")
    waits = journey(wait("w", "3 days", rules=[GOLD]), send(), name="Waits")
    for let_in in (event(2, NOON + hours(1), "dues.paid"), Enroll(sets.id, NOON + hours(1))):
        life = Life(live(sets, waits)).give(event()).give(let_in, NOON + hours(1))
        assert (life.sent, len(life.records)) == ([("hello", NOON + hours(1))], 2)


def test_R33_an_admission_and_a_merge_bring_it_too() -> None:
    sets = journey(update("u", {"field": "tier", "value": "Gold"}), name="Sets", maxEnrollments=1)
    waits = journey(wait("w", "3 days", rules=[GOLD]), send(), name="Waits")
    life = Life(live(sets, waits)).give(event())
    life.give(PlaceAnswer(life.forwards[0].message.enrollment_id, sets.id, admitted=True))  # type: ignore[union-attr]
    assert len(life.sent) == 1
    life = Life(live(waits)).give(event())
    merged = MergeIn("c-8", "e-9", NOON + hours(1), {"tier": "Gold"})
    assert life.give(merged, NOON + hours(1)).sent == [("hello", NOON + hours(1))]


def test_R33_the_event_of_a_merge_is_heard_when_the_merge_is_done() -> None:
    one = journey(listen({"eventType": "customer.merged"}), send())
    life = Life(live(one)).give(event()).hear(2, 1, "customer.merged", fromCustomerId="c-8")
    assert life.sent == []
    life.give(MergeIn("c-8", "e-2", NOON + hours(1), {}), NOON + hours(2))
    assert life.sent == [("hello", NOON + hours(1))]


def test_R33_rules_are_asked_until_nothing_moves() -> None:
    """A change wakes one, whose update wakes the next, whose update ends the third."""
    first = journey(wait("w", "3 days", rules=[GOLD]), update("u", {"field": "a", "value": 1}), wait("x"), name="C")
    second = journey(
        wait("w", "3 days", rules=[{"field": "a", "operator": "isNotNull"}]),
        update("u", {"field": "b", "value": 1}), wait("x"), name="B",
    )  # fmt: skip
    third = journey(wait("w"), name="A", exits=[{"rules": [{"field": "b", "operator": "isNotNull"}]}])
    life = Life(live(third, second, first)).give(event()).hear(2, 1, "customer.updated", tier="Gold")
    assert sorted(life.stands) == [("", "x"), ("", "x")]
    assert len(life.records) == 2


def test_R33_an_update_that_changes_nothing_moves_nothing() -> None:
    sets = journey(update("u", {"field": "tier", "value": "Gold"}), name="Sets", triggerType="dues.paid")
    one = journey(wait(), name="One", goal={"rules": [GOLD], "exit": False})
    life = (
        Life(live(sets, one), Customer("pinehurst", "c-7", {"tier": "Gold"})).give(event()).hear(2, 1, "dues.paid")
    )
    assert life.told("goal.reached", "goal") == []


# --- merge, delete, unsubscribe, archive, pause and maxEnrollments, each against each

BY_WAIT = journey(listen(PAID), send("then"))
BY_EXIT = journey(wait("wait", "3 days"), send("then"), exits=[PAID])
BY_GOAL = journey(wait("wait", "3 days"), send("then"), goal={"events": [PAID]})
BY_FOLLOW = journey(wait("wait", None, until={"field": "trigger.at"}), send("then"), follow=[PAID])
AGAINST = {"wait": BY_WAIT, "exit": BY_EXIT, "goal": BY_GOAL, "follow": BY_FOLLOW}
DONE = {"wait": "step.completed", "exit": "enrollment.exited", "goal": "goal.reached", "follow": "trigger.updated"}
LATER, PAYS = "2026-11-30T00:00:00Z", 2


def heard(life: Life) -> list[str]:
    """Pay on the next day, and return what comes of it."""
    given = event(PAYS, NOON + hours(24), "payment.succeeded", data={"at": LATER})
    life.give(given, NOON + hours(24))
    return life.kinds


def entered(one: Journey) -> Life:
    return Life(live(one)).give(event(data={"at": "2026-11-29T00:00:00Z"}))


@pytest.mark.parametrize("what", AGAINST)
def test_R33_each_of_them_does_what_it_is_for(what: str) -> None:
    assert DONE[what] in heard(entered(AGAINST[what]))


ENDS: dict[str, Callable[[Life, Journey], Life]] = {
    "merged": lambda life, _: life.give(MergeAway("c-8", "e-9", NOON + hours(1)), NOON + hours(1)),
    "deleted": lambda life, _: life.hear(9, 1, "customer.deleted"),
    "unsubscribed": lambda life, _: life.hear(9, 1, "customer.unsubscribed"),
    "archived": lambda life, one: life.set(JourneyStatus.ARCHIVED, one).give(Sweep(one.id), NOON + hours(1)),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("what", AGAINST)
def test_R33_who_has_left_hears_nothing_but_the_goal_as_long_as_the_row_stands(what: str, end: str) -> None:
    one = AGAINST[what]
    life = ENDS[end](entered(one), one)
    assert life.stands == []
    counts_on = what == "goal" and end in ("unsubscribed", "archived")
    assert heard(life) == (["goal.reached"] if counts_on else [])
    assert life.due(NOON + hours(999)).sent == []


@pytest.mark.parametrize(("what", "at_once"), [("wait", False), ("exit", True), ("goal", True), ("follow", True)])
def test_R38_in_a_pause_all_but_waits_go_on_as_ever(what: str, at_once: bool) -> None:
    one = AGAINST[what]
    life = entered(one).set(JourneyStatus.PAUSED, one)
    kinds = heard(life)
    assert bool(kinds) == at_once
    life.set(JourneyStatus.ACTIVE, one).due(NOON + hours(25))
    assert len(life.sent) == (what == "wait")


@pytest.mark.parametrize(("what", "ends"), [("wait", True), ("exit", True), ("goal", True), ("follow", False)])
def test_R5_a_place_is_free_again_as_soon_as_it_ends(what: str, ends: bool) -> None:
    one = AGAINST[what].model_copy(update={"max_enrollments": 1})
    life = entered(one)
    life.give(PlaceAnswer(life.forwards[0].message.enrollment_id, one.id, admitted=True))  # type: ignore[union-attr]
    heard(life)
    freed = [forward for forward in life.forwards if isinstance(forward.message, ReleasePlace)]
    assert (len(freed), life.stands == []) == (ends, ends)


@pytest.mark.parametrize("what", AGAINST)
def test_R33_who_waits_for_a_place_hears_only_what_would_end_it(what: str) -> None:
    one = AGAINST[what].model_copy(update={"max_enrollments": 1})
    life = entered(one)
    assert heard(life) == (["enrollment.refused"] if what == "exit" else [])
    assert life.customer is not None
    assert len(life.customer.candidates) == (what != "exit")


@pytest.mark.parametrize("what", AGAINST)
def test_R27_what_is_held_back_by_a_merge_is_heard_after_it(what: str) -> None:
    life = entered(AGAINST[what]).hear(8, 2, "customer.merged", fromCustomerId="c-8")
    assert heard(life) == []
    life.give(MergeIn("c-8", "e-8", NOON + hours(2), {}), NOON + hours(25))
    assert DONE[what] in life.kinds


@pytest.mark.parametrize("what", AGAINST)
def test_R28_a_version_that_is_not_known_hears_nothing(what: str) -> None:
    one = AGAINST[what]
    life = entered(one)
    life.journeys = life.journeys.without_version(one.id, 1).with_version(one.model_copy(update={"version": 2}))
    assert heard(life) == []


@pytest.mark.parametrize(
    "one",
    [
        journey(wait("wait", "3 days"), exits=[{"rules": [GOLD]}]),
        journey(wait("wait", "3 days"), goal={"rules": [GOLD]}),
        journey(wait("wait", "3 days", rules=[GOLD])),
        journey(wait("wait", None, until={"field": "customer.until", "follow": True}, ifMissing="continue")),
    ],
)
def test_R28_nor_are_its_rules_asked(one: Journey) -> None:
    life = Life(live(one)).give(event())
    life.journeys = life.journeys.without_version(one.id, 1).with_version(one.model_copy(update={"version": 2}))
    life.hear(2, 1, "customer.updated", tier="Gold", until=LATER)
    assert life.kinds == ["profile.updated"]

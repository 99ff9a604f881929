"""What holds at the very edge of a rule, and what is said of it: R19 to R28."""

from typing import Any

import pytest

from models.customer import Customer
from models.journey import JourneyStatus
from models.steps import Update
from streams.engine.effects import Command
from streams.engine.inputs import Arrived, Exit, MergeAway, MergeIn
from streams.engine.updates import apply_updates
from tests.engine.build import NOON, TRIGGER, Life, ask, event, hours, journey, live, send, wait

NORTH = journey(wait(), send(), clubId="north", allowReentry=True)
PAST: dict[str, Any] = {"duration": None, "until": "2026-11-20T09:00:00Z"}


def test_R19_a_policy_says_where_and_when_it_held() -> None:
    life = Life(live(journey(wait(**PAST, ifPast="exit"), send()))).give(event(), NOON + hours(1))
    assert life.told("enrollment.exited", "stepId", "at") == [("wait", NOON)]
    life = Life(live(journey(wait(**PAST, ifPast="skip"), send()))).give(event())
    assert life.told("step.skipped", "stepId", "stepNumber", "visit") == [("mail", 3, 0)]


def test_R19_what_goes_on_at_once_goes_on_at_the_time_of_the_event_also_when_that_came_late() -> None:
    for until in (PAST["until"], "2026-11-23T12:00:00Z"):
        life = Life(live(journey(wait(duration=None, until=until), send()))).give(Arrived(event()), NOON + hours(1))
        assert life.sent == [("hello", NOON)]


def test_R20_a_wait_that_fired_late_says_what_was_made_of_it() -> None:
    lazy = wait(ifLate={"after": "6 hours", "then": "skip"})
    life = Life(live(journey(lazy, send()))).give(event()).due(NOON + hours(9))
    results = [entry["result"] for entry in life.entries if entry["type"] == "step.completed"]
    assert results[1] == {
        "waitingUntil": NOON + hours(2),
        "firedAt": NOON + hours(9),
        "ifLate": "skip",
        "note": "The wait was due at 2026-11-23T14:00:00+00:00 and fired more than 6 hours late.",
    }


@pytest.mark.parametrize("steps", [[send("other")], [send("wait"), send("other")]])
def test_R28_a_version_whose_wait_is_gone_fails_when_it_fires_and_skips_the_rest(steps: list[Any]) -> None:
    life = Life(live(NORTH)).give(event(club="north"))
    life.journeys = life.journeys.with_version(NORTH.model_copy(update={"steps": journey(*steps).steps}))
    life.due(NOON + hours(3))
    assert life.told("enrollment.failed", "stepId", "at") == [("wait", NOON + hours(3))]
    assert life.told("step.skipped", "stepId", "reason") == [("other", "ended"), ("end", "ended")]


def test_R19_a_wait_that_keeps_its_duration_says_why() -> None:
    life = Life(live(journey(wait(**PAST | {"duration": "1 hour"}), send()))).give(event()).due(NOON + hours(1))
    results = [entry["result"] for entry in life.entries if entry["type"] == "step.completed"]
    assert results[1]["note"] == "'2026-11-20T09:00:00Z' was over at 2026-11-20T09:00:00+00:00."


def test_R19_a_moment_that_is_just_now_is_not_past() -> None:
    now: dict[str, Any] = {"duration": None, "until": "2026-11-23T12:00:00Z"}
    life = Life(live(journey(wait(**now, ifPast="exit"), send()))).give(event())
    assert life.sent == [("hello", NOON)]


def test_R25_the_step_limit_says_where_and_when() -> None:
    life = Life(live(journey(send("loop", nextStepId="loop")))).give(event())
    assert life.told("enrollment.failed", "stepId", "at") == [("loop", NOON)]


def test_R24_every_command_carries_the_trace_of_the_event_that_enrolled() -> None:
    life = Life(live(journey(send(), wait(), send("later")))).give(event(traceparent="00-a-b-01"))
    life.due(NOON + hours(2))
    assert [effect.traceparent for effect in life.effects if isinstance(effect, Command)] == ["00-a-b-01"] * 2


def test_R21_an_input_that_changes_nothing_gives_back_the_very_row() -> None:
    life = Life(live(NORTH)).give(event(club="north"))
    before = life.customer
    assert life.due(NOON + hours(1)).customer is before
    assert life.give(Exit(NOON, "nobody")).customer is before


@pytest.mark.parametrize(
    ("config", "note"),
    [
        (PAST, "'2026-11-20T09:00:00Z' was over at 2026-11-20T09:00:00+00:00."),
        ({"duration": None, "until": {"field": "x"}, "ifMissing": "continue"}, "'x' is missing."),
        ({"duration": None, "until": "2026-11-23T12:00:00Z"}, None),
        ({"duration": None, "until": {"time": "21:00"}}, None),
    ],
)
def test_R18_the_customers_timezone_is_told_however_the_wait_ends(config: dict[str, Any], note: str | None) -> None:
    tokyo = Customer("pinehurst", "c-7", {"timezone": "Asia/Tokyo"})
    life = Life(live(journey(wait(**config, timezone="customer"), send())), tokyo).give(event())
    results = [entry["result"] for entry in life.entries if entry["type"] == "step.completed"]
    assert (results[1]["timezone"], results[1].get("note")) == ("Asia/Tokyo", note)


@pytest.mark.parametrize("type_", ["customer.deleted", "customer.unsubscribed"])
def test_R27_who_is_deleted_or_unsubscribed_leaves_at_the_time_of_the_event(type_: str) -> None:
    life = Life(live(NORTH)).give(event(club="north"))
    life.give(Arrived(event(2, NOON + hours(1), type_)), NOON + hours(2))
    assert life.told("enrollment.exited", "stepId", "at") == [("wait", NOON + hours(1))]


@pytest.mark.parametrize("given", [Exit(NOON + hours(1)), MergeAway("c-8", "e-9", NOON + hours(1))])
def test_R27_who_is_taken_out_by_hand_or_merged_leaves_at_that_time(given: Exit | MergeAway) -> None:
    life = Life(live(NORTH)).give(event(club="north")).give(given, NOON + hours(1.5))
    assert life.told("enrollment.exited", "stepId", "at") == [("wait", NOON + hours(1))]


def test_R15_a_journey_that_ends_with_a_wait_is_completed_there() -> None:
    life = Life(live(journey(steps=[TRIGGER, wait()]))).give(event()).due(NOON + hours(2))
    assert life.told("enrollment.completed", "stepId", "at") == [("wait", NOON + hours(2))]


def test_R3_an_enrolment_knows_which_entry_it_is() -> None:
    second = {"field": "enrollment.entryNumber", "operator": "equals", "value": 2}
    one = journey(ask("ask", second, nextStepNoId="end"), send(), allowReentry=True)
    life = Life(live(one)).give(event(1)).give(event(2, NOON + hours(1)))
    assert life.sent == [("hello", NOON + hours(1))]


def test_R15_a_condition_may_be_the_last_step() -> None:
    vip = {"field": "vip", "operator": "isTrue"}
    life = Life(live(journey(steps=[TRIGGER, ask("ask", vip)]))).give(event())
    assert life.told("enrollment.completed", "stepId") == ["ask"]


def test_R26_a_step_that_nothing_leads_to_is_skipped_at_the_end() -> None:
    life = Life(live(journey(steps=[TRIGGER | {"nextStepId": "mail"}, send("orphan"), send()]))).give(event())
    assert life.told("enrollment.completed", "stepId") == ["mail"]
    assert life.told("step.skipped", "stepId", "reason") == [("orphan", "ended")]


def test_R16_a_wait_that_ends_just_as_the_event_arrives_fires_on_arrival() -> None:
    life = Life(live(journey(wait(), send()))).give(Arrived(event()), NOON + hours(2))
    assert life.sent == [("hello", NOON + hours(2))]


def test_R19_a_wait_that_is_over_at_once_says_when() -> None:
    life = Life(live(journey(wait(**PAST), send()))).give(event())
    result = next(entry["result"] for entry in life.entries if "result" in entry and entry["stepId"] == "wait")
    assert (result["waitingUntil"], result["firedAt"]) == (NOON, NOON)


def test_R20_who_leaves_for_lateness_is_told_the_sentence() -> None:
    lazy = wait(ifLate={"after": "6 hours", "then": "exit"})
    life = Life(live(journey(lazy, send()))).give(event()).due(NOON + hours(9))
    sentence = "The wait was due at 2026-11-23T14:00:00+00:00 and fired more than 6 hours late."
    assert life.told("enrollment.exited", "detail") == [sentence]


def test_R18_a_timezone_that_is_a_list_is_unknown() -> None:
    odd = Customer("pinehurst", "c-7", {"timezone": ["Asia/Tokyo"]})
    life = Life(live(journey(wait(timezone="customer"), send())), odd).give(event())
    assert life.told("step.entered", "waitingUntil") == [NOON + hours(2)]


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"field": "tags.0", "value": "z"}, {"tags": ["z", "b", "c"], "home": {"club": "north"}}),
        ({"field": "tags.1", "value": "z"}, {"tags": ["a", "z", "c"], "home": {"club": "north"}}),
        ({"field": "home.club", "value": "south"}, {"tags": ["a", "b", "c"], "home": {"club": "south"}}),
        ({"field": "home.club", "operation": "unset"}, {"tags": ["a", "b", "c"]}),
        (
            {"field": "pets.dog.name", "value": "Rex"},
            {"tags": ["a", "b", "c"], "home": {"club": "north"}, "pets": {"dog": {"name": "Rex"}}},
        ),
    ],
)
def test_R23_an_update_changes_what_it_names_and_nothing_else(change: Any, after: dict[str, Any]) -> None:
    before = {"tags": ["a", "b", "c"], "home": {"club": "north"}}
    assert apply_updates(before, [Update.model_validate(change)])[0] == after


def test_R23_an_update_reaches_into_a_group_inside_a_list() -> None:
    dogs = {"dogs": [{"name": "Rex", "age": 3}, {"name": "Ada"}]}
    change = Update.model_validate({"field": "dogs.0.age", "value": 4})
    assert apply_updates(dogs, [change])[0] == {"dogs": [{"name": "Rex", "age": 4}, {"name": "Ada"}]}


def test_R24_one_channel_after_another_and_then_all_are_kept_in_the_profile() -> None:
    life = Life(live())
    for number, channel in enumerate(["sms", "EMAIL", "all"]):
        life.give(event(number, type_="customer.unsubscribed", data={"channel": channel}))
    assert life.customer is not None
    assert life.customer.profile == {"subscriptions": {"SMS": False, "EMAIL": False}, "unsubscribed": True}


def test_R27_R24_the_survivors_subscriptions_win_however_they_are_written() -> None:
    legacy = MergeIn("c-8", "e-9", NOON, {"subscriptions": {"email": False, "sms": False}}, {})
    life = Life(live(), Customer("pinehurst", "c-7", {"subscriptions": {"EMAIL": True}})).give(legacy)
    assert life.customer is not None
    assert life.customer.profile == {"subscriptions": {"EMAIL": True, "SMS": False}}


def test_R28_forgetting_a_version_forgets_nothing_else() -> None:
    one, other = journey(wait(), name="A"), journey(wait(), name="B")
    both = live(one, other).with_version(one.model_copy(update={"version": 2}))
    after = both.without_version(one.id, 1)
    known = [after.find(id_, version) is not None for id_, version in ((one.id, 1), (one.id, 2), (other.id, 1))]
    assert known == [False, True, True]
    assert after.status(one.id) == JourneyStatus.ACTIVE
    assert after.status("nobody") is None
    assert after.find("nobody", 1) is None
    assert after.without_version("nobody", 1).find(one.id, 2) is not None


@pytest.mark.parametrize(
    ("status", "due", "held"),
    [
        ("ACTIVE", -1, True),
        ("ACTIVE", 0, False),
        ("PAUSED", -1, True),
        ("PAUSED", 1, True),
        ("ARCHIVED", -1, False),
    ],
)
def test_R29_what_was_due_before_the_last_change_comes_after_what_is_held(
    status: str, due: int, held: bool
) -> None:
    journeys = live(NORTH).with_status(NORTH.id, JourneyStatus(status), 1, since=NOON)
    assert journeys.holds(NORTH.id, NOON + hours(due)) is held
    assert journeys.holds("nobody", NOON) is False


def test_R30_the_row_that_came_in_is_left_as_it_was() -> None:
    life = Life(live(NORTH)).give(event(club="north"))
    before = life.customer
    assert before is not None
    waiting = dict(before.enrollments)
    life.due(NOON + hours(2))
    assert life.customer is not None
    assert (before.enrollments, life.customer.enrollments) == (waiting, {})


def test_R5_who_waits_for_one_journey_may_ask_for_another() -> None:
    one, other, third = (journey(send(), name=name, maxEnrollments=1) for name in "ABC")
    life = Life(live(one, other)).give(event(1))
    life.journeys = live(one, other, third)
    life.give(event(2))
    assert [forward.key.decode() for forward in life.forwards] == [f":places:{x.id}" for x in (one, other, third)]
    assert life.told("enrollment.refused", "reason") == ["reentry", "reentry"]


def test_R6_a_manual_journey_hides_none_that_comes_after_it() -> None:
    by_hand, unknown = journey(send(), name="A", triggerType="MANUAL"), journey(send(), name="B")
    journeys = live(by_hand, unknown, journey(send("c", "C"), name="C")).without_version(unknown.id, 1)
    assert Life(journeys).give(event()).sent == [("C", NOON)]

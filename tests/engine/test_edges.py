"""What holds at the very edge of a rule, and what is said of it: R19 to R28."""

from typing import Any

import pytest

from models.customer import Customer
from streams.engine.effects import Command
from streams.engine.inputs import Arrived, Exit
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


def test_R15_a_journey_that_ends_with_a_wait_is_completed_there() -> None:
    life = Life(live(journey(steps=[TRIGGER, wait()]))).give(event()).due(NOON + hours(2))
    assert life.told("enrollment.completed", "stepId", "at") == [("wait", NOON + hours(2))]


def test_R3_an_enrolment_knows_which_entry_it_is() -> None:
    second = {"field": "enrollment.entryNumber", "operator": "equals", "value": 2}
    one = journey(ask("ask", second, nextStepNoId="end"), send(), allowReentry=True)
    life = Life(live(one)).give(event(1)).give(event(2, NOON + hours(1)))
    assert life.sent == [("hello", NOON + hours(1))]

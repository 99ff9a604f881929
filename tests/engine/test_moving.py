"""How an enrolment moves: R15 to R21 and R26."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.customer import Customer
from streams.engine.inputs import Arrived, Exit
from tests.engine.build import NOON, Life, ask, event, hours, journey, live, send, wait

INSTANT = timedelta(microseconds=1)
YES = {"field": "vip", "operator": "isTrue"}


def test_R15_steps_go_by_next_step_else_by_number_else_end() -> None:
    steps = [
        {"type": "TRIGGER", "nextStepId": "c"},
        send("b", "second") | {"stepNumber": 3},
        send("c", "first") | {"stepNumber": 2},
    ]
    life = Life(live(journey(steps=steps))).give(event())
    assert [template for template, _ in life.sent] == ["first", "second"]
    assert life.told("enrollment.completed", "exitReason") == ["completed"]


@pytest.mark.parametrize(("vip", "sent", "skipped"), [(True, ["yes"], ["n"]), (False, ["no"], ["y"])])
def test_R15_R26_a_condition_takes_one_way_and_skips_the_other(
    vip: bool, sent: list[str], skipped: list[str]
) -> None:
    one = journey(
        ask("ask", YES, nextStepYesId="y", nextStepNoId="n"),
        send("y", "yes", nextStepId="end"),
        send("n", "no"),
    )
    life = Life(live(one), Customer("pinehurst", "c-7", {"vip": vip})).give(event())
    assert [template for template, _ in life.sent] == sent
    assert life.told("step.skipped", "stepId", "reason") == [(step, "branch") for step in skipped]
    result = next(e["result"] for e in life.entries if e.get("stepId") == "ask")
    assert result["result"] is vip
    assert result["evaluatedRules"][0]["field"] == "vip"


def test_R15_a_condition_without_ways_goes_on_either_way() -> None:
    life = Life(live(journey(ask("ask", YES), send()))).give(event())
    assert len(life.sent) == 1


def test_R26_all_steps_end_completed_or_skipped() -> None:
    one = journey(ask("ask", YES, nextStepYesId="w"), send("n", nextStepId="end"), wait("w"), send("late"))
    life = Life(live(one)).give(event())
    statuses = {entry["stepId"]: entry["type"] for entry in life.entries if "stepId" in entry and "result" in entry}
    assert statuses == {
        "start": "step.completed",
        "ask": "step.completed",
        "n": "step.completed",
        "end": "step.completed",
    }
    assert life.told("step.skipped", "stepId", "reason") == [("w", "branch"), ("late", "branch")]


def test_R26_the_rest_is_skipped_when_an_enrolment_ends_early() -> None:
    life = Life(live(journey(wait(), send()))).give(event()).give(Exit(NOON))
    assert life.told("step.skipped", "stepId", "visit", "reason") == [
        ("wait", 1, "ended"),
        ("mail", 0, "ended"),
        ("end", 0, "ended"),
    ]


def test_R21_the_waits_that_stand_are_those_not_yet_over() -> None:
    one = journey(wait(), send())
    life = Life(live(one, journey(send(), name="B"))).give(event())
    assert life.customer is not None
    standing = life.customer.enrollments.values()
    assert [(each.waiting_until, each.journey_id) for each in standing] == [(NOON + hours(2), one.id)]


@pytest.mark.parametrize(("after", "fires"), [(hours(2) - INSTANT, False), (hours(2), True), (hours(3), True)])
def test_R21_a_wait_never_ends_early_and_fires_once(after: timedelta, fires: bool) -> None:
    life = Life(live(journey(wait(), send()))).give(event())
    assert life.told("step.entered", "waitingUntil") == [NOON + hours(2)]
    life.due(NOON + after).due(NOON + after)
    assert life.sent == ([("hello", NOON + after)] if fires else [])


def test_R16_the_wait_counts_from_the_event_and_later_waits_from_the_firing() -> None:
    life = Life(live(journey(wait("a", "2 hours"), send("x", "one"), wait("b", "1 hour"), send("y", "two"))))
    life.give(Arrived(event(at=NOON)), now=NOON + hours(1))
    assert life.told("step.entered", "waitingUntil") == [NOON + hours(2)]
    life.due(NOON + hours(5))
    assert life.sent == [("one", NOON + hours(5))]
    life.due(NOON + hours(6))
    assert life.sent[1:] == [("two", NOON + hours(6))]


def test_R16_a_wait_that_was_over_before_the_event_arrived_fires_on_arrival() -> None:
    life = Life(live(journey(wait(), send()))).give(Arrived(event(at=NOON)), now=NOON + hours(9))
    assert life.sent == [("hello", NOON + hours(9))]
    result = next(entry["result"] for entry in life.entries if entry.get("stepId") == "wait" and "result" in entry)
    assert result == {"waitingUntil": NOON + hours(2), "firedAt": NOON + hours(9)}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("config", "data", "until"),
    [
        ({"until": "2026-11-25T09:00:00Z"}, {}, "2026-11-25T09:00:00+00:00"),
        ({"until": "2026-11-25T09:00:00"}, {}, "2026-11-25T09:00:00-05:00"),
        ({"until": "2026-11-25"}, {}, "2026-11-25T00:00:00-05:00"),
        ({"until": {"field": "trigger.teeTime", "offset": "-1 day"}}, {"teeTime": "2026-11-25T09:00:00Z"},
         "2026-11-24T09:00:00+00:00"),
        ({"until": {"field": "teeTime"}}, {"teeTime": "2026-11-25T09:00:00Z"}, "2026-11-25T09:00:00+00:00"),
        ({"until": {"field": "teeTime"}}, {"teeTime": "2026-11-25T09:00"}, "2026-11-25T09:00:00-05:00"),
        ({"until": {"field": "teeTime", "offset": "-2 days"}}, {"teeTime": "2027-03-15T13:00:00Z"},
         "2027-03-13T09:00:00-05:00"),  # the clocks go forward on the 14th
        ({"until": {"time": "09:00"}}, {}, "2026-11-23T09:00:00-05:00"),
        ({"until": {"time": "07:00"}}, {}, "2026-11-23T07:00:00-05:00"),
        ({"until": {"time": "06:59"}}, {}, "2026-11-24T06:59:00-05:00"),
        ({"until": {"time": "09:00", "weekdays": ["WED", "FRI"]}}, {}, "2026-11-25T09:00:00-05:00"),
        ({"until": {"time": "09:00"}, "timezone": "Europe/London"}, {}, "2026-11-24T09:00:00+00:00"),
        ({"until": {"time": "09:00"}, "timezone": "customer"}, {}, "2026-11-24T09:00:00+09:00"),
        ({"duration": "1 day", "until": {"time": "09:00"}}, {}, "2026-11-24T09:00:00-05:00"),
        ({"duration": "1 day", "until": {"time": "06:00"}}, {}, "2026-11-25T06:00:00-05:00"),
        ({"duration": "1 day", "until": "2026-11-30"}, {}, "2026-11-30T00:00:00-05:00"),
    ],
)  # fmt: skip
def test_R18_until(config: dict[str, Any], data: dict[str, Any], until: str) -> None:
    one = journey(wait(**{"duration": None} | config), send(), timezone="America/New_York")
    tokyo = Customer("pinehurst", "c-7", {"timezone": "Asia/Tokyo"})
    life = Life(live(one), tokyo).give(event(data=data))
    entered = [entry for entry in life.entries if "waitingUntil" in entry]
    assert [entry["waitingUntil"] for entry in entered] == [at(until)]


@pytest.mark.parametrize(
    ("profile", "note"),
    [
        ({}, "The customer has no timezone; the journey's was used."),
        ({"timezone": "Mars/Base"}, "The customer has the unknown timezone 'Mars/Base'; the journey's was used."),
        ({"timezone": 5}, "The customer has the unknown timezone '5'; the journey's was used."),
    ],
)
def test_R18_an_unknown_customer_timezone_falls_back_and_says_so(profile: dict[str, Any], note: str) -> None:
    one = journey(wait(duration="1 day", timezone="customer"), send(), timezone="Europe/London")
    life = Life(live(one), Customer("pinehurst", "c-7", profile)).give(event()).due(NOON + hours(24))
    result = next(entry["result"] for entry in life.entries if entry.get("stepId") == "wait" and "result" in entry)
    assert (result["timezone"], result["note"]) == ("Europe/London", note)


def test_R17_a_monthly_loop_from_the_31st_goes_on_from_the_28th() -> None:
    life = Life(live(journey(wait(duration="1 month"), send(nextStepId="wait")))).give(
        event(at=at("2027-01-31T12:00Z"))
    )
    for day in ("2027-02-28", "2027-03-28", "2027-04-28"):
        life.due(at(f"{day}T12:00Z"))
    assert [f"{sent:%m-%d}" for _, sent in life.sent] == ["02-28", "03-28", "04-28"]


def test_R18_a_daily_loop_goes_on_the_next_day() -> None:
    daily = journey(wait("w", None, until={"time": "12:00"}), send(nextStepId="w"))
    life = Life(live(daily)).give(event())
    for days in (1, 2):
        life.due(NOON + timedelta(days=days))
    assert [moment for _, moment in life.sent] == [NOON, NOON + timedelta(days=1), NOON + timedelta(days=2)]
    assert [command["visit"] for command in life.commands] == [1, 2, 3]


PAST = {"duration": None, "until": "2026-11-20T09:00:00Z"}


@pytest.mark.parametrize(
    ("config", "sent", "ended"),
    [
        (PAST, ["one", "two"], ("enrollment.completed", "completed")),
        (PAST | {"ifPast": "skip"}, ["two"], ("enrollment.completed", "completed")),
        (PAST | {"ifPast": "exit"}, [], ("enrollment.exited", "rule")),
        (PAST | {"ifPast": "fail"}, [], ("enrollment.failed", "error")),
        ({"duration": None, "until": {"field": "x"}}, [], ("enrollment.failed", "error")),
        ({"duration": None, "until": {"field": "x"}, "ifMissing": "exit"}, [], ("enrollment.exited", "rule")),
        ({"duration": None, "until": {"field": "x"}, "ifMissing": "continue"}, ["one", "two"],
         ("enrollment.completed", "completed")),
    ],
)  # fmt: skip
def test_R19_a_moment_that_is_past_or_missing(config: Any, sent: list[str], ended: tuple[str, str]) -> None:
    life = Life(live(journey(wait(**config), send("x", "one"), send("y", "two")))).give(event())
    assert [template for template, _ in life.sent] == sent
    assert [(e["type"], e["exitReason"]) for e in life.entries if "exitReason" in e] == [ended]


def test_R19_exit_and_skip_say_why() -> None:
    life = Life(live(journey(wait(**PAST, ifPast="exit"), send()))).give(event())
    sentence = "'2026-11-20T09:00:00Z' was over at 2026-11-20T09:00:00+00:00."
    assert life.told("enrollment.exited", "detail") == [sentence]
    life = Life(live(journey(wait(**PAST, ifPast="skip"), send()))).give(event())
    assert life.told("step.skipped", "stepId", "reason") == [("mail", "policy")]


def test_R19_a_field_that_is_no_date_is_as_good_as_missing() -> None:
    one = journey(wait(duration=None, until={"field": "x"}), send())
    life = Life(live(one)).give(event(data={"x": "soon"}))
    assert life.told("enrollment.failed", "error") == ["Step 'wait' failed: 'x' is not a date."]
    assert life.told("step.failed", "stepId", "error") == [("wait", "'x' is not a date.")]


def test_R19_skip_before_the_end_of_the_journey_just_completes_it() -> None:
    steps = [{"type": "TRIGGER"}, wait(**PAST, ifPast="skip")]
    life = Life(live(journey(steps=steps))).give(event())
    assert life.told("enrollment.completed", "exitReason") == ["completed"]


def test_R21_a_past_moment_beside_a_duration_still_waits_for_the_duration() -> None:
    life = Life(live(journey(wait(**PAST | {"duration": "1 hour"}), send()))).give(event())
    assert life.told("step.entered", "waitingUntil") == [NOON + hours(1)]


@pytest.mark.parametrize(
    ("late", "then", "sent", "ended"),
    [
        (hours(6), "skip", ["one", "two"], "completed"),
        (hours(6) + INSTANT, "continue", ["one", "two"], "completed"),
        (hours(6) + INSTANT, "skip", ["two"], "completed"),
        (hours(6) + INSTANT, "exit", [], "rule"),
    ],
)
def test_R20_a_late_wait(late: timedelta, then: str, sent: list[str], ended: str) -> None:
    lazy = wait(ifLate={"after": "6 hours", "then": then})
    life = Life(live(journey(lazy, send("x", "one"), send("y", "two")))).give(event()).due(NOON + hours(2) + late)
    assert [template for template, _ in life.sent] == sent
    assert [entry["exitReason"] for entry in life.entries if "exitReason" in entry] == [ended]


def test_R20_a_command_carries_until_when_it_is_worth_sending() -> None:
    life = Life(live(journey(send(config={"expiresAfter": "2 hours"})))).give(event())
    assert life.commands[0]["notAfter"] == NOON + hours(2)


def test_R28_an_enrolment_keeps_its_version_and_new_ones_use_the_newest() -> None:
    from models.journey import JourneyStatus

    first = journey(wait(), send("mail", "old"), allowReentry=True)
    second = journey(send("mail", "new"), allowReentry=True, version=2)
    life = Life(live(first)).give(event(1))
    life.journeys = life.journeys.with_version(second).with_status(first.id, JourneyStatus.ACTIVE, 2)
    life.due(NOON + hours(2)).give(event(2, NOON + hours(3)))
    assert [(c["templateId"], c["journeyVersion"]) for c in life.commands] == [("old", 1), ("new", 2)]


def test_R28_a_version_that_is_gone_fails_with_a_sentence() -> None:
    first = journey(wait(), send())
    life = Life(live(first)).give(event(1))
    life.journeys = life.journeys.without_version(first.id, 1)
    life.due(NOON + hours(2))
    assert life.told("enrollment.failed", "error") == [f"Version 1 of journey '{first.id}' is not known any more."]

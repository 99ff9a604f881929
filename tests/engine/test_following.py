"""Trigger data that follows events, and waits that are planned anew when their moment moved: R42, R43."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.customer import Customer
from models.journey import Journey, JourneyStatus
from streams.engine.inputs import Exit
from tests.engine.build import NOON, Life, event, hours, journey, live, send, update, wait

MOVED = {"eventType": "teetime.rescheduled"}
SATURDAY, SUNDAY = NOON + timedelta(days=5), NOON + timedelta(days=6)  # NOON is a Monday
DAY = timedelta(days=1)


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def until(field: str = "trigger.teeTime", **more: Any) -> dict[str, Any]:
    config = {"offset": "-1 day"} | more.pop("until", {})
    return wait(more.pop("id", "day-before"), more.pop("duration", None), until={"field": field} | config, **more)


def following(*steps: Any, **settings: Any) -> Journey:
    whole: dict[str, Any] = {"follow": [MOVED], "enrollmentKey": "trigger.id", "allowReentry": True}
    return journey(*steps, **(whole | settings))


def booked(one: Journey, tee_time: object = iso(SATURDAY), **data: Any) -> Life:
    return Life(live(one)).give(event(data={"id": "t1", "teeTime": tee_time, "course": "old"} | data))


def moved(life: Life, after: float, number: int = 2, read: float | None = None, **data: Any) -> Life:
    return life.hear(number, after, "teetime.rescheduled", read, **{"id": "t1", **data})


def replanned(life: Life) -> list[Any]:
    return [(told["before"], told["after"]) for told in life.told("step.replanned", "waitingUntil")]


REMIND = following(until(), send("remind"))


# --- R42: follow


def test_R42_an_event_replaces_the_fields_that_the_trigger_s_data_has() -> None:
    life = moved(booked(following(wait(), send())), 1, teeTime=iso(SUNDAY), course=None, hole=3)
    (told,) = [entry for entry in life.entries if entry["type"] == "trigger.updated"]
    assert told["changes"] == [
        {"field": "teeTime", "before": iso(SATURDAY), "after": iso(SUNDAY)},
        {"field": "course", "before": "old", "after": None},
    ]
    assert [life.due(NOON + hours(2)).commands[0]["data"][name] for name in ("teeTime", "course", "id")] == [
        iso(SUNDAY), None, "t1",
    ]  # fmt: skip
    assert list(told) == ["type", "journeyId", "journeyVersion", "enrollmentId", "changes"]


def test_R42_set_names_the_fields_and_adds_one_that_is_not_there_yet() -> None:
    one = following(wait(), send(), follow=[MOVED | {"set": ["teeTime", "hole"]}])
    life = moved(booked(one), 1, teeTime=iso(SUNDAY), course="new", hole=3)
    assert [change["field"] for change in life.told("trigger.updated", "changes")[0]] == ["teeTime", "hole"]
    assert life.due(NOON + hours(2)).commands[0]["data"]["course"] == "old"


def test_R42_what_the_event_lacks_stays_and_what_changes_nothing_is_not_told() -> None:
    life = moved(booked(following(wait())), 1)
    assert life.latest == ()
    assert moved(life, 1, note="rain").latest == (), "it carries nothing that is followed, and left no trace"
    moved(life, 1.5, 3, teeTime=iso(SATURDAY))
    assert life.told("trigger.updated", "changes") == []
    moved(life, 1.6, 3, teeTime=iso(SATURDAY))
    assert life.told("enrollment.refused", "reason") == ["duplicate"], "it counts as the one followed last"


@pytest.mark.parametrize(
    ("first", "then", "last"),
    [(10, 11, "then"), (11, 10, "first"), (10, 10, "then")],
    ids=["in order", "out of order", "at one time the later arrival"],
)
def test_R42_what_occurred_before_the_event_followed_last_is_passed_over(
    first: float, then: float, last: str
) -> None:
    life = booked(following(wait(duration="20 hours"), send()))
    moved(life, first, 2, read=12, course="first")
    moved(life, then, 3, read=12, course="then")
    assert life.due(NOON + hours(20)).commands[0]["data"]["course"] == last
    assert len(life.told("trigger.updated", "changes")) == (2 if last == "then" else 1)
    if last == "first":
        assert moved(life, then, 3, read=12, course="then").latest == (), "it left no trace, so it is no duplicate"


def test_R42_an_event_that_changed_nothing_still_counts_as_followed() -> None:
    life = moved(booked(following(wait(duration="20 hours"))), 11, 2, read=12, course="old")
    moved(life, 10, 3, read=12, course="new")
    assert life.told("trigger.updated", "changes") == []


def test_R42_the_key_never_changes_whatever_key_the_event_has() -> None:
    for key, data in (("any", {"id": "t2"}), ("any", {"id": None}), ("booking", {"id": "t2", "booking": "t1"})):
        one = following(wait(), send(), follow=[MOVED | {"key": key}])
        life = booked(one).hear(2, 1, "teetime.rescheduled", course="new", **data)
        assert [change["field"] for change in life.told("trigger.updated", "changes")[0]] == ["course"]
        assert life.due(NOON + hours(2)).commands[0]["data"]["id"] == "t1"


def test_R42_the_first_listener_that_fits_is_followed_and_conditions_are_asked() -> None:
    big = {"field": "event.players", "operator": "greaterThan", "value": 2}
    one = following(wait(), follow=[MOVED | {"conditions": [big], "set": ["players"]}, MOVED | {"set": ["course"]}])
    for players, field in ((4, "players"), (1, "course")):
        life = moved(booked(one), 1, players=players, course="new")
        assert [change["field"] for change in life.told("trigger.updated", "changes")[0]] == [field]


def test_R42_later_conditions_and_waits_see_the_new_data_and_who_has_left_follows_nothing() -> None:
    one = following(wait(), until("teeTime", id="later"), send())
    life = moved(booked(one), 1, teeTime=iso(SUNDAY)).due(NOON + hours(2))
    assert life.told("step.entered", "waitingUntil")[-1] == SUNDAY - DAY
    life.give(Exit(NOON + hours(3)), NOON + hours(3))
    assert moved(life, 4, 3, course="new").latest == ()


def test_R42_a_rescheduling_that_is_read_before_the_booking_is_not_followed() -> None:
    life = Life(live(REMIND)).hear(2, 1, "teetime.rescheduled", id="t1", teeTime=iso(SUNDAY))
    life.give(event(data={"id": "t1", "teeTime": iso(SATURDAY)}), NOON + hours(2))
    assert life.told("step.entered", "waitingUntil") == [SATURDAY - DAY]


def test_R42_rules_of_an_exit_and_of_the_open_wait_are_asked_again() -> None:
    alone = {"field": "trigger.players", "operator": "lessThan", "value": 2}
    life = moved(booked(following(wait(), exits=[{"rules": [alone]}]), players=4), 1, players=1)
    assert life.told("enrollment.exited", "detail") == ["exit 1"]
    ruled = {"id": "wait", "type": "WAIT", "config": {"rules": [alone], "duration": "9 hours"}}
    life = moved(booked(following(ruled, send()), players=4), 1, players=1)
    assert life.sent == [("hello", NOON + hours(1))]


# --- R43: planned anew


def test_R43_a_wait_moves_with_the_tee_time_and_one_reminder_goes_out_with_the_new_one() -> None:
    life = moved(booked(REMIND), 72, teeTime=iso(SUNDAY))
    assert replanned(life) == [(SATURDAY - DAY, SUNDAY - DAY)]
    assert life.kinds == ["trigger.updated", "step.replanned"]
    (told,) = [entry for entry in life.entries if entry["type"] == "step.replanned"]
    assert (told["stepId"], told["stepNumber"], told["visit"]) == ("day-before", 2, 1)
    assert life.due(SATURDAY - DAY).sent == []
    assert life.due(SUNDAY - DAY).sent == [("hello", SUNDAY - DAY)]
    assert life.commands[0]["data"]["teeTime"] == iso(SUNDAY)
    assert life.due(SUNDAY).due(SUNDAY + DAY).sent == [("hello", SUNDAY - DAY)]


def test_R43_the_result_says_what_the_wait_came_to() -> None:
    life = moved(booked(REMIND), 72, teeTime=iso(SUNDAY)).due(SUNDAY - DAY)
    (entry,) = [e for e in life.entries if e["type"] == "step.completed" and e["stepId"] == "day-before"]
    assert (entry["enteredAt"], entry["result"]) == (
        NOON, {"waitingUntil": SUNDAY - DAY, "firedAt": SUNDAY - DAY},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tee_time", "told"),
    [
        (NOON + DAY + hours(10) + timedelta(microseconds=1), "waits"),
        (NOON + DAY + hours(10), "sent"),
        (NOON + DAY + hours(10) - timedelta(microseconds=1), "past"),
        (NOON + timedelta(hours=20), "past"),
    ],
)
@pytest.mark.parametrize("policy", ["continue", "skip", "exit", "fail"])
def test_R43_a_moment_that_is_now_is_due_and_one_that_is_past_goes_by_ifPast(
    tee_time: datetime, told: str, policy: str
) -> None:
    life = moved(booked(following(until(ifPast=policy), send("remind"))), 10, teeTime=iso(tee_time))
    sent = told == "sent" or (told, policy) == ("past", "continue")
    assert life.sent == [("hello", NOON + hours(10))] * sent
    assert bool(replanned(life)) == (told == "waits")
    if told == "past":
        assert life.told("step.skipped", "stepId", "reason") == {
            "continue": [], "skip": [("remind", "policy")],
            "exit": [("remind", "ended"), ("end", "ended")], "fail": [("remind", "ended"), ("end", "ended")],
        }[policy]  # fmt: skip
        ended = {"exit": ("exited", "rule"), "fail": ("failed", "error")}.get(policy, ("completed", "completed"))
        assert life.told(f"enrollment.{ended[0]}", "exitReason") == [ended[1]]


@pytest.mark.parametrize("value", [None, "soon", 5])
@pytest.mark.parametrize("policy", ["continue", "exit", "fail"])
def test_R43_a_value_that_is_no_date_goes_by_ifMissing(value: object, policy: str) -> None:
    life = moved(booked(following(until(ifMissing=policy), send("remind"))), 10, teeTime=value)
    assert life.sent == [("hello", NOON + hours(10))] * (policy == "continue")
    fault = "is missing" if value is None else "is not a date"
    reasons = life.told("enrollment.exited", "detail") + life.told("step.failed", "error")
    assert reasons == [f"'trigger.teeTime' {fault}."] * (policy != "continue")


def test_R43_an_event_without_the_field_moves_nothing_but_the_rest() -> None:
    life = moved(booked(REMIND), 10, course="new")
    assert (replanned(life), life.kinds) == ([], ["trigger.updated"])


def test_R43_the_same_moment_in_other_words_moves_nothing() -> None:
    life = moved(booked(REMIND), 10, teeTime="2026-11-28T12:00:00+00:00")
    assert (replanned(life), life.kinds) == ([], ["trigger.updated"])


def test_R43_it_never_ends_before_its_duration_has_passed() -> None:
    slow = until(duration="2 days", until={"offset": None})
    for policy, at in (("continue", NOON + 2 * DAY), ("skip", None)):
        life = moved(
            booked(following(slow | {"config": slow["config"] | {"ifPast": policy}}, send())),
            10,
            teeTime=iso(NOON + DAY),
        )
        life.due(NOON + 2 * DAY - hours(1)).due(NOON + 2 * DAY)
        assert [moment for _, moment in life.sent] == ([at] if at else [])
        if at is None:
            assert life.told("enrollment.completed", "at") == [NOON + hours(10)], "it is decided at the event"
    life = moved(booked(following(slow, send())), 60, teeTime=iso(NOON + hours(61)))
    assert life.due(NOON + hours(61)).sent == [("hello", NOON + hours(61))]


def test_R43_what_is_read_late_is_planned_at_its_time_and_then_fires_late() -> None:
    at = NOON + DAY + hours(11)
    life = moved(
        booked(following(until(ifLate={"after": "1 hour", "then": "skip"}), send())), 10, read=20, teeTime=iso(at)
    )
    assert replanned(life) == [(SATURDAY - DAY, NOON + hours(11))]
    assert (life.sent, life.told("step.skipped", "reason")) == ([], ["policy"]), "R20 counts from the new time"


def test_R43_a_bare_field_moves_where_it_was_found_in_the_trigger_s_data() -> None:
    one = following(until("teeTime"), send())
    assert replanned(moved(booked(one), 10, teeTime=iso(SUNDAY))) == [(SATURDAY - DAY, SUNDAY - DAY)]
    life = Life(live(one), Customer("pinehurst", "c-7", {"teeTime": iso(SUNDAY)}))
    life.give(event(data={"id": "t1", "teeTime": iso(SATURDAY)}))
    assert replanned(moved(life, 10, teeTime=iso(SATURDAY + 3 * DAY))) == []


def test_R43_other_waits_stay_as_they_are() -> None:
    for other in (
        wait(duration="9 days"),
        wait("w", None, until="2026-12-01"),
        wait("w", None, until={"time": "09:00"}),
    ):
        assert replanned(moved(booked(following(other)), 10, teeTime=iso(SUNDAY))) == []


def test_R43_a_wait_that_has_fired_is_not_undone_and_a_wait_for_the_move_may_go_back() -> None:
    again = following(
        until(ifPast="skip"), send("remind"),
        wait("moved", None, events=[MOVED], until={"field": "trigger.teeTime"})
        | {"nextStepYesId": "day-before", "nextStepNoId": "end"},
    )  # fmt: skip
    life = booked(again).due(SATURDAY - DAY)
    assert life.stands == [("t1", "moved")]
    moved(life, 97, teeTime=iso(SUNDAY))
    assert life.kinds[:2] == ["trigger.updated", "step.replanned"]
    assert life.stands == [("t1", "day-before")]
    life.due(SUNDAY - DAY).due(SUNDAY)
    assert [at for _, at in life.sent] == [SATURDAY - DAY, SUNDAY - DAY]
    assert life.told("enrollment.completed", "at") == [SUNDAY]


def test_R43_who_went_on_by_the_move_is_not_moved_by_the_same_event_again() -> None:
    twice = following(
        until(ifPast="continue"), wait("next", "9 hours", events=[MOVED]), send(),
    )  # fmt: skip
    life = moved(booked(twice), 10, teeTime=iso(NOON + hours(20)))
    assert life.stands == [("t1", "next")]


def test_R43_a_new_date_and_an_event_that_ends_the_wait_in_one() -> None:
    both = following(until() | {"nextStepYesId": "end", "nextStepNoId": "remind"}, send("remind"))
    assert both.steps[1].type == "WAIT"
    heard = until(events=[MOVED]) | {"nextStepYesId": "end", "nextStepNoId": "remind"}
    life = moved(booked(following(heard, send("remind"))), 10, teeTime=iso(SUNDAY))
    assert life.kinds[:2] == ["trigger.updated", "step.replanned"]
    assert (life.stands, life.sent) == ([], [])


# --- R43: the profile


RENEWAL = journey(
    wait("renew", None, until={"field": "customer.renewalDate", "offset": "-1 day", "follow": True}), send()
)
PLAIN = journey(wait("renew", None, until={"field": "customer.renewalDate", "offset": "-1 day"}), send())


def test_R43_a_field_of_the_profile_is_followed_only_where_the_wait_says_so() -> None:
    for one, times in ((RENEWAL, [(SATURDAY - DAY, SUNDAY - DAY)]), (PLAIN, [])):
        life = Life(live(one), Customer("pinehurst", "c-7", {"renewalDate": iso(SATURDAY)})).give(event())
        life.hear(2, 1, "customer.updated", city="Cork")
        assert replanned(life) == []
        assert replanned(life.hear(3, 2, "customer.updated", renewalDate=iso(SUNDAY))) == times


def test_R43_an_update_of_another_journey_moves_it_and_missing_goes_by_ifMissing() -> None:
    sets = journey(
        update("u", {"field": "renewalDate", "value": iso(SUNDAY)}), name="Sets", triggerType="dues.paid"
    )
    life = Life(live(RENEWAL, sets), Customer("pinehurst", "c-7", {"renewalDate": iso(SATURDAY)})).give(event())
    assert replanned(life.hear(2, 1, "dues.paid")) == [(SATURDAY - DAY, SUNDAY - DAY)]
    life.hear(3, 2, "customer.updated", renewalDate=None)
    assert life.told("enrollment.failed", "exitReason") == ["error"]


# --- R43: pause


def test_R43_in_a_pause_it_is_planned_anew_and_stays_held() -> None:
    late = following(until(ifLate={"after": "1 hour", "then": "exit"}), send("remind"))
    for resumed, sent in ((NOON + hours(21), 1), (NOON + hours(22), 0)):
        life = booked(late).set(JourneyStatus.PAUSED, late)
        moved(life, 10, teeTime=iso(NOON + DAY + hours(20)))
        assert replanned(life) == [(SATURDAY - DAY, NOON + hours(20))]
        assert life.due(NOON + hours(20.5)).sent == []
        life.set(JourneyStatus.ACTIVE, late).due(resumed)
        assert len(life.sent) == sent, "R20 counts from the new time"
        assert life.due(SATURDAY).stands == []


@pytest.mark.parametrize(("policy", "sent"), [("continue", 1), ("skip", 0), ("exit", 0), ("fail", 0)])
def test_R43_a_past_moment_in_a_pause_is_dealt_with_at_the_resume(policy: str, sent: int) -> None:
    one = following(until(ifPast=policy), send("remind"))
    life = moved(booked(one).set(JourneyStatus.PAUSED, one), 10, teeTime=iso(NOON + hours(20)))
    assert (life.stands, len(replanned(life))) == ([("t1", "day-before")], 1)
    life.set(JourneyStatus.ACTIVE, one).due(NOON + hours(30))
    assert (len(life.sent), life.stands) == (sent, [])


def test_R43_in_a_pause_it_may_move_again_before_anything_is_decided() -> None:
    one = following(until(ifPast="exit", duration="2 days"), send("remind"))
    life = booked(one).set(JourneyStatus.PAUSED, one)
    moved(life, 10, 2, teeTime=iso(NOON + hours(20)))
    moved(life, 11, 3, teeTime=iso(SUNDAY))
    life.set(JourneyStatus.ACTIVE, one).due(NOON + hours(30))
    assert life.due(SUNDAY - DAY).sent == [("hello", SUNDAY - DAY)]


def test_R43_a_wait_that_an_event_has_ended_in_a_pause_moves_no_more() -> None:
    one = following(until(events=[{"eventType": "teetime.completed"}]), send("remind"))
    life = booked(one).set(JourneyStatus.PAUSED, one).hear(2, 1, "teetime.completed", id="t1")
    moved(life, 10, 3, teeTime=iso(SUNDAY))
    assert replanned(life) == []
    assert life.set(JourneyStatus.ACTIVE, one).due(NOON + hours(11)).sent == [("hello", NOON + hours(11))]

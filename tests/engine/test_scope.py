"""What conditions can see where they are asked: envelope, trigger data, profile and enrolment (R8)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.customer import Customer
from models.ids import enrollment_id
from streams.engine.inputs import Arrived
from tests.engine.build import NOON, Life, ask, event, hours, journey, live, send, wait

GIVEN = event(club="north", data={"teeTimeId": "t-1"}, extra={"via": "app"})
ENVELOPE = [
    ("event.eventId", "e-1"),
    ("event.eventType", "teetime.booked"),
    ("event.tenantId", "pinehurst"),
    ("event.clubId", "north"),
    ("event.customerId", "c-7"),
    ("event.occurredAt", "2026-11-23T12:00:00Z"),
    ("event.via", "app"),
    ("trigger.teeTimeId", "t-1"),
    ("customer.tier", "Gold"),
]


def equals(field: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": "equals", "value": value}


def gold() -> Customer:
    return Customer("pinehurst", "c-7", {"tier": "Gold"})


@pytest.mark.parametrize(("field", "value"), ENVELOPE)
def test_R8_the_trigger_sees_the_event_and_the_profile(field: str, value: Any) -> None:
    one = journey(send(), triggerConfig={"conditions": [equals(field, value)]})
    assert len(Life(live(one), gold()).give(GIVEN).sent) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *ENVELOPE,
        ("enrollment.journeyId", journey().id),
        ("enrollment.id", enrollment_id(journey().id, "c-7", "t-1", 1)),
        ("enrollment.version", 3),
        ("enrollment.key", "t-1"),
        ("enrollment.entryNumber", 1),
        ("enrollment.enrolledAt", "2026-11-23T12:00:00Z"),
        ("enrollment.variants.ab", "A"),
        ("enrollment.visits.wait", 1),
    ],
)
def test_R8_a_step_sees_them_too_and_the_enrolment_also_after_a_wait(field: str, value: Any) -> None:
    split = {"id": "ab", "type": "SPLIT", "config": {"variants": [{"name": "A"}]}}
    steps = [split, wait(), ask("ask", equals(field, value), nextStepNoId="end"), send()]
    one = journey(*steps, version=3, enrollmentKey="trigger.teeTimeId")
    assert len(Life(live(one), gold()).give(GIVEN).due(NOON + hours(2)).sent) == 1


def test_R17_a_day_is_a_day_of_the_journeys_calendar() -> None:
    saturday = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the night after, London's clocks go back
    one = journey(wait(duration="1 day"), timezone="Europe/London")
    life = Life(live(one)).give(event(at=saturday))
    assert life.told("step.entered", "waitingUntil") == [datetime(2026, 10, 25, 13, tzinfo=UTC)]


def test_R20_a_command_is_worth_sending_for_a_day_of_the_journeys_calendar() -> None:
    saturday = datetime(2026, 10, 24, 12, tzinfo=UTC)
    one = journey(send(config={"expiresAfter": "1 day"}), timezone="Europe/London")
    (command,) = Life(live(one)).give(event(at=saturday)).commands
    assert command["notAfter"] == datetime(2026, 10, 25, 13, tzinfo=UTC)


@pytest.mark.parametrize(("later", "times"), [(24.9, 1), (25, 2)])
def test_R3_a_day_until_reentry_is_a_day_of_the_journeys_calendar(later: float, times: int) -> None:
    saturday = datetime(2026, 10, 24, 12, tzinfo=UTC)
    one = journey(send(), allowReentry=True, reentryAfter="1 day", timezone="Europe/London")
    life = Life(live(one)).give(event(1, saturday)).give(event(2, saturday + hours(later)))
    assert len(life.sent) == times


@pytest.mark.parametrize(("late", "sent"), [(25, 1), (25.1, 0)])
def test_R20_a_day_late_is_a_day_of_the_journeys_calendar(late: float, sent: int) -> None:
    saturday = datetime(2026, 10, 24, 12, tzinfo=UTC)
    lazy = wait(duration="1 second", ifLate={"after": "1 day", "then": "exit"})
    life = Life(live(journey(lazy, send(), timezone="Europe/London"))).give(event(at=saturday))
    life.due(saturday + timedelta(seconds=1) + hours(late))
    assert len(life.sent) == sent


SOON = {"field": "trigger.teeTime", "operator": "withinNext", "value": "1 day"}
TEE_TIME = {"teeTime": "2026-11-24T13:00:00Z"}  # 25 hours after noon


# A rule alone and, as what joins rules hands the time and the timezone on, one of two, in a group, and in either.
FORMS = [lambda rule: [rule], lambda rule: [rule, rule], lambda rule: [{"rules": [{"rules": [rule, rule]}]}]]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("occurred", "enters"), [(0.9, 0), (1, 1)])
def test_R10_the_trigger_asks_at_the_time_of_the_event(form: Any, occurred: float, enters: int) -> None:
    one = journey(send(), triggerConfig={"conditions": form(SOON)})
    late = Arrived(event(at=NOON + hours(occurred), data=TEE_TIME))
    assert len(Life(live(one)).give(late, NOON + hours(2)).sent) == enters


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("fired", "way"), [(0.9, "far"), (1, "soon")])
def test_R10_a_step_asks_at_its_own_time(form: Any, fired: float, way: str) -> None:
    ways = [send("x", "soon", nextStepId="end"), send("y", "far")]
    one = journey(wait(duration="1 second"), ask("ask", *form(SOON), nextStepYesId="x", nextStepNoId="y"), *ways)
    life = Life(live(one)).give(event(data=TEE_TIME)).due(NOON + hours(fired))
    assert [template for template, _ in life.sent] == [way]


@pytest.mark.parametrize("grouped", [False, True])
def test_R8_a_bare_name_is_the_events_for_the_trigger_and_the_customers_in_a_step(grouped: bool) -> None:
    silver, golden = equals("tier", "Silver"), {"field": "trigger.best", "operator": "equals", "valueField": "tier"}
    rules = [{"rules": [rule]} if grouped else rule for rule in (silver, golden)]
    config = {"triggerConfig": {"conditions": rules[:1]}, "enrollmentKey": "tier"}
    one = journey(ask("ask", rules[1], nextStepNoId="end"), send(), **config)
    life = Life(live(one), gold()).give(event(data={"tier": "Silver", "best": "Gold"}))
    assert life.told("enrollment.started", "enrollmentKey") == ["Silver"]
    assert len(life.sent) == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("time", "holds"), [("12:29", 1), ("12:31", 0)])
def test_R11_a_date_without_offset_is_of_the_journeys_timezone(form: Any, time: str, holds: int) -> None:
    rules = form({"field": "trigger.teeTime", "operator": "after", "value": f"2026-11-24T{time}"})
    half_past_twelve = event(data={"teeTime": "2026-11-24T17:30:00Z"})
    for one in (
        journey(send(), triggerConfig={"conditions": rules}, timezone="America/New_York"),
        journey(ask("ask", *rules, nextStepNoId="end"), send(), timezone="America/New_York"),
    ):
        assert len(Life(live(one)).give(half_past_twelve).sent) == holds


def test_R13_the_other_field_is_looked_up_where_the_rule_is_asked() -> None:
    same = {"field": "event.best", "operator": "equals", "valueField": "tier"}
    one = journey(send(), triggerConfig={"conditions": [same]})
    for best, enters in (("Silver", 1), ("Gold", 0)):
        life = Life(live(one), gold()).give(event(data={"tier": "Silver", "best": best}))
        assert len(life.sent) == enters


@pytest.mark.parametrize(("combinator", "sent"), [("AND", 0), ("OR", 1)])
def test_R13_a_condition_joins_its_rules_as_it_says(combinator: str, sent: int) -> None:
    step = ask("ask", equals("customer.tier", "Gold"), equals("customer.tier", "Silver"), nextStepNoId="end")
    step["config"]["combinator"] = combinator
    assert len(Life(live(journey(step, send())), gold()).give(event()).sent) == sent

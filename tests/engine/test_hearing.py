"""Who hears an event (R31), and what is remembered of it (R7)."""

from typing import Any

import pytest

from models.customer import fingerprint, remembers
from models.journey import Journey, JourneyStatus
from streams.engine.advance import is_of_use
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait

ONE = {"eventType": "round.played"}


def listening(listener: dict[str, Any], **settings: Any) -> Journey:
    """Return a journey with an exit by this listener."""
    return journey(wait(duration="3 days"), send(), exits=[listener], **settings)


def left(life: Life) -> int:
    return len(life.told("enrollment.exited", "detail"))


@pytest.mark.parametrize(
    ("listener", "key", "heard", "ends"),
    [
        (ONE, None, {}, True),
        (ONE, "trigger.id", {"id": "t1"}, True),
        (ONE, "trigger.id", {"id": "t2"}, False),
        (ONE, "trigger.id", {}, False),
        (ONE, "trigger.id", {"id": None}, False),
        (ONE, "trigger.id", {"id": ["t1"]}, False),
        (ONE, "id", {"id": "t1"}, True),
        (ONE, "event.data.id", {"id": "t1"}, True),
        (ONE, "event.id", {"id": "t1"}, True),
        (ONE, "event.id", {"id": "t2"}, False),
        (ONE | {"key": "booking"}, "trigger.id", {"id": "t2", "booking": "t1"}, True),
        (ONE | {"key": "booking"}, "trigger.id", {"id": "t1", "booking": "t2"}, False),
        (ONE | {"key": "event.data.booking.id"}, "trigger.id", {"booking": {"id": "t1"}}, True),
        (ONE | {"key": "any"}, "trigger.id", {"id": "t2"}, True),
        (ONE | {"key": "any"}, "trigger.id", {}, True),
    ],
)
def test_R31_the_key_of_the_event_must_be_that_of_the_enrolment(
    listener: Any, key: str | None, heard: dict[str, Any], ends: bool
) -> None:
    life = Life(live(listening(listener, enrollmentKey=key)))
    life.give(event(data={"id": "t1"})).hear(2, 1, "round.played", **heard)
    assert left(life) == ends


@pytest.mark.parametrize(
    ("key", "seen", "ends"), [("t", 5, True), ("t", 5.0, True), ("t", "5", True), ("t", True, False)]
)
def test_R31_the_key_is_read_as_at_the_entry(key: str, seen: object, ends: bool) -> None:
    life = (
        Life(live(listening(ONE, enrollmentKey=key))).give(event(data={"t": 5})).hear(2, 1, "round.played", t=seen)
    )
    assert left(life) == ends


def test_R31_a_bare_key_is_not_looked_for_in_the_profile() -> None:
    life = Life(live(listening(ONE, enrollmentKey="id"))).hear(1, 0, "customer.updated", id="t1")
    life.give(event(2)).hear(3, 1, "round.played")
    assert (left(life), life.stands) == (0, [("t1", "wait")])


def test_R31_a_key_of_the_profile_is_that_of_everybody_s_events() -> None:
    life = Life(live(listening(ONE, enrollmentKey="customer.card"))).hear(1, 0, "customer.updated", card=7)
    assert left(life.give(event(2)).hear(3, 1, "round.played")) == 1


@pytest.mark.parametrize(("after", "ends"), [(-1e-9, False), (0, True), (1, True)])
def test_R31_what_occurred_before_the_entry_is_not_heard(after: float, ends: bool) -> None:
    life = Life(live(listening(ONE))).give(event()).hear(2, after, "round.played", read=1)
    assert left(life) == ends


@pytest.mark.parametrize(("club", "ends"), [("north", True), ("south", False), (None, False)])
def test_R31_a_journey_of_a_club_hears_its_events_only(club: str | None, ends: bool) -> None:
    life = Life(live(listening(ONE, clubId="north"))).give(event(club="north"))
    life.give(event(2, NOON + hours(1), "round.played", club=club))
    assert left(life) == ends


def test_R31_the_event_that_enrolled_is_never_heard_whenever_it_comes_again() -> None:
    one = listening({"eventType": "teetime.booked"})
    life = Life(live(one)).give(event())
    for number in range(2, 400):  # by then nobody remembers that it came before
        life.hear(number, 0, "customer.updated", n=number)
    assert left(life.give(event())) == 0
    assert left(life.give(event(500))) == 1


def rule(field: str, value: object, **more: Any) -> dict[str, Any]:
    return {"field": field, "operator": "equals", "value": value} | more


@pytest.mark.parametrize(
    ("condition", "ends"),
    [
        (rule("score", 72), True),
        (rule("score", 71), False),
        (rule("event.score", 72), True),
        (rule("event.data.score", 72), True),
        ({"field": "event.data", "operator": "isNotEmpty"}, True),
        (rule("event.eventType", "round.played"), True),
        (rule("event.eventId", "e-2"), True),
        (rule("event.course", "old"), True),
        (rule("trigger.score", 90), True),
        (rule("trigger.score", 72), False),
        (rule("customer.city", "Cork"), True),
        (rule("city", "Cork"), True),
        (rule("tier", "Gold"), True),
        (rule("trigger.tier", "Gold"), False),
        (rule("enrollment.key", "t1"), True),
        (rule("enrollment.visits.wait", 1), True),
        (rule("enrollment.visits.mail", 1), False),
        (rule("score", None, valueField="trigger.par"), True),
        ({"not": True, "rules": [rule("score", 72)]}, False),
        ({"field": "event.occurredAt", "operator": "withinLast", "value": "1 second"}, True),
        ({"field": "playedAt", "operator": "withinLast", "value": "30 minutes"}, True),
        ({"field": "playedAt", "operator": "withinLast", "value": "29 minutes"}, False),
    ],
)
def test_R31_conditions_ask_the_event_heard_the_trigger_and_the_profile(condition: Any, ends: bool) -> None:
    one = listening(ONE | {"conditions": [condition]}, enrollmentKey="trigger.id", name="B")
    life = Life(live(one)).hear(9, -1, "customer.updated", city="Cork", tier="Gold", score=80)
    life.give(event(data={"id": "t1", "score": 90, "par": 72, "tier": "Silver"}))
    played = {"id": "t1", "score": 72, "city": None, "playedAt": "2026-11-23T12:30:00Z"}
    heard = event(2, NOON + hours(1), "round.played", data=played, extra={"course": "old"})
    assert left(life.give(heard, NOON + hours(2))) == ends


def test_R31_no_conditions_are_no_restriction_and_all_of_them_must_hold() -> None:
    both = [rule("score", 72), rule("holes", 18)]
    for conditions, ends in (([], 1), (both, 0)):
        life = (
            Life(live(listening(ONE | {"conditions": conditions})))
            .give(event())
            .hear(2, 1, "round.played", score=72)
        )
        assert left(life) == ends


def test_R31_a_paused_journey_listens_and_one_of_another_tenant_does_not() -> None:
    one = listening(ONE)
    life = Life(live(one)).give(event()).set(JourneyStatus.PAUSED, one).hear(2, 1, "round.played")
    assert left(life) == 1
    foreign = journey(wait(), exits=[ONE], tenantId="augusta")
    assert ("pinehurst", "round.played") not in live(foreign).useful


def remembered(life: Life, number: int) -> bool:
    return life.customer is not None and remembers(life.customer.recent, fingerprint(f"e-{number}"))


def test_R31_an_event_that_is_only_heard_is_remembered_where_it_did_something() -> None:
    life = Life(live(listening(ONE, enrollmentKey="trigger.id"))).give(event(data={"id": "t1"}))
    before = life.customer
    life.hear(2, 1, "round.played", id="t2")
    assert life.customer is before, "it left a trace"
    assert life.latest == ()
    life.hear(2, 1, "round.played", id="t1")
    assert (left(life), remembered(life, 2)) == (1, True)
    life.hear(2, 1, "round.played", id="t1")
    assert life.told("enrollment.refused", "reason") == ["duplicate"]


def test_R31_an_event_that_triggers_too_or_changes_the_profile_is_remembered_in_any_case() -> None:
    one, other = listening(ONE, enrollmentKey="trigger.id"), journey(send(), name="B", triggerType="round.played")
    assert remembered(Life(live(one, other)).hear(2, 1, "round.played"), 2)
    heard = listening({"eventType": "customer.updated"}, enrollmentKey="trigger.id")
    assert remembered(Life(live(heard)).hear(2, 1, "customer.updated"), 2)


def test_R31_an_event_that_is_only_heard_makes_no_row() -> None:
    journeys = live(listening(ONE))
    life = Life(journeys).hear(1, 0, "round.played")
    assert (life.customer, life.effects) == (None, [])
    assert is_of_use(event(type_="round.played"), journeys)
    assert not is_of_use(event(type_="round.cancelled"), journeys)


def test_R31_every_version_that_is_known_listens() -> None:
    old, new = listening(ONE), listening({"eventType": "round.cancelled"}, version=2)
    life = Life(live(old)).give(event())
    life.journeys = life.journeys.with_version(new).with_status(new.id, JourneyStatus.ACTIVE, 2)
    assert {key[1] for key in life.journeys.useful} == {"round.played", "round.cancelled", "teetime.booked"}
    assert left(life.hear(2, 1, "round.cancelled")) == 0
    assert left(life.hear(3, 1, "round.played")) == 1


def test_R31_nobody_listens_in_a_draft_and_only_goals_are_left_of_an_archived_journey() -> None:
    one = journey(wait(), exits=[ONE], goal={"events": [{"eventType": "payment.succeeded"}]})
    drafted, archived = (live(one, status=status) for status in (JourneyStatus.DRAFT, JourneyStatus.ARCHIVED))
    assert drafted.useful == frozenset()
    assert archived.useful == {("pinehurst", "payment.succeeded")}

"""Waits one by one: where what they lead to has to be looked at each for itself, or can't be written at all."""

from datetime import timedelta

from models.journey import JourneyStatus
from streams.engine.advance import waits_before
from streams.engine.inputs import Due, Exit, FailWait
from tests.engine.build import NOON, Life, event, journey, live, send, wait

LATER = NOON + timedelta(days=9)


def waiting(status: JourneyStatus = JourneyStatus.ACTIVE) -> Life:
    """Return a customer who waits in three journeys: for one, two and three hours."""
    journeys = [journey(wait("w", f"{n} hours"), send("s", f"mail-{n}"), name=f"J{n}") for n in (1, 2, 3)]
    life = Life(live(*journeys)).give(event())
    life.journeys = live(*journeys, status=status)
    return life


def in_order(life: Life) -> list[str]:
    assert life.customer is not None
    places = life.customer.enrollments.values()
    return [one.id for one in sorted(places, key=lambda one: one.waiting_until or NOON)]


def test_R30_the_waits_that_come_before_an_input_are_told_oldest_first() -> None:
    life = waiting()
    order = in_order(life)
    for hours, count in ((0, 0), (1, 1), (2, 2), (9, 3)):
        exit_ = Exit(NOON + timedelta(hours=hours))
        assert waits_before(life.customer, exit_, LATER, life.journeys) == order[:count]
    assert waits_before(None, Due(), LATER, life.journeys) == []


def test_R29_none_of_a_paused_journey_is_among_them() -> None:
    life = waiting(JourneyStatus.PAUSED)
    assert waits_before(life.customer, Due(), LATER, life.journeys) == []


def test_one_by_one_they_come_to_the_same_as_all_at_once() -> None:
    together, apart = waiting().due(LATER), waiting()
    for id_ in in_order(apart):
        apart.give(Due(id_), LATER)
    assert (apart.customer, apart.effects) == (together.customer, together.effects)


def test_a_wait_that_is_named_fires_alone_and_only_when_it_is_due() -> None:
    life = waiting()
    second = in_order(life)[1]
    life.give(Due(second), NOON + timedelta(hours=1))
    assert life.sent == []
    life.give(Due(second), LATER)
    assert [template for template, _ in life.sent] == ["mail-2"]


def test_a_wait_that_leads_to_what_can_t_be_written_fails_at_its_step_and_no_other_fires() -> None:
    life = waiting()
    first = in_order(life)[0]
    life.give(FailWait(first, "It has 9 bytes, but 5 fit."), LATER)
    assert life.told("enrollment.failed", "enrollmentId", "stepId", "error") == [
        (first, "w", "It has 9 bytes, but 5 fit.")
    ]
    assert life.sent == []
    assert len(in_order(life)) == 2
    cause = life.records[-1]["cause"]
    assert (cause["kind"], cause["enrollmentId"], cause["due"]) == ("wait", first, NOON + timedelta(hours=1))


def test_one_that_is_gone_meanwhile_is_let_be() -> None:
    life = waiting()
    before = life.customer
    assert life.give(FailWait("gone", "x"), LATER).customer is before
    assert life.latest == ()

"""SENDs that are held, for more were to leave than may (R67)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from models.customer import Customer
from models.ids import CustomerKey
from models.journey import JourneyStatus
from models.messages import Event
from models.rates import Rate
from streams.engine.advance import advance
from streams.engine.allowance import Allowance
from streams.engine.effects import Effect
from streams.engine.inputs import Arrived, CustomerInput, Due
from streams.engine.journeys import Journeys
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait

RATES = {"EMAIL": Rate(1, "hour")}
ALWAYS = {"allowReentry": True, "enrollmentKey": "trigger.n"}


class RatedLife(Life):
    """A customer's life in which one EMAIL an hour may leave."""

    def __init__(self, journeys: Journeys) -> None:
        super().__init__(journeys)
        shares = {channel: rate.share(1) for channel, rate in RATES.items()}
        self.allowance: Allowance | None = Allowance("pinehurst", RATES, shares, {})

    def give(self, given: CustomerInput | Event, now: datetime | None = None) -> "RatedLife":
        if isinstance(given, Event):
            now, given = now or given.occurred_at, Arrived(given)
        key = CustomerKey.of("pinehurst", "c-7")
        outcome = advance(self.customer, key, given, now or NOON, self.journeys, allowance=self.allowance)
        self.customer, self.latest = outcome.customer, outcome.effects
        self.effects.extend(outcome.effects)
        return self

    def book(self, number: int, at: datetime = NOON, now: datetime | None = None) -> "RatedLife":
        return self.give(event(number, at, data={"n": number}), now)

    @property
    def waits(self) -> list[datetime | None]:
        return [one.waiting_until for one in (self.customer.enrollments.values() if self.customer else ())]


def held_life(*steps: Any, **settings: Any) -> RatedLife:
    """Return a life in which one command left at noon, and one is held until 13:00."""
    one = journey(*(steps or (send(),)), **ALWAYS, **settings)
    return RatedLife(live(one)).book(1).book(2)


def test_R67_a_SEND_beyond_the_rate_is_held_and_goes_when_it_may() -> None:
    life = held_life()
    assert life.sent == [("hello", NOON)]
    assert life.stands == [("2", "mail")]
    assert life.kinds == ["enrollment.started", "step.completed", "step.entered"]
    life.due(NOON + hours(1))
    assert life.sent == [("hello", NOON), ("hello", NOON + hours(1))]
    assert life.stands == []
    assert life.kinds == ["step.completed", "step.completed", "enrollment.completed"]


def test_R67_it_is_told_until_when_and_why() -> None:
    life = held_life()
    note = "More than 1 EMAIL commands per hour for tenant 'pinehurst'."
    assert life.told("step.entered", "enteredAt", "waitingUntil", "heldBy", "note") == [
        (NOON, NOON + hours(1), "rate", note)
    ]
    life.due(NOON + hours(1))
    (result,) = [e["result"] for e in life.entries if e["type"] == "step.completed" and "heldUntil" in e["result"]]
    assert (result["heldUntil"], result["heldBy"], result["note"]) == (NOON + hours(1), "rate", note)


def test_R67_the_command_is_the_one_that_it_would_have_been() -> None:
    free = Life(live(journey(send(config={"expiresAfter": "3 hours"}), **ALWAYS)))
    for number in (1, 2):
        free.give(event(number, data={"n": number}))
    life = held_life(send(config={"expiresAfter": "3 hours"})).due(NOON + hours(1))
    assert life.commands[1] == free.commands[1] | {"issuedAt": NOON + hours(1)}
    assert life.commands[1]["notAfter"] == NOON + hours(3)


def test_R67_the_steps_after_it_run_when_it_goes() -> None:
    life = held_life(send(), wait(duration="2 hours"), send("more", "later"))
    life.due(NOON + hours(1))
    assert life.waits == [NOON + hours(2), NOON + hours(3)]


def test_R67_one_that_could_not_leave_before_it_expires_is_skipped_at_once_and_takes_no_place() -> None:
    life = held_life(send(config={"expiresAfter": "30 minutes"}), send("note", "note", {"channel": "PUSH"}))
    assert life.told("step.skipped", "stepId", "reason", "enteredAt") == [("mail", "expired", NOON)]
    assert [template for template, _ in life.sent] == ["hello", "note", "note"]
    assert life.allowance
    assert not life.allowance.held


def test_R67_one_that_is_seen_to_after_it_expired_is_skipped() -> None:
    life = held_life(send(config={"expiresAfter": "2 hours"})).due(NOON + hours(2) + timedelta(seconds=1))
    assert life.told("step.skipped", "reason", "enteredAt") == [("expired", NOON)]
    assert len(life.sent) == 1


def test_R67_one_that_would_be_held_again_beyond_its_time_is_skipped() -> None:
    life = held_life(send(config={"expiresAfter": "90 minutes"}))
    assert life.allowance is not None
    assert life.allowance.claim("EMAIL", NOON + hours(1), None, was_held=True) is None  # another's
    life.due(NOON + hours(1))
    assert life.told("step.skipped", "reason", "enteredAt") == [("expired", NOON)]


def test_R67_after_an_outage_those_held_don_t_go_together() -> None:
    life = held_life().book(3).book(4)
    assert life.waits == [NOON + hours(1), NOON + hours(2), NOON + hours(3)]
    life.due(NOON + hours(9))
    assert [at for _, at in life.sent] == [NOON, NOON + hours(9)]
    assert life.waits == [NOON + hours(10), NOON + hours(11)]
    assert [e["visit"] for e in life.entries if e["type"] == "step.entered"] == [1] * 5
    life.due(NOON + hours(11)).due(NOON + hours(12))
    assert len(life.sent) == 4


def test_R67_an_opt_out_while_it_is_held_counts() -> None:
    life = held_life().give(
        event(9, NOON + hours(0.5), "customer.updated", data={"subscriptions": {"EMAIL": False}})
    )
    life.due(NOON + hours(1))
    assert life.told("step.skipped", "reason", "enteredAt") == [("unsubscribed", NOON)]
    assert life.kinds[-1] == "enrollment.completed"


def test_R67_whoever_leaves_while_it_is_held_gets_nothing() -> None:
    life = held_life().give(event(9, NOON + hours(0.5), "customer.unsubscribed"))
    assert life.told("enrollment.exited", "exitReason") == ["unsubscribed"]
    life.due(NOON + hours(1))
    assert len(life.sent) == 1


def test_R67_in_a_pause_it_stays_held() -> None:
    life = held_life()
    (one,) = [life.journeys.newest(id_) for id_ in {e.journey_id for e in life.customer.enrollments.values()}]  # type: ignore[union-attr]
    assert one is not None
    active = life.journeys
    life.journeys = active.with_status(one.id, JourneyStatus.PAUSED, one.version)
    life.due(NOON + hours(2))
    assert len(life.sent) == 1
    life.journeys = active
    life.due(NOON + hours(3))
    assert [at for _, at in life.sent] == [NOON, NOON + hours(3)]


def test_R67_where_the_rate_is_lifted_it_goes_when_its_time_comes() -> None:
    life = held_life()
    life.allowance = None
    life.due(NOON + hours(1))
    assert [at for _, at in life.sent] == [NOON, NOON + hours(1)]


def test_R67_the_event_that_comes_after_its_time_fires_it_first() -> None:
    life = held_life().book(3, NOON + hours(1))
    assert [at for _, at in life.sent] == [NOON, NOON + hours(1)]
    assert life.stands == [("3", "mail")]


def test_R67_an_event_read_late_is_held_from_now_on() -> None:
    life = RatedLife(live(journey(send(), **ALWAYS)))
    life.book(1, NOON, NOON + hours(5)).book(2, NOON, NOON + hours(5))
    assert life.told("step.entered", "enteredAt", "waitingUntil") == [(NOON, NOON + hours(6))]


@pytest.mark.parametrize("channel", ["PUSH", "SMS"])
def test_R67_other_channels_go_on(channel: str) -> None:
    assert len(held_life(send(config={"channel": channel})).sent) == 2


def test_R67_without_a_rate_rows_and_records_are_as_they_were() -> None:
    one = journey(send(), wait(), send("more"), **ALWAYS)
    effects: list[list[Effect]] = []
    rows: list[Customer | None] = []
    for life in (Life(live(one)), RatedLife(live(one))):
        if isinstance(life, RatedLife):
            life.allowance = Allowance("pinehurst", {}, {}, {})
        life.give(event(1, data={"n": 1})).give(Due(), NOON + hours(2))
        effects.append(life.effects)
        rows.append(life.customer)
    assert effects[0] == effects[1]
    assert rows[0] == rows[1]

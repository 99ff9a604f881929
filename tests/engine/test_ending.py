"""How enrolments end, and what follows customers around: R27, R29, R30, R5."""

import msgspec
import pytest

from models.ids import CustomerKey, customer_key
from models.journey import JourneyStatus
from models.messages import Event
from streams.engine.admission import Places, decide
from streams.engine.advance import advance
from streams.engine.effects import Forward
from streams.engine.inputs import (
    Arrived,
    CountActive,
    Exit,
    MergeAway,
    MergeIn,
    PlaceAnswer,
    ReleasePlace,
    RequestPlace,
    Sweep,
)
from streams.engine.leaving import places_key
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait


def about(type_: str, number: int = 9, **data: object) -> Event:
    return event(number, type_=type_, data=data)


def test_R8_profile_events_set_attributes_and_null_removes_one() -> None:
    life = Life(live()).give(about("scl.member.created", 1, tier="Gold", age=30))
    life.give(about("customer.updated", 2, tier=None, age=31)).give(about("customer.updated", 3, age=31))
    assert len(life.records) == 2
    life.give(about("customer.updated", 4, age=31, home="Cork"))
    assert life.customer is not None
    assert life.customer.profile == {"age": 31, "home": "Cork"}
    assert life.told("profile.updated", "changes")[1] == [
        {"field": "tier", "before": "Gold", "after": None},
        {"field": "age", "before": 30, "after": 31},
    ]


def test_R24_subscriptions_change_channel_by_channel() -> None:
    life = Life(live()).give(about("customer.unsubscribed", 1, channel="sms"))
    life.give(about("customer.updated", 2, subscriptions={"email": False, "SMS": True}))
    assert life.customer is not None
    assert life.customer.profile == {"subscriptions": {"SMS": True, "EMAIL": False}}


@pytest.mark.parametrize(("data", "exits"), [({}, 1), ({"channel": "all"}, 1), ({"channel": "EMAIL"}, 0)])
def test_R27_unsubscribed_from_everything_ends_all(data: dict[str, object], exits: int) -> None:
    life = Life(live(journey(wait(), send()))).give(event()).give(about("customer.unsubscribed", **data))
    assert life.told("enrollment.exited", "exitReason") == ["unsubscribed"] * exits
    assert life.due(NOON + hours(2)).sent == []


def test_R27_profile_events_may_also_trigger() -> None:
    gone = journey(send(), triggerType="customer.unsubscribed")
    life = Life(live(gone)).give(about("customer.unsubscribed", channel="SMS"))
    assert len(life.sent) == 1


def test_a_deleted_customer_leaves_no_row_but_a_record() -> None:
    life = Life(live(journey(wait()))).give(event()).give(about("customer.deleted"))
    assert life.customer is None
    assert life.told("enrollment.exited", "exitReason", "detail") == [("manual", "customer deleted")]
    assert life.told("profile.updated", "changes", "deleted") == [([], True)]
    life.give(about("customer.deleted", 10))
    assert life.customer is None


def test_R29_a_paused_journey_holds_its_waits_until_it_is_resumed() -> None:
    one = journey(wait(), send())
    life = Life(live(one)).give(event())
    life.journeys = life.journeys.with_status(one.id, JourneyStatus.PAUSED, 1)
    life.due(NOON + hours(3))
    assert life.sent == []
    life.journeys = life.journeys.with_status(one.id, JourneyStatus.ACTIVE, 1)
    life.due(NOON + hours(4))
    assert life.sent == [("hello", NOON + hours(4))]


def test_R29_archiving_ends_what_is_under_way() -> None:
    one, other = journey(wait(), send()), journey(wait(), name="B")
    life = Life(live(one, other)).give(event())
    life.journeys = life.journeys.with_status(one.id, JourneyStatus.ARCHIVED, 1)
    life.give(Sweep(one.id), NOON + hours(1))
    assert life.told("enrollment.exited", "exitReason", "detail") == [("manual", "journey archived")]
    assert life.customer is not None
    assert len(life.customer.enrollments) == 1
    life.give(Sweep(one.id), NOON + hours(1))
    assert life.latest == ()


def test_R30_a_wait_due_at_or_before_an_event_comes_first() -> None:
    waiting = journey(wait(), send("a", "after wait"), name="A")
    at_once = journey(send("b", "at once"), name="B", triggerType="payment.failed")
    for at, order in [(hours(2), ["after wait", "at once"]), (hours(1.9), ["at once"])]:
        life = Life(live(waiting, at_once)).give(event(1))
        life.give(event(2, NOON + at, "payment.failed"))
        assert [template for template, _ in life.sent] == order


def test_R30_waits_of_one_customer_fire_oldest_first_each_with_its_record() -> None:
    late, early = journey(wait("w", "2 hours"), send("x", "late"), name="A"), journey(wait(), send(), name="B")
    early = journey(wait("w", "1 hour"), send("x", "early"), name="B")
    life = Life(live(late, early)).give(event()).due(NOON + hours(5))
    assert [template for template, _ in life.sent] == ["early", "late"]
    assert [record["cause"]["kind"] for record in life.records] == ["event", "wait", "wait"]


LIMITED = journey(wait(), send(), maxEnrollments=1)


def test_R5_a_candidate_asks_first_and_enters_when_admitted() -> None:
    life = Life(live(LIMITED)).give(event())
    (forward,) = life.forwards
    assert forward.key == places_key(LIMITED.id)
    assert isinstance(forward.message, RequestPlace)
    assert life.entries == []
    life.give(event(2))
    assert life.told("enrollment.refused", "reason") == ["reentry"]
    life.give(PlaceAnswer(forward.message.enrollment_id, LIMITED.id, admitted=True), NOON + hours(1))
    assert life.told("step.entered", "waitingUntil") == [NOON + hours(2)]
    assert life.records[-1]["cause"]["kind"] == "admission"
    life.due(NOON + hours(2))
    assert isinstance(life.forwards[-1].message, ReleasePlace)


def test_R5_a_refused_candidate_may_try_again() -> None:
    life = Life(live(LIMITED)).give(event())
    life.give(PlaceAnswer(life.forwards[0].message.enrollment_id, LIMITED.id, admitted=False))  # type: ignore[union-attr]
    assert life.told("enrollment.refused", "reason") == ["maxEnrollments"]
    life.give(event(2))
    assert len(life.forwards) == 2


@pytest.mark.parametrize("admitted", [True, False])
def test_R5_a_candidate_that_is_gone_gives_its_place_back(admitted: bool) -> None:
    life = Life(live(LIMITED)).give(PlaceAnswer("gone", LIMITED.id, admitted=admitted))
    assert [type(forward.message) for forward in life.forwards] == [ReleasePlace] * admitted


def test_R5_who_leaves_by_hand_before_the_answer_does_not_enter() -> None:
    life = Life(live(LIMITED)).give(event()).give(Exit(NOON, "another"))
    id_ = life.forwards[0].message.enrollment_id  # type: ignore[union-attr]
    assert life.customer is not None
    assert set(life.customer.candidates) == {id_}
    life.give(Exit(NOON, LIMITED.id)).give(PlaceAnswer(id_, LIMITED.id, admitted=True))
    assert life.entries == []
    assert isinstance(life.forwards[-1].message, ReleasePlace)


def test_R5_a_candidate_of_a_journey_that_was_paused_meanwhile_is_refused() -> None:
    life = Life(live(LIMITED)).give(event())
    id_ = life.forwards[0].message.enrollment_id  # type: ignore[union-attr]
    life.journeys = life.journeys.with_status(LIMITED.id, JourneyStatus.PAUSED, 1)
    life.give(PlaceAnswer(id_, LIMITED.id, admitted=True))
    assert life.told("enrollment.refused", "reason") == ["paused"]
    assert isinstance(life.forwards[-1].message, ReleasePlace)


def test_R5_an_answer_for_a_journey_that_is_gone_gives_the_place_back() -> None:
    life = Life(live(LIMITED)).give(event())
    id_ = life.forwards[0].message.enrollment_id  # type: ignore[union-attr]
    life.journeys = life.journeys.without_version(LIMITED.id, 1)
    life.give(PlaceAnswer(id_, LIMITED.id, admitted=True))
    assert life.entries == []
    assert isinstance(life.forwards[-1].message, ReleasePlace)
    assert life.customer is not None
    assert life.customer.candidates == {}


def seat(number: int) -> RequestPlace:
    return RequestPlace("j", "pinehurst", f"c-{number}", f"e-{number}")


def test_R5_places_are_given_in_order_once_all_partitions_have_joined() -> None:
    row, answers = decide(None, seat(1), 2, 2)
    assert answers == ()
    row, answers = decide(row, CountActive("j", 0, 1), 2, 2)
    row, again = decide(row, CountActive("j", 0, 1), 2, 2)
    assert answers == again == ()
    row, answers = decide(row, seat(2), 2, 2)
    row, answers = decide(row, CountActive("j", 1, 0), 2, 2)
    assert [(a.key, a.message.admitted) for a in answers] == [  # type: ignore[union-attr]
        (b"pinehurst:c-1", True),
        (b"pinehurst:c-2", False),
    ]
    row, _ = decide(row, ReleasePlace("j", "pinehurst", "c-1"), 2, 2)
    row, answers = decide(row, seat(3), 2, 2)
    assert [a.message.admitted for a in answers] == [True]  # type: ignore[union-attr]
    assert row == Places(taken=2, joined=(0, 1))
    _, answers = decide(row, seat(4), None, 2)
    assert [a.message.admitted for a in answers] == [True]  # type: ignore[union-attr]


class Town:
    """Several customers; what is sent on is handed over when `settle` is called."""

    def __init__(self, *journeys: object) -> None:
        self.lives = {name: Life(live(*journeys)) for name in ("old", "new")}  # type: ignore[arg-type]
        self.mail: list[Forward] = []

    def give(self, name: str, given: object) -> None:
        life = self.lives[name]
        if isinstance(given, Event):
            given = Arrived(msgspec.structs.replace(given, customer_id=name))
        outcome = advance(life.customer, CustomerKey.of("pinehurst", name), given, NOON, life.journeys)  # type: ignore[arg-type]
        life.customer = outcome.customer
        life.effects.extend(outcome.effects)
        self.mail.extend(effect for effect in outcome.effects if isinstance(effect, Forward))

    def settle(self) -> None:
        while self.mail:
            forward = self.mail.pop(0)
            self.give(forward.key.decode().partition(":")[2], forward.message)


def test_R27_merging_ends_the_one_fills_the_other_and_moves_the_history() -> None:
    once = journey(wait(), send())
    town = Town(once)
    town.give(
        "old", about("customer.updated", 1, tier="Gold", name="Ann", subscriptions={"SMS": False, "EMAIL": False})
    )
    town.give("old", event(2))
    town.give("new", about("customer.updated", 3, name="Anna", subscriptions={"EMAIL": True}))
    town.give("new", about("customer.merged", 4, fromCustomerId="old"))
    town.settle()
    old, new = town.lives["old"], town.lives["new"]
    assert old.told("enrollment.exited", "exitReason", "detail") == [("merged", "merged into 'new'")]
    assert new.customer is not None
    assert old.customer is not None
    assert old.customer.profile == {"subscriptions": {"SMS": False, "EMAIL": False}}
    assert new.customer.profile == {
        "name": "Anna",
        "tier": "Gold",
        "subscriptions": {"SMS": False, "EMAIL": True},
    }
    town.give("new", event(5))
    town.give("old", event(6))
    assert new.told("enrollment.refused", "reason") == ["reentry"]
    assert old.told("enrollment.refused", "reason") == ["reentry"]


def test_R24_a_late_event_of_a_customer_merged_away_sends_nothing_that_was_not_wanted() -> None:
    town = Town(journey(send(), allowReentry=True))
    town.give("old", about("customer.unsubscribed", 1))
    town.give("new", about("customer.merged", 2, fromCustomerId="old"))
    town.settle()
    for customer in ("old", "new"):
        town.give(customer, event(3))
        assert town.lives[customer].told("step.skipped", "stepId", "reason") == [("mail", "unsubscribed")]


def test_R27_what_reaches_the_survivor_meanwhile_waits_for_the_history() -> None:
    once, on_merge = (
        journey(send(), name="A"),
        journey(send("m", "merged"), name="B", triggerType="customer.merged"),
    )
    town = Town(once, on_merge)
    town.give("old", event(1))
    merged = about("customer.merged", 2, fromCustomerId="old")
    for given in (merged, event(3), merged):
        town.give("new", given)
    new = town.lives["new"]
    assert new.sent == []
    town.settle()
    assert new.sent == [("merged", NOON)]
    assert new.told("enrollment.refused", "reason") == ["reentry", "duplicate"]
    assert new.customer is not None
    assert (new.customer.merging, new.customer.deferred) == ((), ())


@pytest.mark.parametrize("other", [None, "", "new", 5])
def test_R27_a_merge_with_nobody_else_merges_nothing(other: object) -> None:
    town = Town(journey(send(), triggerType="customer.merged"))
    town.give("new", about("customer.merged", 1, fromCustomerId=other))
    assert town.mail == []
    assert town.lives["new"].sent == [("hello", NOON)]


def test_R27_two_customers_merged_into_each_other_do_not_wait_for_ever() -> None:
    town = Town(journey(send()))
    town.give("old", about("customer.merged", 1, fromCustomerId="new"))
    town.give("new", about("customer.merged", 2, fromCustomerId="old"))
    town.settle()
    for life in town.lives.values():
        assert life.customer is not None
        assert life.customer.merging == ()


def test_R27_a_merge_away_waits_until_what_is_inherited_has_come() -> None:
    town = Town(journey(send()))
    town.give("old", about("customer.merged", 1, fromCustomerId="new"))
    town.mail.clear()
    town.give("old", MergeAway("third", "e-2", NOON))
    assert town.mail == []
    town.give("old", MergeIn("new", "e-1", NOON, {"tier": "Gold"}, {}))
    assert town.mail[0].key == customer_key("pinehurst", "third")
    assert town.mail[0].message.profile == {"tier": "Gold"}  # type: ignore[union-attr]
    assert town.lives["old"].customer is not None
    assert town.lives["old"].customer.profile == {}

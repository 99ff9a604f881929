"""What follows a customer who was merged away (R27): a late opt-out reaches the survivor (R24)."""

from typing import Any

import msgspec
import pytest

from models.customer import Customer, decode, encode
from models.ids import CustomerKey
from models.journey import JourneyStatus
from models.messages import Event
from streams.engine.advance import advance
from streams.engine.effects import Forward
from streams.engine.inputs import Arrived, InboxMessage, MergeIn, OptOut
from tests.engine.build import NOON, Life, event, journey, live, send, wait

_read_message = msgspec.json.Decoder(InboxMessage).decode


def about(type_: str, number: int, **data: Any) -> Event:
    return event(number, type_=type_, data=data)


class Town:
    """Customers on partitions of their own: what is sent on travels as JSON, and is handed over by `settle`."""

    def __init__(self, *names: str, **profiles: dict[str, Any]) -> None:
        journeys = live(journey(wait(), send(), allowReentry=True))
        self.lives = {
            name: Life(journeys, Customer("pinehurst", name, profiles[name]) if name in profiles else None)
            for name in (*names, *profiles)
        }
        self.mail: list[tuple[str, bytes]] = []

    def give(self, name: str, given: Any) -> None:
        life = self.lives[name]
        if isinstance(given, Event):
            given = Arrived(msgspec.structs.replace(given, customer_id=name))
        row = decode(encode(life.customer)) if life.customer else None
        outcome = advance(row, CustomerKey.of("pinehurst", name), given, NOON, life.journeys)
        life.customer = outcome.customer
        life.effects.extend(outcome.effects)
        for effect in outcome.effects:
            if isinstance(effect, Forward):
                self.mail.append((effect.key.decode().partition(":")[2], msgspec.json.encode(effect.message)))

    def settle(self) -> None:
        while self.mail:
            name, message = self.mail.pop(0)
            self.give(name, _read_message(message))

    def merge(self, merged: str, into: str, number: int = 900) -> None:
        self.give(into, about("customer.merged", number, fromCustomerId=merged))
        self.settle()

    def profile(self, name: str) -> dict[str, Any]:
        customer = self.lives[name].customer
        assert customer is not None
        return customer.profile


LATE: list[tuple[Event, dict[str, Any]]] = [
    (about("customer.unsubscribed", 1, channel="email "), {"subscriptions": {"EMAIL": False}}),
    (about("customer.unsubscribed", 1), {"unsubscribed": True}),
    (about("customer.updated", 1, subscriptions={"email": 0, "SMS": True, "push": None}, tier="Gold"),
     {"subscriptions": {"EMAIL": False}}),
    (about("scl.member.created", 1, unsubscribed="TRUE"), {"unsubscribed": True}),
]  # fmt: skip


@pytest.mark.parametrize(("late", "profile"), LATE)
def test_R24_a_late_opt_out_of_who_was_merged_away_reaches_the_survivor(
    late: Event, profile: dict[str, Any]
) -> None:
    town = Town("old", "new")
    town.merge("old", "new")
    assert town.lives["old"].customer.merged_into == "new"  # type: ignore[union-attr]
    town.give("old", late)
    town.settle()
    assert town.profile("new") == profile
    assert town.lives["new"].records[-1]["cause"]["eventId"] == late.event_id
    assert town.lives["new"].records[-1]["cause"]["eventType"] == late.event_type


def test_R27_a_late_unsubscription_from_everything_ends_the_survivors_enrolments() -> None:
    for late, exits in ((about("customer.unsubscribed", 3), 1), (about("customer.updated", 3, unsubscribed=1), 0)):
        town = Town("old", "new")
        town.merge("old", "new")
        town.give("new", event(2))
        town.give("old", late)
        town.settle()
        assert town.lives["new"].told("enrollment.exited", "exitReason") == ["unsubscribed"] * exits
        assert town.profile("new") == {"unsubscribed": True}


@pytest.mark.parametrize(
    "late",
    [
        about("customer.updated", 1, subscriptions={"EMAIL": True}, unsubscribed=False, tier="Gold"),
        about("customer.updated", 1, subscriptions=[], unsubscribed="maybe"),
        about("customer.updated", 1),
        event(1),
    ],
)
def test_R24_nothing_else_is_passed_on(late: Event) -> None:
    town = Town("old", new={"subscriptions": {"EMAIL": False}, "unsubscribed": True})
    town.merge("old", "new")
    town.give("old", late)
    assert town.mail == []
    assert town.profile("new") == {"subscriptions": {"EMAIL": False}, "unsubscribed": True}


def test_R24_nobody_passes_anything_on_who_was_not_merged_away() -> None:
    town = Town("old")
    town.give("old", about("customer.unsubscribed", 1))
    assert town.mail == []


def test_R24_a_late_opt_out_goes_all_the_way_also_past_who_opted_out_before() -> None:
    town = Town("a", "b", c={"subscriptions": {"EMAIL": True}})
    town.merge("a", "b", 901)
    town.give("b", about("customer.unsubscribed", 1, channel="EMAIL"))
    town.merge("b", "c", 902)
    town.give("c", about("customer.updated", 2, subscriptions={"EMAIL": True}))
    town.give("a", about("customer.unsubscribed", 3, channel="EMAIL"))
    town.settle()
    assert town.profile("c") == {"subscriptions": {"EMAIL": False}}


def test_R24_an_opt_out_does_not_go_round_in_a_circle() -> None:
    town = Town("a", "b", "c")
    town.merge("a", "b", 901)
    town.merge("b", "c", 902)
    town.merge("c", "a", 903)
    town.give("b", about("customer.unsubscribed", 1, channel="SMS"))
    town.settle()
    for name in ("a", "b", "c"):
        assert town.profile(name)["subscriptions"] == {"SMS": False}


def test_R27_who_takes_the_survivor_in_again_is_the_survivor() -> None:
    town = Town("old", "new")
    town.merge("old", "new", 901)
    town.merge("new", "old", 902)
    old, new = (town.lives[name].customer for name in ("old", "new"))
    assert old is not None
    assert new is not None
    assert (old.merged_into, new.merged_into) == ("", "old")
    town.give("new", about("customer.unsubscribed", 1, channel="SMS"))
    town.settle()
    assert town.profile("old") == {"subscriptions": {"SMS": False}}


def test_R24_what_is_left_to_somebody_who_was_merged_away_opts_the_survivor_out() -> None:
    town = Town("b", "c", a={"subscriptions": {"email": False}, "unsubscribed": "true"})
    town.merge("b", "c", 901)
    town.merge("a", "b", 902)
    assert town.profile("c") == {"subscriptions": {"EMAIL": False}, "unsubscribed": True}
    assert town.lives["c"].told("enrollment.exited", "exitReason") == []


def test_R27_an_opt_out_that_is_passed_on_keeps_its_place_among_inputs_that_are_held_back() -> None:
    town = Town("old", "other", "new")
    town.merge("old", "new", 901)
    town.give("new", about("customer.merged", 902, fromCustomerId="other"))
    waiting, town.mail = town.mail, []
    town.give("new", about("customer.updated", 1, subscriptions={"EMAIL": True}))
    town.give("old", about("customer.unsubscribed", 2, channel="EMAIL"))
    town.settle()
    town.mail = waiting
    town.settle()
    assert town.profile("new") == {"subscriptions": {"EMAIL": False}}


@pytest.mark.parametrize(
    ("own", "legacy", "after"),
    [
        ({"subscriptions": []}, {"subscriptions": {"EMAIL": False}}, {"subscriptions": {"EMAIL": False}}),
        ({"subscriptions": "all"}, {"subscriptions": {"email ": "false"}}, {"subscriptions": {"EMAIL": False}}),
        (
            {"subscriptions": {"email": False}},
            {"subscriptions": {"EMAIL": True}},
            {"subscriptions": {"email": False}},
        ),
        ({"subscriptions": {"SMS": True}}, {"subscriptions": []}, {"subscriptions": {"SMS": True}}),
        ({"unsubscribed": "maybe"}, {"unsubscribed": "TRUE"}, {"unsubscribed": True}),
        ({"unsubscribed": False}, {"unsubscribed": True}, {"unsubscribed": False}),
        ({}, {"subscriptions": None, "unsubscribed": None, "tier": "Gold"}, {"tier": "Gold"}),
    ],
)
def test_R27_opt_outs_survive_a_merge_however_they_are_written(
    own: dict[str, Any], legacy: dict[str, Any], after: dict[str, Any]
) -> None:
    town = Town(new=own)
    town.give("new", MergeIn("old", "e-9", NOON, legacy))
    found = town.profile("new")
    assert {name: {k.upper(): v for k, v in value.items()} if isinstance(value, dict) else value
            for name, value in found.items()} == {
        name: {k.upper(): v for k, v in value.items()} if isinstance(value, dict) else value
        for name, value in after.items()
    }  # fmt: skip


def test_R24_an_opt_out_reaches_a_survivor_without_a_row_also_in_a_paused_journeys_tenant() -> None:
    town = Town("old", "new")
    town.merge("old", "new")
    town.lives["new"].customer = None
    (one,) = town.lives["old"].journeys.wanted.values()
    town.lives["new"].journeys = town.lives["old"].journeys.with_status(one[0].id, JourneyStatus.PAUSED, 1)
    town.give("old", about("customer.unsubscribed", 1))
    town.settle()
    assert town.profile("new") == {"unsubscribed": True}


def test_an_opt_out_travels_as_json() -> None:
    message = OptOut("e-1", "customer.unsubscribed", NOON, ("EMAIL",), everything=False, passed=("old",))
    assert _read_message(msgspec.json.encode(message)) == message

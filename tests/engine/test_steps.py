"""What SPLIT, UPDATE, SEND and loops do: R22 to R25."""

from collections import Counter
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customer import Customer
from models.ids import command_id, enrollment_id
from models.steps import Update
from streams.engine.compiled import Split
from streams.engine.compiling import compile_journey
from streams.engine.effects import ProfileUpdate, plain
from streams.engine.inputs import Arrived
from streams.engine.results import Change
from streams.engine.split import draw
from streams.engine.updates import UpdateRefusedError, apply_updates
from tests.engine.build import NOON, Life, event, hours, journey, live, send, update, wait


def split(id_: str = "ab", **config: Any) -> dict[str, Any]:
    return {"id": id_, "type": "SPLIT", "config": config}


def variants_of(one: Any, count: int) -> Counter[str]:
    step = compile_journey(one).steps["ab"]
    assert isinstance(step, Split)
    return Counter(draw(step, one.id, f"c-{number}")[0] for number in range(count))


@pytest.mark.parametrize("name", "ABCDEFGH")
def test_R22_the_variant_is_a_hash_that_anyone_can_recompute(name: str) -> None:
    one = journey(split(variants=[{"name": "A", "weight": 1}, {"name": "B", "weight": 3}]), send(), name=name)
    life = Life(live(one)).give(event())
    digest = blake2b(f"{one.id}:ab:c-7".encode(), digest_size=8).digest()
    expected = "A" if int.from_bytes(digest, "big") / 2**64 < 0.25 else "B"
    assert life.commands[0]["variants"] == {"ab": expected}
    assert next(e["result"] for e in life.entries if e.get("stepId") == "ab") == {"variant": expected}


def test_R22_each_customer_has_a_hash_of_their_own() -> None:
    one = journey(split(variants=[{"name": "A", "weight": 1}, {"name": "B", "weight": 3}]))
    step = compile_journey(one).steps["ab"]
    assert isinstance(step, Split)
    for number in range(40):
        digest = blake2b(f"{one.id}:ab:c-{number}".encode(), digest_size=8).digest()
        expected = "A" if int.from_bytes(digest, "big") < 2**62 else "B"
        assert draw(step, one.id, f"c-{number}") == (expected, "end")


def test_R22_weights_add_up_in_the_order_written() -> None:
    one = journey(
        split(variants=[{"name": "A"}, {"name": "B", "weight": 3, "nextStepId": "end"}, {"name": "C"}]), send()
    )
    step = compile_journey(one).steps["ab"]
    assert isinstance(step, Split)
    assert step.variants == (("A", 1.0, "mail"), ("B", 4.0, "end"), ("C", 5.0, "mail"))


@pytest.mark.parametrize("weights", [[1, 1], [0.2, 0.8], [50, 30, 20], [3, 1, 1, 1]])
def test_R22_shares_are_within_one_percent_of_their_weights_over_100_000_customers(weights: list[float]) -> None:
    names = [f"v{number}" for number in range(len(weights))]
    counts = variants_of(journey(split(variants=names, weights=weights)), 100_000)
    for name, weight in zip(names, weights, strict=True):
        assert abs(counts[name] / 100_000 - weight / sum(weights)) < 0.01


def test_R22_a_variant_may_name_its_way_and_the_other_way_is_skipped() -> None:
    one = journey(
        split(variants=[{"name": "A", "nextStepId": "a"}, {"name": "B", "nextStepId": "b"}]),
        send("a", "A", nextStepId="end"),
        send("b", "B"),
    )
    life = Life(live(one)).give(event())
    ((template, _),) = life.sent
    assert life.commands[0]["variants"] == {"ab": template}
    assert life.told("step.skipped", "stepId", "reason") == [({"A": "b", "B": "a"}[template], "branch")]


PROFILE = {"visits": 2, "name": "Ann", "tags": ["a"], "home": {"club": "north"}, "vip": True}


@pytest.mark.parametrize(
    ("change", "before", "after"),
    [
        ({"field": "tier", "value": "Gold"}, None, "Gold"),
        ({"field": "customer.tier", "value": "Gold"}, None, "Gold"),
        ({"field": "home.club", "value": "south"}, "north", "south"),
        ({"field": "pets.dog.name", "value": "Rex"}, None, "Rex"),
        ({"field": "tags.0", "value": "b"}, "a", "b"),
        ({"field": "name", "operation": "unset"}, "Ann", None),
        ({"field": "home.club", "operation": "unset"}, "north", None),
        ({"field": "nothing.there", "operation": "unset"}, None, None),
        ({"field": "tags", "operation": "add", "value": "b"}, ["a"], ["a", "b"]),
        ({"field": "tags", "operation": "add", "value": "a"}, ["a"], ["a"]),
        ({"field": "new", "operation": "add", "value": 1}, None, [1]),
        ({"field": "tags", "operation": "remove", "value": "a"}, ["a"], []),
        ({"field": "new", "operation": "remove", "value": "a"}, None, []),
        ({"field": "visits", "operation": "increment"}, 2, 3),
        ({"field": "visits", "operation": "increment", "value": 2.5}, 2, 4.5),
        ({"field": "visits", "operation": "increment", "value": 2**63 - 3}, 2, 2**63 - 1),
        ({"field": "new", "operation": "decrement", "value": 2}, None, -2),
        ({"field": "visits", "operation": "increment", "value": 1e300 / 1e290}, 2, 10000000002.0),
    ],
)
def test_R23_updates(change: dict[str, Any], before: Any, after: Any) -> None:
    profile, changes, _ = apply_updates(PROFILE, [Update.model_validate(change)])
    assert changes == [Change(change["field"].removeprefix("customer."), before, after)]
    assert PROFILE["visits"] == 2
    assert profile != PROFILE or before == after


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"field": "name.first", "value": 1},
         "'name.first' can't be changed: 'first' would lie inside the text 'Ann'."),
        ({"field": "tags.9", "value": 1}, "'tags.9' can't be changed: '9' would lie inside a list."),
        ({"field": "tags.1", "value": 1}, "'tags.1' can't be changed: '1' would lie inside a list."),
        ({"field": "tags.0.x", "value": 1}, "'tags.0.x' can't be changed: 'x' would lie inside the text 'a'."),
        ({"field": "name", "operation": "add", "value": 1},
         "'name' is the text 'Ann', so nothing can be added to or removed from it."),
        ({"field": "name", "operation": "increment"}, "'name' is the text 'Ann', not a number."),
        ({"field": "vip", "operation": "increment"}, "'vip' is true, not a number."),
        ({"field": "home", "operation": "decrement"}, "'home' is a group of fields, not a number."),
        ({"field": "tags", "operation": "increment"}, "'tags' is a list, not a number."),
        ({"field": "visits", "operation": "increment", "value": "x"}, "'visits' can't change by the text 'x'."),
        ({"field": "visits", "operation": "remove", "value": 1},
         "'visits' is the number 2, so nothing can be added to or removed from it."),
        ({"field": "visits", "operation": "increment", "value": 2**63 - 1},
         "'visits' would grow beyond 9223372036854775807."),
    ],
)  # fmt: skip
def test_R23_an_update_that_can_not_hold_is_refused(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UpdateRefusedError) as refusal:
        apply_updates(PROFILE, [Update.model_validate(change)])
    assert str(refusal.value) == sentence


def test_R23_a_long_text_is_cut_off_in_the_sentence() -> None:
    with pytest.raises(UpdateRefusedError) as refusal:
        apply_updates({"name": "x" * 41}, [Update.model_validate({"field": "name", "operation": "increment"})])
    assert str(refusal.value) == f"'name' is the text '{'x' * 40}', not a number."


def test_R23_all_updates_of_a_step_hold_together_or_the_step_fails() -> None:
    step = update("u", {"field": "tier", "value": "Gold"}, {"field": "name", "operation": "increment"})
    life = Life(live(journey(step, send())), Customer("pinehurst", "c-7", {"name": "Ann"})).give(event())
    assert life.customer is not None
    assert life.customer.profile == {"name": "Ann"}
    assert life.told("step.failed", "error") == ["'name' is the text 'Ann', not a number."]
    assert life.sent == []


def test_R23_the_profile_changes_at_once_and_the_crm_is_told() -> None:
    check = {
        "id": "ask",
        "type": "CONDITION",
        "config": {"rules": [{"field": "tier", "operator": "eq", "value": "G"}]},
    }
    life = Life(live(journey(update("u", {"field": "tier", "value": "G"}), check))).give(event())
    (told,) = [plain(effect) for effect in life.effects if isinstance(effect, ProfileUpdate)]
    assert told["updates"] == [{"field": "tier", "before": None, "after": "G"}]
    assert life.told("profile.updated", "changes") == [told["updates"]]
    assert next(e["result"]["result"] for e in life.entries if e.get("stepId") == "ask") is True


CENTS = st.integers(-(10**12), 10**12)


@given(CENTS, CENTS, st.sampled_from(["increment", "decrement"]))
def test_R23_sums_are_those_of_decimals(before: int, amount: int, operation: str) -> None:
    update = Update.model_validate({"field": "score", "operation": operation, "value": amount / 100})
    after, _, _ = apply_updates({"score": before / 100}, [update])
    assert after == {"score": (before + amount if operation == "increment" else before - amount) / 100}


def test_R23_0_8_less_eight_times_0_1_is_0() -> None:
    update = Update.model_validate({"field": "score", "operation": "decrement", "value": 0.1})
    assert apply_updates({"score": 0.8}, [update] * 8)[0] == {"score": 0}


@given(st.integers(-(2**62), 2**62 - 1), st.integers(1 - 2**62, 2**62))
def test_R23_whole_numbers_stay_whole_and_exact(before: int, amount: int) -> None:
    update = Update.model_validate({"field": "score", "operation": "increment", "value": amount})
    total = apply_updates({"score": before}, [update])[0]["score"]
    assert (type(total), total) == (int, before + amount)


@given(st.dictionaries(st.sampled_from("abc"), st.integers() | st.text()), st.sampled_from(["set", "unset"]))
def test_R23_what_was_there_is_not_touched(profile: dict[str, Any], operation: str) -> None:
    before = dict(profile)
    apply_updates(profile, [Update.model_validate({"field": "a", "operation": operation, "value": 1})])
    assert profile == before


@pytest.mark.parametrize(
    ("profile", "sent"),
    [
        ({}, True),
        ({"subscriptions": {"EMAIL": True}}, True),
        ({"subscriptions": {"SMS": False}}, True),
        ({"subscriptions": {"EMAIL": False}}, False),
        ({"subscriptions": {"email": False}}, False),
        ({"subscriptions": {"EMAIL": None}}, True),
        ({"unsubscribed": True}, False),
        ({"subscriptions": "all"}, True),
    ],
)
def test_R24_who_unsubscribed_is_passed_over(profile: dict[str, Any], sent: bool) -> None:
    life = Life(live(journey(send())), Customer("pinehurst", "c-7", profile)).give(event())
    assert len(life.sent) == sent
    assert life.told("step.skipped", "stepId", "reason") == ([] if sent else [("mail", "unsubscribed")])
    assert life.told("enrollment.completed", "exitReason") == ["completed"]


def test_R24_the_command_is_what_the_contract_says() -> None:
    one = journey(send(), version=3)
    life = Life(live(one)).give(event(club="north", data={"players": 4}, traceparent="00-a-b-01"))
    enrollment = enrollment_id(one.id, "c-7", "", 1)
    assert life.commands == [
        {
            "commandId": command_id(enrollment, "mail", 1),
            "tenantId": "pinehurst",
            "clubId": "north",
            "customerId": "c-7",
            "channel": "EMAIL",
            "templateId": "hello",
            "journeyId": one.id,
            "journeyName": "Welcome",
            "journeyVersion": 3,
            "enrollmentId": enrollment,
            "stepId": "mail",
            "stepNumber": 2,
            "visit": 1,
            "variants": {},
            "data": {"players": 4},
            "issuedAt": NOON,
            "notAfter": None,
        }
    ]


def test_R25_more_than_a_hundred_steps_without_a_wait_fail() -> None:
    life = Life(live(journey(send("loop", nextStepId="loop")))).give(event())
    assert len(life.sent) == 99
    assert life.told("enrollment.failed", "error") == ["step limit"]


def test_R25_steps_count_anew_after_a_wait_also_if_it_was_over_when_the_event_arrived() -> None:
    before, after = [send(f"a{n}") for n in range(60)], [send(f"b{n}") for n in range(60)]
    life = Life(live(journey(*before, wait(), *after))).give(Arrived(event()), NOON + hours(3))
    assert life.told("enrollment.completed", "at") == [NOON + hours(3)]
    assert len(life.sent) == 120

"""Opt-outs fail safe (R24, R27): nothing but an explicit true, or unsubscribed false, takes one back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.customer import Customer
from models.messages import Event
from streams.engine.effects import ProfileUpdate, plain
from streams.engine.subscriptions import is_unsubscribed, read_attributes, read_flag, read_subscriptions
from tests.engine.build import Life, ask, event, journey, live, problems, raw, send, update

NEITHER: list[Any] = [None, "", "no", "yes", "0", "1", " true", 2, -1, 0.5, [], [False], {}, {"a": True}]


def about(type_: str, number: int = 9, **data: Any) -> Event:
    return event(number, type_=type_, data=data)


def life_of(profile: dict[str, Any] | None = None, *steps: Any) -> Life:
    return Life(live(journey(*(steps or (send(),)))), Customer("pinehurst", "c-7", profile or {}))


def profile_of(life: Life) -> dict[str, Any]:
    assert life.customer is not None
    return life.customer.profile


@pytest.mark.parametrize(("value", "flag"), [
    (True, True), (False, False), ("true", True), ("TRUE", True), ("False", False), (1, True), (0, False),
    (1.0, True), (0.0, False), (-0.0, False), *((value, None) for value in NEITHER),
])  # fmt: skip
def test_true_and_false_are_read_however_they_are_written(value: Any, flag: bool | None) -> None:
    assert read_flag(value) is flag


OPTED_OUT = {"subscriptions": {"EMAIL": False, "SMS": True}, "unsubscribed": True}


@pytest.mark.parametrize("value", NEITHER)
def test_R24_what_is_neither_true_nor_false_takes_no_opt_out_back_and_is_told(value: Any) -> None:
    for data, field in (
        ({"subscriptions": {"email": value}}, "subscriptions.EMAIL"),
        ({"subscriptions.email": value}, "subscriptions.EMAIL"),
        ({"unsubscribed": value}, "unsubscribed"),
    ):
        life = life_of(OPTED_OUT).give(about("customer.updated", **data, tier="Gold")).give(event())
        assert profile_of(life) == OPTED_OUT | {"tier": "Gold"}
        assert life.told("profile.updated", "changes", "ignored") == [
            ([{"field": "tier", "before": None, "after": "Gold"}], [{"field": field, "value": value}])
        ]
        assert life.sent == []


@pytest.mark.parametrize("value", [None, [], "EMAIL", 0, False, True, ["EMAIL"]])
def test_R24_subscriptions_that_are_no_object_are_passed_over(value: Any) -> None:
    life = life_of(OPTED_OUT).give(about("customer.updated", subscriptions=value)).give(event())
    assert profile_of(life) == OPTED_OUT
    assert life.told("profile.updated", "changes", "ignored") == [
        ([], [{"field": "subscriptions", "value": value}])
    ]


def test_R24_no_channels_change_nothing_and_leave_no_record() -> None:
    life = life_of(OPTED_OUT).give(about("customer.updated", subscriptions={}))
    assert profile_of(life) == OPTED_OUT
    assert life.records == []


def test_R24_null_where_nothing_is_known_says_nothing() -> None:
    life = life_of().give(about("customer.updated", subscriptions=None, unsubscribed=None))
    life.give(about("customer.updated", 10, subscriptions={"EMAIL": None}))
    assert profile_of(life) == {}
    assert life.records == []


@pytest.mark.parametrize("back", [True, "true", "TRUE", 1])
def test_R24_an_explicit_true_takes_an_opt_out_back(back: Any) -> None:
    life = life_of({"subscriptions": {"EMAIL": False}})
    life.give(about("customer.updated", subscriptions={" Email ": back})).give(event())
    assert profile_of(life) == {"subscriptions": {"EMAIL": True}}
    assert len(life.sent) == 1


@pytest.mark.parametrize(("value", "sent"), [(False, 1), ("false", 1), (0, 1), (True, 0), ("true", 0), (1, 0)])
def test_R24_unsubscribed_is_read_in_all_its_forms(value: Any, sent: int) -> None:
    life = (
        life_of({"unsubscribed": not sent or True})
        .give(about("customer.updated", unsubscribed=value))
        .give(event())
    )
    assert profile_of(life)["unsubscribed"] is (not sent)
    assert len(life.sent) == sent


SPELLINGS = ["EMAIL", "email", " Email ", "eMail\t"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("asked", SPELLINGS)
def test_R24_all_spellings_of_a_channel_are_one(spelling: str, asked: str) -> None:
    for opt_out in (
        about("customer.unsubscribed", channel=spelling),
        about("customer.updated", subscriptions={spelling: False}),
        about("scl.member.created", **{f"subscriptions.{spelling}": "FALSE"}),
    ):
        isfalse = ask(
            "ask", {"field": f"customer.subscriptions.{asked}", "operator": "isFalse"}, nextStepYesId="end"
        )
        life = Life(
            live(journey(send(config={"channel": asked}), isfalse, send("other", config={"channel": "SMS"})))
        )
        life.give(opt_out).give(event())
        assert profile_of(life) == {"subscriptions": {"EMAIL": False}}
        assert life.told("step.skipped", "stepId", "reason") == [("mail", "unsubscribed"), ("other", "branch")]


def test_R24_of_two_spellings_in_one_event_the_opt_out_counts() -> None:
    for given_ in ({"email": False, "EMAIL": True}, {"EMAIL": True, "email": False}):
        life = life_of().give(about("customer.updated", subscriptions=given_)).give(event())
        assert profile_of(life) == {"subscriptions": {"EMAIL": False}}
        assert life.sent == []


@pytest.mark.parametrize(
    ("profile", "unsubscribed"),
    [
        ({"subscriptions": {"email": False, "EMAIL": True}}, True),
        ({"subscriptions": {" email ": "False"}}, True),
        ({"subscriptions": {"all": False, "EMAIL": True}}, True),
        ({"subscriptions": {"ALL": True}}, False),
        ({"subscriptions": {"EMAIL": None}}, False),
        ({"subscriptions": []}, False),
        ({"unsubscribed": "TRUE"}, True),
        ({"unsubscribed": 1}, True),
        ({"unsubscribed": "maybe"}, False),
    ],
)
def test_R24_a_row_from_before_is_read_to_the_safe_side(profile: dict[str, Any], unsubscribed: bool) -> None:
    assert is_unsubscribed(profile, "Email") is unsubscribed
    assert (life_of(profile).give(event()).sent == []) is unsubscribed


@pytest.mark.parametrize("channel", [None, "", " ", "all", " All ", 5, [], ["EMAIL"], {}, True])
def test_R27_unsubscribed_from_no_channel_that_is_one_means_everything(channel: Any) -> None:
    life = life_of().give(about("customer.unsubscribed", channel=channel)).give(event())
    assert profile_of(life) == {"unsubscribed": True}
    assert life.sent == []


@pytest.mark.parametrize(
    "field", ["customer.subscriptions.email", "subscriptions. EMAIL ", "customer.subscriptions.Email"]
)
def test_R8_a_rule_asks_for_a_channel_in_any_spelling(field: str) -> None:
    one = journey(send(), triggerConfig={"conditions": [{"field": field, "operator": "isFalse"}]})
    life = Life(live(one), Customer("pinehurst", "c-7", {"subscriptions": {"EMAIL": False}})).give(event())
    assert life.told("enrollment.started", "entryNumber") == [1]


@pytest.mark.parametrize("field", ["customer.unsubscribed", "unsubscribed"])
def test_R8_a_rule_asks_for_unsubscribed(field: str) -> None:
    one = journey(send(), triggerConfig={"conditions": [{"field": field, "operator": "isTrue"}]})
    for value, enters in (("true", 1), (1, 1), (False, 0), ("maybe", 0)):
        life = Life(live(one), Customer("pinehurst", "c-7", {"unsubscribed": value})).give(event())
        assert len(life.told("enrollment.started", "entryNumber")) == enters


def test_R8_an_attribute_that_only_looks_alike_is_one_like_any_other() -> None:
    life = life_of().give(about("customer.updated", **{"unsubscribed.why": "too many", "Subscriptions": []}))
    assert profile_of(life) == {"unsubscribed.why": "too many", "Subscriptions": []}


BEFORE = OPTED_OUT["subscriptions"]
UPDATES: list[tuple[dict[str, Any], tuple[str, Any, Any]]] = [
    ({"field": "customer.subscriptions.email", "value": True}, ("subscriptions.EMAIL", False, True)),
    ({"field": "subscriptions. sms ", "value": "false"}, ("subscriptions.SMS", True, False)),
    ({"field": "unsubscribed", "value": 0}, ("unsubscribed", True, False)),
    ({"field": "subscriptions", "value": {"push": False}},
     ("subscriptions", BEFORE, {"EMAIL": False, "SMS": True, "PUSH": False})),
]  # fmt: skip


@pytest.mark.parametrize(("change", "told"), UPDATES)
def test_R23_an_update_says_true_or_false_in_one_spelling(
    change: dict[str, Any], told: tuple[str, Any, Any]
) -> None:
    life = life_of(OPTED_OUT, update("u", change)).give(event())
    expected = [dict(zip(("field", "before", "after"), told, strict=True))]
    assert life.told("profile.updated", "changes") == [expected]
    assert [plain(effect)["updates"] for effect in life.effects if isinstance(effect, ProfileUpdate)] == [expected]
    assert problems(raw(update("u", change))) == []


PASSED_OVER: list[tuple[dict[str, Any], str, str]] = [
    ({"field": "unsubscribed", "value": "maybe"}, "unsubscribed", "is 'maybe', but must be true or false."),
    ({"field": "unsubscribed", "value": None}, "unsubscribed", "is nothing, but must be true or false."),
    ({"field": "subscriptions", "value": []}, "subscriptions",
     "is a list, but must hold channels, each true or false."),
    ({"field": "subscriptions", "value": {"email": None}}, "subscriptions.EMAIL",
     "is nothing, but must be true or false."),
    ({"field": "customer.subscriptions.email", "value": "on"}, "subscriptions.EMAIL",
     "is 'on', but must be true or false."),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field", "sentence"), PASSED_OVER)
def test_R23_an_update_that_says_neither_is_passed_over_and_validate_refuses_it(
    change: dict[str, Any], field: str, sentence: str
) -> None:
    life = life_of(OPTED_OUT, update("u", change)).give(event())
    assert profile_of(life) == OPTED_OUT
    ((changes, (ignored,)),) = life.told("profile.updated", "changes", "ignored")
    assert (changes, ignored["field"]) == ([], field)
    assert not any(isinstance(effect, ProfileUpdate) for effect in life.effects)
    assert life.told("enrollment.completed", "exitReason") == ["completed"]
    assert problems(raw(update("u", change))) == [("u", f"'config.updates#1.value': '{field}' {sentence}")]


@pytest.mark.parametrize("field", ["unsubscribed", "subscriptions", "subscriptions.email"])
@pytest.mark.parametrize("operation", ["unset", "add", "remove", "increment", "decrement"])
def test_R23_no_other_operation_takes_an_opt_out_back(field: str, operation: str) -> None:
    value = {} if operation == "unset" else {"value": 1}
    change = {"field": field, "operation": operation} | value
    life = life_of(OPTED_OUT, update("u", change), send()).give(event())
    assert profile_of(life) == OPTED_OUT
    assert life.sent == []
    sentence = f"'config.updates#1': {operation} can't change whether a customer is subscribed; set true or false."
    assert problems(raw(update("u", change))) == [("u", sentence)]


def test_R23_nothing_can_be_set_below_unsubscribed() -> None:
    change = {"field": "unsubscribed.email", "value": True}
    life = life_of(None, update("u", change)).give(event())
    assert life.told("step.failed", "error") == [
        "'unsubscribed.email' can't be changed: whether a customer is subscribed can only be set."
    ]
    ((step, sentence),) = problems(raw(update("u", change)))
    assert (step, sentence.partition(", but ")[2]) == ("u", "'unsubscribed' is true or false and holds no fields.")


def test_R23_a_counter_of_channels_can_not_be_made() -> None:
    life = life_of(None, update("u", {"field": "subscriptions.email", "operation": "increment"})).give(event())
    assert life.told("step.failed", "error") == [
        "'subscriptions.EMAIL' can't be changed: whether a customer is subscribed can only be set."
    ]


ANY = st.sampled_from([*NEITHER, True, False, "true", "FALSE", 0, 1])
CHANNELS = st.sampled_from([*SPELLINGS, "SMS", "all", ""])
GIVEN = st.dictionaries(
    st.sampled_from(["subscriptions", "unsubscribed", "subscriptions.email", "subscriptions.", "tier"]),
    ANY | st.dictionaries(CHANNELS, ANY, max_size=4),
)


@given(GIVEN, GIVEN)
def test_R24_after_any_two_events_an_opt_out_stands_unless_the_second_took_it_back(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    profile, _ = read_attributes({}, first)
    attributes, _ = read_attributes(profile, second)
    after = profile | attributes
    again, _ = read_attributes({}, second)
    for channel, wanted in read_subscriptions(profile).items():
        if not wanted and not read_subscriptions(again).get(channel):
            assert is_unsubscribed(after, channel)
    if profile.get("unsubscribed") and again.get("unsubscribed") is not False:
        assert is_unsubscribed(after, "EMAIL")
    assert set(read_subscriptions(after)) == set(after.get("subscriptions", {}))

"""What a simulation begins with."""

import json
from typing import Any

import pytest

from models.journey import JourneyStatus
from streams.engine.reading import split_lines
from streams.errors import FairwayError
from streams.simulation.scenario import load_journeys, read_customers
from tests.engine.build import journey, send
from tests.simulation.build import control, run, sent


def test_a_customers_line_that_is_none_is_refused_with_its_number() -> None:
    with pytest.raises(FairwayError, match=r"^Line 1 of the customers can't be used: .*customerId.*\.$"):
        read_customers(split_lines(b'{"tenantId": "pinehurst"}'))
    with pytest.raises(FairwayError, match=r"^Line 2 of the customers can't be used: .*utf-8.*\.$"):
        read_customers(split_lines(b'\n{"tenantId": "pinehurst", "customerId": "\xff"}'))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"tenantId": "a:b"}, "The tenantId must be a text of 1 to 100 characters without a colon or control "
                              "characters."),
        ({"customerId": "c" * 257}, "The customerId must be a text of 1 to 256 characters without U+0000."),
        ({"attributes": {"a": "\0"}}, "The data holds the character U+0000, which is not allowed anywhere."),
        ({"attributes": {"a": 2**63}}, "The data holds an integer that does not fit 64 bits."),
        ({"attributes": []}, "The data must be a JSON object with numbers that fit 64 bits."),
        ({"attributes": json.loads("[" * 40 + "]" * 40)}, "The JSON is nested deeper than 32 levels."),
    ],
)  # fmt: skip
def test_a_customers_line_may_hold_what_an_event_may(fields: dict[str, Any], sentence: str) -> None:
    whole = {"tenantId": "pinehurst", "customerId": "c-7"} | fields
    with pytest.raises(FairwayError) as error:
        read_customers(split_lines(json.dumps(whole).encode()))
    assert str(error.value) == f"Line 1 of the customers can't be used: {sentence}"


@pytest.mark.parametrize(
    ("fields", "profile"),
    [
        ({"subscriptions": {"email ": "false", "SMS": 1}}, {"subscriptions": {"EMAIL": False, "SMS": True}}),
        ({"subscriptions": {"email": False, "EMAIL": True}}, {"subscriptions": {"EMAIL": False}}),
        ({"subscriptions": {"EMAIL": True}, "attributes": {"subscriptions": {"email": 0}}},
         {"subscriptions": {"EMAIL": False}}),
        ({"attributes": {"unsubscribed": "TRUE", "tier": None}}, {"unsubscribed": True}),
        ({"subscriptions": None, "attributes": {"subscriptions": None}}, {}),
        ({"subscriptions": {}, "timezone": "Asia/Tokyo"}, {"timezone": "Asia/Tokyo"}),
    ],
)  # fmt: skip
def test_R24_opt_outs_of_a_customers_file_are_read_as_those_of_events(
    fields: dict[str, Any], profile: dict[str, Any]
) -> None:
    whole = {"tenantId": "pinehurst", "customerId": "a"} | fields
    (customer,) = read_customers([json.dumps(whole).encode()])
    assert customer.profile == profile


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"subscriptions": []}, "'subscriptions' must hold channels, each true or false."),
        ({"subscriptions": "EMAIL"}, "'subscriptions' must hold channels, each true or false."),
        ({"subscriptions": {"email": "no"}}, "'subscriptions.EMAIL' must be true or false."),
        ({"attributes": {"subscriptions": []}}, "'subscriptions' must hold channels, each true or false."),
        ({"attributes": {"unsubscribed": "yes"}}, "'unsubscribed' must be true or false."),
    ],
)
def test_R24_a_customers_file_that_says_neither_true_nor_false_is_refused(
    fields: dict[str, Any], sentence: str
) -> None:
    whole = {"tenantId": "pinehurst", "customerId": "a"} | fields
    with pytest.raises(FairwayError) as error:
        read_customers([json.dumps(whole).encode()])
    assert str(error.value) == f"Line 1 of the customers can't be used: {sentence}"


def test_nothing_may_stand_where_an_object_may_be_left_out() -> None:
    (customer,) = read_customers(split_lines(b'{"tenantId": "pinehurst", "customerId": "c-7", "attributes": null}'))
    assert customer.profile == {}
    assert len(sent(run([journey(send())], control("enroll", customerId="a", data=None)))) == 1


def test_load_journeys_keeps_what_the_file_says() -> None:
    authored = journey(send(), status="PAUSED")
    assert load_journeys([authored]).status(authored.id) == JourneyStatus.PAUSED

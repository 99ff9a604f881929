"""Whatever bytes arrive, decoding gives an event or a rejection with the right code, and never raises."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.limits import EVENT_BYTES
from models.messages import Event
from models.moment import read_instant
from streams.engine.decoding import Rejection, decode
from tests.models.test_moment import ODD, WITH_OFFSET

TOPIC = "teetime.booked"
GOOD: dict[str, Any] = {
    "eventId": "e-1",
    "tenantId": "pinehurst",
    "customerId": "c-7",
    "occurredAt": "2026-11-23T10:00:00Z",
}


def give(**fields: Any) -> bytes:
    return json.dumps(GOOD | fields).encode()


def without(name: str) -> bytes:
    return json.dumps({key: item for key, item in GOOD.items() if key != name}).encode()


def nest(depth: int) -> bytes:
    """Return a good event whose JSON is `depth` levels deep: the event, its data, and lists within."""
    return give(data={"a": 0}).replace(b"0}", b"[" * (depth - 2) + b"]" * (depth - 2) + b"}")


def sized(size: int) -> bytes:
    empty = len(give(data={"a": ""}))
    return give(data={"a": "x" * (size - empty)})


MALFORMED = {
    "no value": (None, "not-json"),
    "empty value": (b"", "not-json"),
    "blanks": (b"  \n", "not-json"),
    "text": (b"hello", "not-json"),
    "cut off": (give()[:-1], "not-json"),
    "cut off in a string": (give()[:20], "not-json"),
    "trailing comma": (give()[:-1] + b",}", "not-json"),
    "two objects": (give() + give(), "not-json"),
    "trailing text": (give() + b" x", "not-json"),
    "byte order mark": (b"\xef\xbb\xbf" + give(), "not-json"),
    "UTF-16": (give().decode().encode("utf-16"), "not-utf8"),
    "UTF-16 without mark": (give().decode().encode("utf-16-le"), "not-json"),
    "NaN": (give(data={"a": float("nan")}), "not-json"),
    "Infinity": (give(data={"a": float("inf")}), "not-json"),
    "minus Infinity": (give(data={"a": float("-inf")}), "not-json"),
    "single quotes": (give().replace(b'"', b"'"), "not-json"),
    "comment": (give() + b"// hi", "not-json"),
    "control character": (give(data={"a": "~"}).replace(b"~", b"\x01"), "not-json"),
    "raw NUL": (give(data={"a": "~"}).replace(b"~", b"\x00"), "not-json"),
    "leading zero": (give(data={"a": 7}).replace(b"7}", b"07}"), "not-json"),
    "lone surrogate": (give(data={"a": "\ud800"}), "not-json"),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "not-utf8"),
    "Latin-1": (give(data={"a": "~"}).replace(b"~", b"\xe9"), "not-utf8"),
    "overlong": (give(data={"a": "~"}).replace(b"~", b"\xc0\x80"), "not-utf8"),
    "surrogate in UTF-8": (give(data={"a": "~"}).replace(b"~", b"\xed\xa0\x80"), "not-utf8"),
    "bad UTF-8 in an unknown field": (give(x="~").replace(b"~", b"\xff"), "not-utf8"),
    "a byte too large": (sized(EVENT_BYTES + 1), "too-large"),
    "33 levels": (nest(33), "too-deep"),
    "100,000 levels": (b"[" * 100_000, "too-deep"),
    "100,000 levels of data": (nest(100_000), "too-deep"),
    "33 levels in an unknown field": (give(x=0).replace(b"0}", b"[" * 32 + b"]" * 32 + b"}"), "too-deep"),
    "33 levels, cut off": (nest(33)[:-1], "too-deep"),
    "null": (b"null", "schema"),
    "number": (b"1", "schema"),
    "string": (b'"event"', "schema"),
    "list": (b"[" + give() + b"]", "schema"),
    "empty object": (b"{}", "schema"),
    "no eventId": (without("eventId"), "schema"),
    "no tenantId": (without("tenantId"), "schema"),
    "no customerId": (without("customerId"), "schema"),
    "no occurredAt": (without("occurredAt"), "schema"),
    "empty eventId": (give(eventId=""), "schema"),
    "merged from nobody": (give(eventType="customer.merged"), "schema"),
    "merged from a number": (give(eventType="customer.merged", data={"fromCustomerId": 7}), "schema"),
    "merged from itself": (
        give(eventType="customer.merged", customerId="c-1", data={"fromCustomerId": "c-1"}),
        "schema",
    ),
    "empty customerId": (give(customerId=""), "schema"),
    "endless customerId": (give(customerId="c" * 257), "schema"),
    "endless eventId": (give(eventId="e" * 257), "schema"),
    "endless tenantId": (give(tenantId="t" * 101), "schema"),
    "endless eventType": (give(eventType="e" * 256), "schema"),
    "endless clubId": (give(clubId="e" * 256), "schema"),
    "null customerId": (give(customerId=None), "schema"),
    "number as customerId": (give(customerId=7), "schema"),
    "colon in tenantId": (give(tenantId="a:b"), "schema"),
    "NUL in tenantId": (give(tenantId="a\x00"), "schema"),
    "line feed in tenantId": (give(tenantId="a\nb"), "schema"),
    "control character in tenantId": (give(tenantId="a\x85"), "schema"),
    "NUL in customerId": (give(customerId="a\x00"), "schema"),
    "NUL in data": (give(data={"a": ["\x00"]}), "schema"),
    "NUL in a name": (give(data={"a\x00": 1}), "schema"),
    "NUL in an unknown field": (give(x="\x00"), "schema"),
    "no offset": (give(occurredAt="2026-11-23T10:00:00"), "schema"),
    "no offset but a zone": (give(occurredAt="2026-11-23T10:00:00[Europe/London]"), "schema"),
    "a week": (give(occurredAt="2026-W48-1T10:00:00Z"), "schema"),
    "null as time": (give(occurredAt=None), "schema"),
    "a list as time": (give(occurredAt=[]), "schema"),
    "a second too early": (give(occurredAt="1969-12-31T23:59:59Z"), "schema"),
    "a second too late": (give(occurredAt="3000-01-01T00:00:00Z"), "schema"),
    "a date": (give(occurredAt="2026-11-23"), "schema"),
    "seconds since 1970": (give(occurredAt=1795428000), "schema"),
    "30 February": (give(occurredAt="2026-02-30T10:00:00Z"), "schema"),
    "the year 1": (give(occurredAt="0001-01-01T00:00:00+10:00"), "schema"),
    "the year 9999": (give(occurredAt="9999-12-31T23:59:59-10:00"), "schema"),
    "data a list": (give(data=[1]), "schema"),
    "data a text": (give(data="x"), "schema"),
    "65 bits": (give(data={"a": 2**63}), "schema"),
    "65 bits below": (give(data={"a": -(2**63) - 1}), "schema"),
    "65 bits in an unknown field": (give(x=2**64), "schema"),
    "a number beyond doubles": (give(data={"a": 7}).replace(b"7}", b"1e999}"), "schema"),
    "clubId a number": (give(clubId=4), "schema"),
    "eventType a list": (give(eventType=[]), "schema"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_bad_input_is_rejected_with_its_code_and_a_sentence(name: str) -> None:
    value, code = MALFORMED[name]
    rejection = decode(value, (), TOPIC)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.code == code
    assert rejection.reason.endswith(".")


def test_a_rejection_names_the_field_and_what_is_allowed() -> None:
    assert decode(without("tenantId"), (), TOPIC) == Rejection(
        "schema",
        "The field 'tenantId' is required and must be a text of 1 to 100 characters without a colon or "
        "control characters.",
    )
    assert decode(give(data=[]), (), TOPIC) == Rejection(
        "schema", "The field 'data' must be a JSON object with numbers that fit 64 bits."
    )
    assert decode(give(data={"a": 2**70}), (), TOPIC) == Rejection(
        "schema", "The event holds an integer that does not fit 64 bits."
    )


FINE = {
    "exactly as large as allowed": sized(EVENT_BYTES),
    "exactly as deep as allowed": nest(32),
    "brackets within strings": give(data={"a": "[" * 50 + '"' + "{" * 50 + "\\"}),
    "many brackets side by side": give(data={"a": [[]] * 50}),
    "an escaped backslash before u0000": give(data={"a": "\\u0000"}),
    "the largest integer": give(data={"a": 2**63 - 1, "b": -(2**63)}),
    "a long text of digits": give(customerId="1" * 30),
    "a pair of surrogates": give(data={"a": "\U0001f3cc"}),
    "null for what is optional": give(eventType=None, clubId=None, data=None),
    "the longest ids": give(tenantId="t" * 100, customerId="c" * 256, eventId="e" * 256, clubId="n" * 255),
    "a tenantId that is not all printable": give(tenantId="pine\u00a0hurst"),
    "blanks around": b" \n" + give() + b"\n",
}


@pytest.mark.parametrize("name", FINE)
def test_what_the_contract_allows_is_an_event(name: str) -> None:
    assert isinstance(decode(FINE[name], (), TOPIC), Event)


def test_an_event_keeps_all_that_was_written() -> None:
    value = give(eventType="other", clubId="north", data={"n": 1}, extra={"a": 1}, traceparent="mine", x=[None])
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert decode(value, (("traceparent", trace.encode()),), TOPIC) == Event(
        "e-1", "pinehurst", "c-7", datetime(2026, 11, 23, 10, tzinfo=UTC), "other", "north", {"n": 1},
        {"extra": {"a": 1}, "traceparent": "mine", "x": [None]}, trace,
    )  # fmt: skip


def test_the_topic_names_the_type_where_the_event_does_not() -> None:
    event = decode(give(occurredAt="2026-11-23T12:00:00+02:00"), (("traceparent", b"\xff"), ("x", None)), TOPIC)
    assert event == Event("e-1", "pinehurst", "c-7", datetime(2026, 11, 23, 10, tzinfo=UTC), TOPIC)
    assert isinstance(event, Event)
    assert event.occurred_at.tzinfo is UTC


@pytest.mark.parametrize(("text", "moment"), WITH_OFFSET)
def test_the_time_of_an_event_is_read_as_any_other(text: str, moment: str) -> None:
    for more in ({}, {"x": 1}):
        event = decode(give(occurredAt=text, **more), (), TOPIC)
        assert isinstance(event, Event)
        assert event.occurred_at == datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert event.extra == more


@given(st.sampled_from(WITH_OFFSET).map(lambda one: one[0]), st.integers(0, 30), ODD)
def test_a_time_is_read_by_one_rule_whichever_way_it_comes(text: str, at: int, odd: str) -> None:
    text = text[:at] + odd + text[at:]
    event, moment = decode(give(occurredAt=text), (), TOPIC), read_instant(text)
    if moment is None or not 1970 <= moment.year <= 2999:
        assert isinstance(event, Rejection)
    else:
        assert isinstance(event, Event)
        assert event.occurred_at == moment


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(value: bytes) -> None:
    assert isinstance(decode(value, (), TOPIC), Event | Rejection)


@given(st.binary(max_size=4), st.integers(0, 120), st.integers(0, 4))
def test_no_damage_to_a_good_event_makes_it_raise(splinter: bytes, at: int, lost: int) -> None:
    good = give(clubId="north", x=1, data={"a": [1, "\\", {"b": "é"}]})
    assert isinstance(decode(good[:at] + splinter + good[at + lost :], (), TOPIC), Event | Rejection)


TEXT = st.text('ab:\x00\\"é\ud800', max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "eventType", "clubId", "data", "x"]), JSON))
def test_no_json_makes_it_raise(fields: dict[str, Any]) -> None:
    assert isinstance(decode(give(**fields), (), TOPIC), Event | Rejection)

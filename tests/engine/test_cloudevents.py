"""A CloudEvent is the event that its attributes and data say, in both modes and by the words of its own makers."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from models.limits import EVENT_BYTES
from models.messages import Event
from streams.engine.cloudevents import cloudevent_headers
from streams.engine.decoding import decode
from streams.engine.effects import Command, SendCommand
from streams.engine.payload import Rejection

TOPIC = "teetime.booked"
STRUCTURED: list[tuple[str, bytes | None]] = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "specversion": "1.0", "id": "e-1", "source": "/tills/4", "type": "teetime.rescheduled",
    "time": "2026-11-23T12:00:00Z", "tenantid": "pinehurst", "customerid": "Zoë 🏌",
}  # fmt: skip
ALL = GOOD | {"clubid": "north", "traceparent": TRACE, "subject": "t-9"}
EVENT = Event("e-1", "pinehurst", "Zoë 🏌", NOON, "teetime.rescheduled", None, {"n": 1}, {"source": "/tills/4"})


Given = tuple[bytes | None, list[tuple[str, bytes | None]]]
"""A record's value and headers."""


def structured(attributes: dict[str, Any], **more: Any) -> Given:
    return json.dumps(attributes | more).encode(), STRUCTURED


def binary(attributes: dict[str, Any], value: bytes | None = b'{"n": 1}') -> Given:
    return value, [(f"ce_{name}", str(item).encode()) for name, item in attributes.items()]


def read(given: Given) -> Event:
    event = decode(*given, TOPIC)
    assert isinstance(event, Event), event
    return event


def without(name: str) -> dict[str, Any]:
    return {key: item for key, item in GOOD.items() if key != name}


def test_both_modes_give_the_same_event() -> None:
    assert read(structured(GOOD, data={"n": 1})) == EVENT
    assert read(binary(GOOD)) == EVENT


def test_a_structured_one_is_known_without_headers_too() -> None:
    assert decode(json.dumps(GOOD | {"data": {"n": 1}}).encode(), (), TOPIC) == EVENT


def test_an_event_that_only_speaks_of_a_specversion_is_a_plain_one() -> None:
    fields = {"eventId": "e-1", "tenantId": "t", "customerId": "c", "occurredAt": "2026-11-23T12:00:00Z"}
    event = decode(json.dumps(fields | {"specversion": "1.0"}).encode(), (), TOPIC)
    assert event == Event("e-1", "t", "c", NOON, TOPIC, extra={"specversion": "1.0"})
    nested = decode(json.dumps({"data": {"specversion": "1.0"}}).encode(), (), TOPIC)
    assert isinstance(nested, Rejection)
    assert nested.reason.startswith("The field 'eventId'")
    assert decode(b'["specversion"]', (), TOPIC) == Rejection(
        "schema", "The event must be a JSON object with numbers that fit 64 bits."
    )


@pytest.mark.parametrize("given", [structured(ALL), binary(ALL)])
def test_extension_attributes_are_fields_or_kept(given: Given) -> None:
    event = read(given)
    assert (event.club_id, event.traceparent) == ("north", TRACE)
    assert event.extra == {"source": "/tills/4", "subject": "t-9"}


def test_the_origin_s_trace_comes_before_that_of_the_last_hop() -> None:
    other = TRACE.replace("0af", "1af")
    for attributes, trace in ((ALL, TRACE), (GOOD, other), (GOOD | {"traceparent": 7}, other)):
        value, headers = structured(attributes)
        assert read((value, [("traceparent", other.encode()), *headers])).traceparent == trace


@pytest.mark.parametrize("given", [structured(without("type")), binary(without("type"), None)])
def test_one_without_a_type_has_the_topic_s_and_one_without_data_has_none(given: Given) -> None:
    event = read(given)
    assert (event.event_type, event.data) == (TOPIC, {})


def test_data_may_come_in_base64() -> None:
    assert read(structured(GOOD, data_base64=b64encode(b'{"n": 1}').decode())) == EVENT


def test_a_null_attribute_is_none() -> None:
    assert read(structured(GOOD, data={"n": 1}, clubid=None, subject=None)) == EVENT


UNUSABLE: dict[str, tuple[Given, str, str]] = {
    "another version": (structured(GOOD | {"specversion": "0.3"}), "schema", "'specversion' of a CloudEvent must"),
    "no version": (structured(without("specversion")), "schema", "'specversion' of a CloudEvent must be '1.0'."),
    "no id": (binary(without("id")), "schema", "The attribute 'id' of a CloudEvent is required and must be"),
    "no tenant": (structured(without("tenantid")), "schema", "The attribute 'tenantid' of a CloudEvent is"),
    "no customer": (binary(without("customerid")), "schema", "The attribute 'customerid' of a CloudEvent is"),
    "no time": (binary(without("time")), "schema", "The attribute 'time' of a CloudEvent is required"),
    "a name in two words": (structured(without("tenantid"), tenantId="t"), "schema", "The attribute 'tenantid' of"),
    "a colon in the tenant": (binary(GOOD | {"tenantid": "a:b"}), "schema", "The attribute 'tenantid' of a"),
    "the year 9999": (binary(GOOD | {"time": "9999-12-31T23:59:59Z"}), "schema", "The attribute 'time' of a"),
    "a number as time": (structured(GOOD, time=1795428000), "schema", "The attribute 'time' of a CloudEvent"),
    "a number as id": (structured(GOOD, id=7), "schema", "The attribute 'id' of a CloudEvent"),
    "data that is text": (structured(GOOD, data="hello"), "schema", "The attribute 'data' of a CloudEvent must be"),
    "data in binary mode that is text": (binary(GOOD, b'"hello"'), "schema", "The data must be a JSON object"),
    "Avro": (binary(GOOD, b"\x00\x01"), "not-json", "The value is not JSON."),
    "a structured one in Avro": (
        (b"\x02\xff", [("content-type", b"application/cloudevents+avro")]), "not-utf8", "The value is not UTF-8"
    ),
    "a batch": (
        (b"[]", [("content-type", b"Application/CloudEvents-Batch+json")]), "schema", "The data must be a JSON"
    ),
    "an empty structured one": ((None, STRUCTURED), "not-json", "The value is not JSON."),
    "bad Base64": (structured(GOOD, data_base64="%"), "schema", "'data_base64' must be data in Base64."),
    "Base64 of a number": (structured(GOOD, data_base64=7), "schema", "'data_base64' must be data in Base64."),
    "Base64 of text": (structured(GOOD, data_base64=b64encode(b"x").decode()), "not-json", "The value is not"),
    "NUL in an attribute": (binary(GOOD | {"subject": "\x00"}), "schema", "The event holds the character U+0000"),
    "Latin-1 in an attribute": (
        (b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xe9")]), "not-utf8", "An attribute of the CloudEvent is"
    ),
    "attributes too large": (binary(GOOD | {"subject": "x" * EVENT_BYTES}), "too-large", "The CloudEvent has 262"),
    "data too large": (structured(GOOD, data={"a": "x" * EVENT_BYTES}), "too-large", "The value has 262"),
    "data too deep": (binary(GOOD, b'{"a":' + b"[" * 31 + b"]" * 31 + b"}"), "too-deep", "The JSON is nested"),
    "merged from nobody": (binary(GOOD | {"type": "customer.merged"}), "schema", "The field 'data.fromCustomerId'"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_can_t_be_used_is_rejected_in_the_words_of_cloudevents(name: str) -> None:
    given, code, reason = UNUSABLE[name]
    rejection = decode(*given, TOPIC)
    assert isinstance(rejection, Rejection), rejection
    assert rejection.code == code
    assert reason in rejection.reason
    assert rejection.reason.endswith(".")


def test_structured_and_binary_data_may_be_as_deep_as_a_plain_event_s() -> None:
    data = b'{"a":' + b"[" * 30 + b"]" * 30 + b"}"
    assert read(binary(GOOD, data)).data == read(structured(GOOD, data=json.loads(data))).data == json.loads(data)


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_specversion", "ce_id", "ce_time", "ce_tenantid", "ce_", "content-type", "x"]),
        st.none() | st.binary(max_size=3) | st.sampled_from([b"1.0", b"application/cloudevents", b"t"]),
    )
)


@given(HEADERS, st.none() | st.binary(max_size=20) | st.sampled_from([b"{}", b'{"specversion": "1.0"}', b"[1]"]))
def test_no_headers_and_bytes_make_it_raise(headers: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    assert isinstance(decode(value, headers, TOPIC), Event | Rejection)


@pytest.mark.parametrize("write", [kafka.to_binary_event, kafka.to_structured_event])
def test_what_the_cloudevents_sdk_writes_is_read(write: Any) -> None:
    attributes = ALL | {"time": NOON, "datacontenttype": "application/json"}
    message = write(CloudEvent(attributes, {"n": 1}))
    event = read((message.value, list(message.headers.items())))
    assert (event.event_id, event.tenant_id, event.customer_id) == ("e-1", "pinehurst", "Zoë 🏌")
    assert (event.occurred_at, event.data, event.traceparent) == (NOON, {"n": 1}, TRACE)


@pytest.mark.parametrize("traceparent", [None, TRACE])
def test_the_cloudevents_sdk_reads_a_command(traceparent: str | None) -> None:
    value = SendCommand(
        "7b0d", "pinehurst", None, "c-7", "EMAIL", "welcome", "j-1", "Welcome", 3, "n-1", "send", 2, 1, {}, {},
        NOON, None,
    )  # fmt: skip
    headers = {name: item or b"" for name, item in cloudevent_headers(Command(value, traceparent))}
    event = kafka.from_binary(kafka.KafkaMessage(headers, None, b'{"commandId": "7b0d"}'), JSONFormat())
    assert (event.get_id(), event.get_type(), event.get_time()) == ("7b0d", "fairway.command.send", NOON)
    assert (event.get_source(), event.get_data()) == ("/fairway/journeys/j-1", {"commandId": "7b0d"})
    extensions = [event.get_extension(name) for name in ("tenantid", "channel", "traceparent")]
    assert extensions == ["pinehurst", "EMAIL", traceparent]

"""The lines of an events file: events, controls, and what is neither."""

import json
from datetime import UTC, datetime

import pytest

from tests.engine.build import NOON, journey, send
from tests.simulation.build import control, line, run, sent


def test_a_cloudevent_is_an_event_in_a_file_too() -> None:
    event = {
        "specversion": "1.0", "id": "e-1", "source": "/tills/4", "type": "teetime.booked", "time": NOON.isoformat(),
        "tenantid": "pinehurst", "customerid": "c-1", "data": {},
    }  # fmt: skip
    assert sent(run([journey(send())], event)) == [("c-1", NOON)]


BAD = [
    (b"{", "not-json", "The value is not JSON."),
    (b'{"eventId": "e"}', "schema", None),
    (b'{"eventId":"e","tenantId":"t","customerId":"c","occurredAt":"2026-11-23T12:00:00Z"}', "schema",
     "The field 'eventType' is required in a file: there is no topic to take it from."),
    (json.dumps(control("launch")).encode(), "schema",
     "The control 'launch' is not one of activate, archive, enroll, exit, pause, resume."),
    (json.dumps(control("pause", journey="Nope")).encode(), "schema", "Tenant 'pinehurst' has no journey 'Nope'."),
    (json.dumps(control("exit")).encode(), "schema", "The control 'exit' needs a customerId."),
    (json.dumps(control("pause") | {"at": "2026-11-23T12:00:00"}).encode(), "schema",
     "The time 'at' of a control must be a date-time with an offset, such as 2026-11-23T10:00:00Z."),
    (b'{"control": "pause"}', "schema", None),
    (b'{"control": "pa\xff"}', "schema", None),
    (json.dumps(control("pause") | {"at": "soon"}).encode(), "schema",
     "The time 'at' of a control must be a date-time with an offset, such as 2026-11-23T10:00:00Z."),
    (json.dumps(control("exit", customerId="c" * 257)).encode(), "schema",
     "The customerId must be a text of 1 to 256 characters without U+0000."),
    (json.dumps(control("enroll", customerId="c", data={"a": "\0"})).encode(), "schema", None),
    (json.dumps(control("enroll", customerId="c", data={"a": 2**63})).encode(), "schema", None),
    (json.dumps(control("enroll", customerId="c", data=[])).encode(), "schema", None),
    (json.dumps(control("pause")).encode() + b"[" * 100_000, "too-deep", None),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "code", "reason"), BAD)
def test_a_bad_line_becomes_a_dead_letter_and_the_lines_around_it_are_handled(
    raw: bytes, code: str, reason: str | None
) -> None:
    outputs = run([journey(send())], line(1, "a"), raw, line(2, "b"))
    (letter,) = [output.fields for output in outputs if output.topic == "fairway.dead-letters"]
    assert letter["code"] == letter["headers"]["dlq.code"] == code
    assert letter["raw"] == raw.decode(errors="replace")
    assert reason in (None, letter["reason"])
    assert len(sent(outputs)) == 2


def test_a_bad_line_at_the_start_takes_the_time_of_the_first_good_one() -> None:
    outputs = run([journey(send())], b"{", line(1, "a"))
    assert [output.at for output in outputs] == [NOON] * 3
    assert run([journey(send())], b"{")[0].at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "at",
    ["2026-11-23T13:00+01", "2026-11-23T12:00:00.0000009Z", "2026-11-22T24:00-12:00", "2026-11-23T12:00Z[UTC]"],
)
def test_the_time_of_a_control_is_read_as_that_of_an_event(at: str) -> None:
    given = control("enroll", customerId="a") | {"at": at}
    event = line(2, "b") | {"occurredAt": at}
    assert sent(run([journey(send())], given, event)) == [("a", NOON), ("b", NOON)]


def test_an_event_that_speaks_of_control_is_still_an_event() -> None:
    assert sent(run([journey(send())], line(1, "a", data={"control": "none"}))) == [("a", NOON)]

"""The lines of an events file: events, controls, and what is neither, as the dead letter that it will be."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.journey import Journey
from models.limits import find_bad_id
from models.messages import Event
from models.moment import read_instant
from streams.engine.decoding import decode
from streams.engine.payload import TOO_DEEP, Rejection, is_too_deep, read_data
from streams.kafka.topics import INBOX

NO_DATA = msgspec.Raw(b"{}")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME = "The time 'at' of a control must be a date-time with an offset, such as 2026-11-23T10:00:00Z."
_CONTROLS = {"enroll", "exit", "activate", "pause", "resume", "archive"}


class Control(msgspec.Struct, frozen=True):
    """An input line that steers a journey, or one customer's place in it."""

    control: str
    at: datetime
    journey_id: str
    tenant_id: str
    customer_id: str = ""
    data: dict[str, Any] = {}


class Unusable(msgspec.Struct, frozen=True):
    """An input line that can't be used; it becomes a dead letter."""

    raw: str
    rejection: Rejection
    topic: str


class Line(msgspec.Struct, frozen=True):
    """One line of input: `at` is its time, `number` its place in the file, from 0."""

    at: datetime
    number: int
    given: Event | Control | Unusable


class _ControlLine(msgspec.Struct, rename="camel"):
    control: str
    at: str
    tenant_id: str
    journey: str
    customer_id: str | None = None
    data: msgspec.Raw = NO_DATA


def parse_lines(lines: Iterable[bytes], journeys: Iterable[Journey]) -> list[Line]:
    """Return the lines of an events file: events, controls, and what is neither as a dead letter to come.

    A line that can't be read has no time of its own; it takes that of the line before it.
    """
    names = {(journey.tenant_id, name): journey.id for journey in journeys for name in (journey.name, journey.id)}
    given = [(number, _read_line(text, names)) for number, text in enumerate(lines) if text.strip()]
    at = next((time for _, line in given if (time := _time_of(line))), _START)
    found = []
    for number, line in given:
        at = _time_of(line) or at
        found.append(Line(at, number, line))
    return found


def _time_of(given: Event | Control | Unusable) -> datetime | None:
    match given:
        case Event():
            return given.occurred_at
        case Control():
            return given.at
        case Unusable():
            return None


def _read_line(text: bytes, names: dict[tuple[str, str], str]) -> Event | Control | Unusable:
    control = _read_control(text, names) if b'"control"' in text else None
    if control is not None:
        return control
    event = decode(text, (), "")
    if isinstance(event, Event) and not event.event_type:
        event = Rejection(
            "schema", "The field 'eventType' is required in a file: there is no topic to take it from."
        )
    return event if isinstance(event, Event) else _unusable(text, event, "")


def _read_control(text: bytes, names: dict[tuple[str, str], str]) -> Control | Unusable | None:
    """Return a control line; None for a line that is no control but an event with such a word in it."""
    if is_too_deep(text):
        return _unusable(text, TOO_DEEP, INBOX)
    try:
        line = msgspec.json.decode(text, type=_ControlLine)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return None if b'"eventId"' in text else _refuse(text, f"The control can't be used: {error}.")
    if line.control not in _CONTROLS:
        return _refuse(text, f"The control '{line.control}' is not one of {', '.join(sorted(_CONTROLS))}.")
    if line.control in ("enroll", "exit") and not line.customer_id:
        return _refuse(text, f"The control '{line.control}' needs a customerId.")
    if line.customer_id and (fault := find_bad_id(line.tenant_id, line.customer_id)):
        return _refuse(text, fault)
    at = read_instant(line.at)
    if at is None:
        return _refuse(text, _NO_TIME)
    journey_id = names.get((line.tenant_id, line.journey))
    if journey_id is None:
        return _refuse(text, f"Tenant '{line.tenant_id}' has no journey '{line.journey}'.")
    data = read_object(line.data)
    if isinstance(data, Rejection):
        return _unusable(text, data, INBOX)
    return Control(line.control, at, journey_id, line.tenant_id, line.customer_id or "", data)


def _refuse(text: bytes, reason: str) -> Unusable:
    return _unusable(text, Rejection("schema", reason), INBOX)


def _unusable(text: bytes, rejection: Rejection, topic: str) -> Unusable:
    return Unusable(text.decode(errors="replace"), rejection, topic)


def read_object(raw: msgspec.Raw) -> dict[str, Any] | Rejection:
    """Return what a line has in place of an event's data, or why it can't be used; null is as good as nothing."""
    value = bytes(raw)
    return {} if value == b"null" else read_data(value)

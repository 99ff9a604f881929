"""Read what a simulation is fed with: journey files, events and controls, customers."""

from codecs import BOM_UTF8
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from models.customer import Customer
from models.journey import Journey, JourneyStatus
from models.limits import find_bad_id
from models.messages import Event
from streams.engine.decoding import decode
from streams.engine.journeys import Journeys
from streams.engine.payload import TOO_DEEP, Rejection, is_too_deep, read_data
from streams.errors import FairwayError
from streams.simulation.simulation import Control, Line, Unusable

_NO_DATA = msgspec.Raw(b"{}")
_START = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROLS = {"enroll", "exit", "activate", "pause", "resume", "archive"}


class _ControlLine(msgspec.Struct, rename="camel"):
    control: str
    at: datetime
    tenant_id: str
    journey: str
    customer_id: str | None = None
    data: msgspec.Raw = _NO_DATA


class _CustomerLine(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    tenant_id: str
    customer_id: str
    attributes: msgspec.Raw = _NO_DATA
    timezone: str | None = None
    subscriptions: dict[str, bool] = {}


def load_journeys(journeys: Iterable[Journey]) -> Journeys:
    """Return journeys as a worker would know them; one whose file names no status counts as ACTIVE."""
    snapshot = Journeys()
    for journey in sorted(journeys, key=lambda journey: journey.version):
        snapshot = snapshot.with_version(journey)
        snapshot = snapshot.with_status(journey.id, journey.status or JourneyStatus.ACTIVE, journey.version)
    return snapshot


def read_customers(raw: bytes) -> list[Customer]:
    """Return the customers of a JSON lines file; raises FairwayError for a line that is none."""
    lines = enumerate(_split(raw), start=1)
    return [_read_customer(number, text) for number, text in lines if text.strip()]


def _read_customer(number: int, text: bytes) -> Customer:
    fault = f"Line {number} of the customers can't be used:"
    if is_too_deep(text):
        raise FairwayError(f"{fault} {TOO_DEEP.reason}")
    try:
        line = msgspec.json.decode(text, type=_CustomerLine)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FairwayError(f"{fault} {error}.") from None
    profile = _read_object(line.attributes)
    wrong = profile.reason if isinstance(profile, Rejection) else find_bad_id(line.tenant_id, line.customer_id)
    if wrong or isinstance(profile, Rejection):
        raise FairwayError(f"{fault} {wrong}")
    if line.timezone is not None:
        profile["timezone"] = line.timezone
    if line.subscriptions:
        profile["subscriptions"] = {name.upper(): wanted for name, wanted in line.subscriptions.items()}
    return Customer(line.tenant_id, line.customer_id, profile)


def read_lines(raw: bytes, journeys: Iterable[Journey]) -> list[Line]:
    """Return the lines of an events file: events, controls, and what is neither as a dead letter to come.

    A line that can't be read has no time of its own; it takes that of the line before it.
    """
    names = {(journey.tenant_id, name): journey.id for journey in journeys for name in (journey.name, journey.id)}
    given = [(number, _read_line(text, names)) for number, text in enumerate(_split(raw)) if text.strip()]
    at = next((time for _, line in given if (time := _time_of(line))), _START)
    lines = []
    for number, line in given:
        at = _time_of(line) or at
        lines.append(Line(at, number, line))
    return lines


def _split(raw: bytes) -> list[bytes]:
    return raw.removeprefix(BOM_UTF8).split(b"\n")  # not splitlines: a text in JSON may hold other line ends


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
        return _unusable(text, TOO_DEEP, "fairway.inbox")
    try:
        line = msgspec.json.decode(text, type=_ControlLine)
    except msgspec.MsgspecError as error:
        return None if b'"eventId"' in text else _refuse(text, f"The control can't be used: {error}.")
    if line.control not in _CONTROLS:
        return _refuse(text, f"The control '{line.control}' is not one of {', '.join(sorted(_CONTROLS))}.")
    if line.control in ("enroll", "exit") and not line.customer_id:
        return _refuse(text, f"The control '{line.control}' needs a customerId.")
    if line.customer_id and (fault := find_bad_id(line.tenant_id, line.customer_id)):
        return _refuse(text, fault)
    if line.at.tzinfo is None:
        return _refuse(text, "The time 'at' of a control needs an offset, such as Z.")
    journey_id = names.get((line.tenant_id, line.journey))
    if journey_id is None:
        return _refuse(text, f"Tenant '{line.tenant_id}' has no journey '{line.journey}'.")
    data = _read_object(line.data)
    if isinstance(data, Rejection):
        return _unusable(text, data, "fairway.inbox")
    return Control(line.control, line.at.astimezone(UTC), journey_id, line.tenant_id, line.customer_id or "", data)


def _read_object(raw: msgspec.Raw) -> dict[str, Any] | Rejection:
    value = bytes(raw)
    return {} if value == b"null" else read_data(value)


def _refuse(text: bytes, reason: str) -> Unusable:
    return _unusable(text, Rejection("schema", reason), "fairway.inbox")


def _unusable(text: bytes, rejection: Rejection, topic: str) -> Unusable:
    return Unusable(text.decode(errors="replace"), rejection, topic)

"""The records of the definitions topic: one for each version of a journey, and one that says how it stands.

The record of a version has the key `tenantId:journeyId:version` and never changes; that of the journey's status
has the key `tenantId:journeyId`.
"""

import re
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from pydantic import ValidationError

from models.form import FORM, RELEASES, form_of, tell_newer
from models.journey import Journey, JourneyStatus
from models.limits import JOURNEY_BYTES


class JourneyState(msgspec.Struct, frozen=True, rename="camel"):
    """How a journey stands: its newest version, its status, and which change of the journey brought it there."""

    tenant_id: str
    journey_id: str
    name: str
    status: JourneyStatus
    version: Annotated[int, msgspec.Meta(ge=1)]
    updated_at: Annotated[datetime, msgspec.Meta(tz=True)]
    revision: int = 0


_LARGEST = JOURNEY_BYTES + 256  # what is added since it was checked: a longer version number, the form
_KEY = re.compile(r"([^:]+):([^:]+)(?::([1-9][0-9]{0,8}))?", re.DOTALL)


class Key(NamedTuple):
    """Whose record it is; `version` is None for the record of a status."""

    tenant_id: str
    journey_id: str
    version: int | None


class UnusableError(ValueError):
    """The record is none of a definition; the message says why."""


class NewerError(ValueError):
    """The record has a form that this Fairway can't read; the message says which release can."""


class _Form(msgspec.Struct):
    name: str = ""
    needs: int = 1
    needs_fairway: str | None = msgspec.field(default=None, name="needsFairway")


def version_record(journey: Journey) -> tuple[str, bytes]:
    """Return key and value of the record that holds one version of a journey."""
    value = journey.plain()
    needs = form_of(journey)
    if needs > 1:
        value |= {"needs": needs, "needsFairway": RELEASES[needs]}
    return f"{journey.tenant_id}:{journey.id}:{journey.version}", msgspec.json.encode(value)


def status_record(state: JourneyState) -> tuple[str, bytes]:
    """Return key and value of the record that says how a journey stands."""
    return f"{state.tenant_id}:{state.journey_id}", msgspec.json.encode(state)


def read_key(key: bytes | None) -> Key:
    """Return what a record's key says; raises UnusableError."""
    try:
        found = _KEY.fullmatch((key or b"").decode())
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise UnusableError("Its key is not tenantId:journeyId or tenantId:journeyId:version.")
    return Key(found[1], found[2], int(found[3]) if found[3] else None)


def check_form(key: Key, value: bytes) -> None:
    """Raise NewerError for a version that needs a newer Fairway, UnusableError for one that can't be a journey."""
    if len(value) > _LARGEST:
        raise UnusableError(f"It has {len(value)} bytes; {JOURNEY_BYTES} are allowed.")
    form = _decode(value, _Form)
    if form.needs > FORM:
        what = f"Journey '{form.name}' version {key.version}"
        raise NewerError(tell_newer(what, form.needs, form.needs_fairway))


def read_version(key: Key, value: bytes) -> Journey:
    """Return the version of a journey that a record holds; raises UnusableError."""
    plain = _decode(value, dict[str, Any])
    for name in ("needs", "needsFairway"):
        plain.pop(name, None)
    try:
        journey = Journey.model_validate(plain)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        raise UnusableError(f"'{where}': {fault['msg']}.") from None
    if (journey.tenant_id, journey.id, journey.version) != key:
        raise UnusableError("Its key names another journey than its value.")
    return journey


def read_status(key: Key, value: bytes) -> JourneyState:
    """Return how a journey stands; raises UnusableError."""
    state: JourneyState = _decode(value, JourneyState)
    if (state.tenant_id, state.journey_id) != key[:2]:
        raise UnusableError("Its key names another journey than its value.")
    return state


def _decode(value: bytes, shape: Any) -> Any:
    try:
        return msgspec.json.decode(value, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UnusableError(f"Its value can't be read: {error}.") from None

"""What an input brings about: records in contract shape, whose datetimes are aware UTC, and inputs for others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from models.customer import Customer
from models.messages import Moment
from streams.engine.entries import Entry
from streams.engine.inputs import CustomerInput, PlacesInput, RepairState
from streams.engine.results import Change


class SendCommand(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The value of a send command."""

    command_id: str
    tenant_id: str
    club_id: str | None
    customer_id: str
    channel: str
    template_id: str
    journey_id: str
    journey_name: str
    journey_version: int
    enrollment_id: str
    step_id: str
    step_number: int
    visit: int
    variants: dict[str, str]
    data: dict[str, Any]
    issued_at: Moment
    not_after: Moment | None


class Command(msgspec.Struct, frozen=True, gc=False):
    """A send command for `fairway.commands`; `traceparent` is that of the event that enrolled."""

    value: SendCommand
    traceparent: str | None = None


class ProfileUpdate(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A record for `fairway.profile-updates`; `updates` are what its UPDATE step changed."""

    tenant_id: str
    club_id: str | None
    customer_id: str
    journey_id: str
    journey_version: int
    enrollment_id: str
    step_id: str
    step_number: int
    visit: int
    updates: list[Change]
    updated_at: Moment


class Cause(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What an activity record answers: `kind` is event, wait, control or admission."""

    kind: str
    event_id: str | None = None
    event_type: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    control: str | UnsetType = UNSET
    enrollment_id: str | UnsetType = UNSET
    step_id: str | UnsetType = UNSET
    due: Moment | UnsetType = UNSET


class Activity(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A record for `fairway.activity`."""

    activity_id: str
    at: Moment
    tenant_id: str
    club_id: str | None
    customer_id: str
    cause: Cause
    entries: Sequence[Entry]


class Forward(msgspec.Struct, frozen=True, gc=False):
    """An input for another key, through `fairway.inbox`: a customer, or a journey's places."""

    key: bytes
    message: CustomerInput | RepairState | PlacesInput


Effect = Command | ProfileUpdate | Activity | Forward


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The customer after an input (None: no row, or the row is to go) and what else came of it, in order."""

    customer: Customer | None
    effects: tuple[Effect, ...] = ()


def plain(record: object) -> dict[str, Any]:
    """Return a record's fields as its JSON has them, but for datetimes, which stay such."""
    fields: dict[str, Any] = msgspec.to_builtins(record, builtin_types=(datetime,))
    return fields

"""What an input brings about. Values are plain dicts in contract shape; datetimes in them are aware UTC."""

from typing import Any

import msgspec

from models.customer import Customer
from streams.engine.inputs import CustomerInput, PlacesInput


class Command(msgspec.Struct, frozen=True, gc=False):
    """A send command for `fairway.commands`; `traceparent` is that of the event that enrolled."""

    value: dict[str, Any]
    traceparent: str | None = None


class ProfileUpdate(msgspec.Struct, frozen=True, gc=False):
    """A record for `fairway.profile-updates`."""

    value: dict[str, Any]


class Activity(msgspec.Struct, frozen=True, gc=False):
    """A record for `fairway.activity`."""

    value: dict[str, Any]


class Forward(msgspec.Struct, frozen=True, gc=False):
    """An input for another key, through `fairway.inbox`: a customer, or a journey's places."""

    key: bytes
    message: CustomerInput | PlacesInput


Effect = Command | ProfileUpdate | Activity | Forward


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """The customer after an input (None: no row, or the row is to go) and what else came of it, in order."""

    customer: Customer | None
    effects: tuple[Effect, ...] = ()

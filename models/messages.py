"""What comes in by topics: an event, and where it was read. What goes out is in `streams.engine.effects`."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with an offset."""


class Event(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An event as a producer wrote it; `extra` holds unknown fields, `traceparent` comes from the headers."""

    event_id: str
    tenant_id: str
    customer_id: str
    occurred_at: Moment
    event_type: str = ""
    club_id: str | None = None
    data: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    traceparent: str | None = None


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where an input was read: the record's own topic, partition and offset, not those it was sent on to."""

    topic: str
    partition: int
    offset: int

"""What travels on topics: events in; commands, profile updates and activity out; and what Fairway sends itself.

The engine and the partition task read and write structs, once per record, those that go out being of
`streams.engine.effects`; the pydantic models here are the published shapes, and tests hold the two together.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from models import limits

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


class Message(BaseModel):
    """What all published shapes share: camelCase names, unknown fields kept."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel, populate_by_name=True)


class EventMessage(Message):
    """An event in (contract: required are eventId, tenantId, customerId, occurredAt with an offset)."""

    event_id: str = Field(min_length=1, max_length=limits.EVENT_ID)
    event_type: str | None = Field(default=None, max_length=limits.LABEL)
    tenant_id: str = Field(min_length=1, max_length=limits.TENANT_ID, pattern=limits.TENANT_PATTERN)
    club_id: str | None = Field(default=None, max_length=limits.LABEL)
    customer_id: str = Field(min_length=1, max_length=limits.CUSTOMER_ID, pattern=limits.CUSTOMER_PATTERN)
    occurred_at: AwareDatetime
    data: dict[str, Any] = {}


class SendCommand(Message):
    """A send command out: exactly one per visit of a SEND step, with an id that any replay repeats."""

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
    issued_at: AwareDatetime
    not_after: AwareDatetime | None


class Change(Message):
    """One changed field of a profile."""

    field: str
    before: Any
    after: Any


class ProfileUpdate(Message):
    """What an UPDATE step changed, for the CRM."""

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
    updated_at: AwareDatetime


class Cause(Message):
    """What an activity record answers: an event, a due wait, a control or an admission."""

    kind: Literal["event", "wait", "control", "admission"]
    event_id: str | None = None
    event_type: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


class Entry(Message):
    """One thing that happened; which fields stand beside `type` depends on it."""

    type: Literal[
        "enrollment.started", "enrollment.refused", "enrollment.completed", "enrollment.exited",
        "enrollment.failed", "step.entered", "step.replanned", "step.completed", "step.skipped", "step.failed",
        "goal.reached", "trigger.updated", "profile.updated",
    ]  # fmt: skip


class Activity(Message):
    """Everything that one input did to one customer, in order."""

    activity_id: str
    at: AwareDatetime
    tenant_id: str
    club_id: str | None
    customer_id: str
    cause: Cause
    entries: list[Entry]

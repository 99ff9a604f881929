"""What may reach a customer or a journey's places: the inputs of the engine; most also travel by inbox."""

from typing import Any

import msgspec

from models.customer import EntryHistory, Watch
from models.messages import Event, Moment, Source


class Input(msgspec.Struct, frozen=True, gc=False, rename="camel", tag_field="kind", omit_defaults=True):
    """An input for one customer."""


class Arrived(Input, frozen=True, tag="event"):
    """An event; `source` is where its producer put it, also when it was sent on from a foreign partition."""

    event: Event
    source: Source | None = None


class Due(Input, frozen=True, tag="due"):
    """Time has come: every wait of the customer that is due fires, oldest first; or that of one enrolment only."""

    enrollment_id: str | None = None


class FailWait(Input, frozen=True, tag="fail-wait"):
    """What a due wait leads to can't be written: its enrolment fails with this sentence instead."""

    enrollment_id: str
    error: str


class Enroll(Input, frozen=True, tag="enroll"):
    """Enrol by hand (R6): conditions are not asked, R3 to R5 are."""

    journey_id: str
    at: Moment
    data: dict[str, Any] = {}
    source: Source | None = None


class Exit(Input, frozen=True, tag="exit"):
    """Leave by hand: exitReason manual. Without `journey_id`, every journey."""

    at: Moment
    journey_id: str | None = None
    source: Source | None = None


class Sweep(Input, frozen=True, tag="sweep"):
    """A journey was archived: its ACTIVE enrolments end (R29)."""

    journey_id: str


class PlaceAnswer(Input, frozen=True, tag="answer"):
    """Whether a candidate is admitted to a journey with maxEnrollments (R5)."""

    enrollment_id: str
    journey_id: str
    admitted: bool


class MergeAway(Input, frozen=True, tag="merge-away"):
    """This customer was merged into another: enrolments end, profile and history go to the survivor (R27)."""

    into: str
    event_id: str
    at: Moment


class MergeIn(Input, frozen=True, tag="merge-in"):
    """What the customer merged away leaves to the survivor (R27)."""

    merged: str
    event_id: str
    at: Moment
    profile: dict[str, Any] = {}
    history: dict[str, dict[str, EntryHistory]] = {}
    watched: tuple[Watch, ...] = ()


class OptOut(Input, frozen=True, tag="opt-out"):
    """An opt-out that came under the id of a customer who was merged away, sent on to the survivor (R24).

    `event_id` and `event_type` are of the event that it came by, `passed` are the customers it has passed.
    """

    event_id: str
    event_type: str
    at: Moment
    channels: tuple[str, ...] = ()
    everything: bool = False
    passed: tuple[str, ...] = ()


CustomerInput = Arrived | Due | FailWait | Enroll | Exit | Sweep | PlaceAnswer | MergeAway | MergeIn | OptOut


class RequestPlace(Input, frozen=True, tag="ask"):
    """A candidate asks for a place in a journey; `partition` is the candidate's."""

    journey_id: str
    tenant_id: str
    customer_id: str
    enrollment_id: str


class ReleasePlace(Input, frozen=True, tag="release"):
    """An enrolment of a journey with maxEnrollments ended; its place is free again."""

    journey_id: str
    tenant_id: str
    customer_id: str


class CountActive(Input, frozen=True, tag="join"):
    """A partition tells how many ACTIVE enrolments it has, once, before it first asks for a place."""

    journey_id: str
    partition: int
    active: int


class RepairState(Input, frozen=True, tag="repair"):
    """Replace this customer's damaged row by what can be read of it or, with `discard`, by nothing."""

    at: Moment
    discard: bool = False


PlacesInput = RequestPlace | ReleasePlace | CountActive
InboxMessage = Arrived | Enroll | Exit | PlaceAnswer | MergeAway | MergeIn | OptOut | RepairState | PlacesInput
"""What travels by inbox: time comes to each partition by itself."""

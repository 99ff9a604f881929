"""One customer's state: profile, ACTIVE enrolments, entry history. One row of the customers table.

Structs, not pydantic: a row is read and written once per customer and commit (docs/decisions/002-msgspec.md).
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from models.messages import Moment

EVENTS_REMEMBERED = 256  # R7
_MARK = 8  # bytes kept of each event id's hash


class HeardEvent(msgspec.Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """An event that a WAIT may use when it is entered (R35), with the fields of its data that are kept (R37)."""

    at: Moment
    event_id: str
    kept: dict[str, Any] = {}
    left_out: tuple[str, ...] = ()


class Ended(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """How a WAIT ends whose time is not over: by an event, by its rules, or by a date that moved into the past.

    `until` is when it was to end. For an event, `listener` is its listener's place in the step, from 0; for a date,
    `policy` says what to do and `reason` why (R19).
    """

    at: Moment
    until: Moment | None
    event: HeardEvent | None = None
    listener: int = 0
    rules: list[dict[str, Any]] = []
    policy: str = ""
    reason: str = ""


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """When a SEND step emitted a command, on its n-th visit."""

    step: str
    visit: int
    at: Moment


class Memory(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """What an enrolment remembers because its journey listens.

    `since` says when steps were last entered that a WAIT counts events from, `events` has those that came before
    their WAIT, by its id and the listener's place; `kept` what was kept of events that ended a WAIT, by its id.
    `ended` says how the open WAIT ends when its paused journey is resumed, `followed` when the event occurred that
    changed the trigger's data last. `sent` are the newest commands of a journey with a goal; `goal` says that it is
    reached, or void: its rules held before.
    """

    since: dict[str, Moment] = {}
    events: dict[str, dict[int, HeardEvent]] = {}
    kept: dict[str, dict[str, Any]] = {}
    ended: Ended | None = None
    followed: Moment | None = None
    sent: tuple[Sent, ...] = ()
    goal: Literal["reached", "void"] | None = None


class Enrollment(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A customer's ACTIVE place in one version of a journey; finished ones leave the row.

    `step` is the id of the current step, `visits` counts entries of each step from 1, `skipped` are the steps
    already reported as out of reach. `event` is the envelope of the event that enrolled, `data` its data, as
    followed since (R42).
    """

    id: str
    journey_id: str
    version: int
    enrolled_at: Moment
    step: str
    key: str = ""
    entry: int = 1
    club_id: str | None = None
    event: dict[str, Any] = {}
    data: dict[str, Any] = {}
    entered_at: Moment | None = None
    waiting_until: Moment | None = None
    visits: dict[str, int] = {}
    skipped: tuple[str, ...] = ()
    variants: dict[str, str] = {}
    wait: dict[str, Any] = {}
    traceparent: str | None = None
    memory: Memory | None = None


class Watch(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """An enrolment that is over, whose goal still counts up to and including `until` (R40)."""

    id: str
    journey_id: str
    version: int
    enrolled_at: Moment
    until: Moment
    key: str = ""
    entry: int = 1
    event_id: str = ""
    variants: dict[str, str] = {}
    sent: tuple[Sent, ...] = ()
    is_void: bool = False


class Candidate(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """An entry that waits for admission to a journey with maxEnrollments (R5); counts as ACTIVE for R3."""

    id: str
    journey_id: str
    at: Moment
    key: str = ""
    entry: int = 1
    club_id: str | None = None
    event: dict[str, Any] = {}
    data: dict[str, Any] = {}
    traceparent: str | None = None


class EntryHistory(msgspec.Struct, frozen=True, gc=False, rename="camel", array_like=True):
    """How often a customer entered a journey with one enrollment key, and when last (R3)."""

    count: int
    last_enrolled_at: Moment


class Customer(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """Everything Fairway holds of one customer: enrolments and candidacies by enrollment id.

    It may be shared: only the engine replaces fields, and only of its own copy.

    `history` is by journey id, then enrollment key. `profile` holds the attributes; of these `timezone`,
    `subscriptions` ({channel: bool}) and `unsubscribed` have a meaning to the engine. `recent` is the last 256
    event ids, 8 bytes of BLAKE2b each, oldest first. `records` counts the activity records ever written for this
    customer. `deferred` holds inputs that came while the history of a merged customer was on its way (R27);
    `merged_into` is the survivor's id in the row of a customer who was merged away. `watched` are enrolments that
    are over and whose goals still count.
    """

    tenant_id: str
    customer_id: str
    profile: dict[str, Any] = {}
    enrollments: dict[str, Enrollment] = {}
    candidates: dict[str, Candidate] = {}
    history: dict[str, dict[str, EntryHistory]] = {}
    recent: bytes = b""
    records: int = 0
    merging: tuple[str, ...] = ()
    deferred: tuple[dict[str, Any], ...] = ()
    merged_into: str = ""
    watched: tuple[Watch, ...] = ()


_unmarked = blake2b(digest_size=_MARK)  # a copy of it takes half of the time of a new one


def fingerprint(event_id: str) -> bytes:
    """Return what is remembered of an event id."""
    digest = _unmarked.copy()
    digest.update(event_id.encode())
    return digest.digest()


def remembers(recent: bytes, event_mark: bytes) -> bool:
    """Say whether this event is among the last 256 of a customer (R7)."""
    found = recent.find(event_mark)
    while found > 0 and found % _MARK:  # a match across two marks is none
        found = recent.find(event_mark, found + 1)
    return found >= 0


def remember(recent: bytes, event_mark: bytes) -> bytes:
    """Return `recent` with this event as the newest."""
    return (recent + event_mark)[-_MARK * EVENTS_REMEMBERED :]


encode: Callable[[Customer], bytes] = msgspec.json.Encoder().encode
"""Returns the row as it stands in the store and on the changelog: JSON, readable with any Kafka tool."""

decode: Callable[[bytes], Customer] = msgspec.json.Decoder(Customer).decode
"""Returns the customer that a row holds; raises msgspec.DecodeError for a row that is none."""

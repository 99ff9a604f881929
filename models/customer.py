"""One customer's state: profile, ACTIVE enrolments, entry history. One row of the customers table.

Structs, not pydantic: a row is read and written once per customer and commit (docs/decisions/002-msgspec.md).
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b
from typing import Any

import msgspec

EVENTS_REMEMBERED = 256  # R7
_MARK = 8  # bytes kept of each event id's hash


class Enrollment(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """A customer's ACTIVE place in one version of a journey; finished ones leave the row.

    `step` is the id of the current step, `visits` counts entries of each step from 1, `skipped` are the steps
    already reported as out of reach. `event` is the envelope of the event that enrolled, `data` its data.
    """

    id: str
    journey_id: str
    version: int
    enrolled_at: datetime
    step: str
    key: str = ""
    entry: int = 1
    club_id: str | None = None
    event: dict[str, Any] = {}
    data: dict[str, Any] = {}
    entered_at: datetime | None = None
    waiting_until: datetime | None = None
    visits: dict[str, int] = {}
    skipped: tuple[str, ...] = ()
    variants: dict[str, str] = {}
    wait: dict[str, Any] = {}
    traceparent: str | None = None


class Candidate(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """An entry that waits for admission to a journey with maxEnrollments (R5); counts as ACTIVE for R3."""

    id: str
    journey_id: str
    at: datetime
    key: str = ""
    entry: int = 1
    club_id: str | None = None
    event: dict[str, Any] = {}
    data: dict[str, Any] = {}
    traceparent: str | None = None


class EntryHistory(msgspec.Struct, frozen=True, gc=False, rename="camel", array_like=True):
    """How often a customer entered a journey with one enrollment key, and when last (R3)."""

    count: int
    last_enrolled_at: datetime


class Customer(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """Everything Fairway holds of one customer: enrolments and candidacies by enrollment id.

    `history` is by journey id, then enrollment key. `profile` holds the attributes; of these `timezone`,
    `subscriptions` ({channel: bool}) and `unsubscribed` have a meaning to the engine. `recent` is the last 256
    event ids, 8 bytes of BLAKE2b each, oldest first. `records` counts the activity records ever written for this
    customer. `deferred` holds inputs that came while the history of a merged customer was on its way (R27);
    `merged_into` is the survivor's id in the row of a customer who was merged away.
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

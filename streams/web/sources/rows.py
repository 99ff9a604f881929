"""Rows of the customers table, as the worker that has their partition committed them last."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from models.customer import Customer, Enrollment, decode
from streams.engine.salvage import is_sound
from streams.web.access.masking import Mask
from streams.web.access.visitor import Tenants, Visitor
from streams.web.sources.worker import Store

INTERNAL = b":"
"""What keys begin with that are not of customers."""

_AT_ONCE = 200  # rows


class StateRow(msgspec.Struct, frozen=True):
    """A customer's row; `state` is as its reader may see it, None where the row is damaged."""

    tenant_id: str
    customer_id: str
    size: int
    enrollments: int = 0
    due: datetime | None = None
    state: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        """Return the row's key."""
        return f"{self.tenant_id}:{self.customer_id}"


def scan_rows(
    store: Store, visitor: Visitor, prefix: bytes = b"", after: bytes = b""
) -> Iterator[tuple[bytes, bytes]]:
    """Yield key and row of the customers whom a visitor may see, whose keys begin so and come after, in order.

    Only what is the visitor's own is looked at, however much others have.
    """
    for start in _narrow(prefix, visitor.tenants):
        place = max(after, _before(start))
        while found := store.scan(place, _AT_ONCE):
            place = found[-1][0]
            yield from (one for one in found if one[0].startswith(start) and not one[0].startswith(INTERNAL))
            if place > start and not place.startswith(start):
                break


def _narrow(prefix: bytes, tenants: Tenants) -> list[bytes]:
    """Return the prefixes that keys have which begin with this one and are of these tenants."""
    if tenants is None:
        return [prefix]
    own = sorted(f"{tenant}:".encode() for tenant in tenants)
    return [max(prefix, mine, key=len) for mine in own if prefix.startswith(mine) or mine.startswith(prefix)]


def _before(prefix: bytes) -> bytes:
    """Return a key that lies before all that begin with the prefix, and after nearly all others before them."""
    if not prefix or not prefix[-1]:
        return prefix[:-1]
    return prefix[:-1] + bytes([prefix[-1] - 1]) + b"\xff" * 8


def read_row(key: bytes, raw: bytes, mask: Mask) -> StateRow:
    """Return a row of the store as somebody with this mask may see it."""
    tenant, _, customer = key.decode(errors="replace").partition(":")
    try:
        row = decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return StateRow(tenant, customer, len(raw))
    if not is_sound(row):
        return StateRow(tenant, customer, len(raw))
    waits = (one.waiting_until for one in row.enrollments.values() if one.waiting_until)
    return StateRow(
        tenant, customer, len(raw), len(row.enrollments), min(waits, default=None), mask.customer(_plain(row))
    )


def find_enrollment(raw: bytes | None, enrollment_id: str) -> Enrollment | None:
    """Return an ACTIVE enrolment of a row of the store; None where the row has it not, or is damaged."""
    try:
        return decode(raw).enrollments.get(enrollment_id) if raw is not None else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _plain(row: Customer) -> dict[str, Any]:
    """Return a row as plain data; the hashes of event ids that it remembers tell nobody anything."""
    state: dict[str, Any] = msgspec.to_builtins(row, str_keys=True)
    state.pop("recent", None)
    return state

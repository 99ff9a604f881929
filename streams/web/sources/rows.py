"""Rows of the customers table, as the worker that has their partition committed them last."""

from datetime import datetime
from typing import Any

import msgspec

from models.customer import Customer, decode
from streams.web.access.masking import Mask

INTERNAL = b":"
"""What keys begin with that are not of customers."""


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


def read_row(key: bytes, raw: bytes, mask: Mask) -> StateRow:
    """Return a row of the store as somebody with this mask may see it."""
    tenant, _, customer = key.decode(errors="replace").partition(":")
    try:
        row = decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return StateRow(tenant, customer, len(raw))
    waits = (one.waiting_until for one in row.enrollments.values() if one.waiting_until)
    return StateRow(
        tenant, customer, len(raw), len(row.enrollments), min(waits, default=None), mask.customer(_plain(row))
    )


def _plain(row: Customer) -> dict[str, Any]:
    """Return a row as plain data; the hashes of event ids that it remembers tell nobody anything."""
    state: dict[str, Any] = msgspec.to_builtins(row, str_keys=True)
    state.pop("recent", None)
    return state

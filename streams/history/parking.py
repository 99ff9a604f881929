"""Activity records that history can't hold: put aside in Postgres, listed, and tried again when asked."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.printable import printable
from streams.history import statements as sql
from streams.kafka.topics import ACTIVITY

_log = structlog.get_logger()
_QUOTED = re.compile(r'"[^"]*"?')
PARKED = Counter("fairway_history_parked_total", "Activity records that history could not hold and put aside.")


class ActivityMessage(Protocol):
    """A record of the activity topic, as aiokafka gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Refused(NamedTuple):
    """A record that can't be written, and what says so."""

    message: ActivityMessage
    error: Exception


class _Owner(msgspec.Struct, rename="camel"):
    tenant_id: str | None = None
    customer_id: str | None = None


def is_erased(message: ActivityMessage, erased: Mapping[tuple[str, str], int]) -> bool:
    """Say whether a record came before the erasure of its customer, of which the offsets are given."""
    owner = find_owner(message)
    return message.offset < erased.get((owner.tenant_id or "", owner.customer_id or ""), 0)


async def park(connection: AsyncConnection, partition: int, refused: Sequence[Refused]) -> None:
    """Put records aside, in the transaction that moves the position past them."""
    for message, error in refused:
        owner = find_owner(message)
        row = {
            "topic": ACTIVITY, "partition": partition, "offset": message.offset, "record": message.value or b"",
            "error": explain(error), "tenant_id": owner.tenant_id, "customer_id": owner.customer_id,
        }  # fmt: skip
        await connection.execute(sql.PARK, row)


class Parked(msgspec.Struct, frozen=True, rename="camel"):
    """A parked record as it is listed; `size` is in bytes."""

    partition: int
    offset: int
    parked_at: datetime
    tenant_id: str | None
    customer_id: str | None
    size: int
    reason: str


async def list_parked(connection: AsyncConnection) -> list[Parked]:
    """Return all parked records, by partition and offset."""
    return [Parked(*row) for row in await connection.execute(sql.LIST_PARKED, {"topic": ACTIVITY})]


def report(partition: int, refused: Sequence[Refused]) -> None:
    """Count and log records that were put aside; without their data, which is personal."""
    PARKED.inc(len(refused))
    for message, error in refused:
        key = (message.key or b"").decode("utf-8", "replace")
        reason = getattr(getattr(error, "orig", None), "sqlstate", None) or type(error).__name__
        _log.error(
            "an activity record is parked", partition=partition, offset=message.offset, key=key, reason=reason
        )


def explain(error: Exception) -> str:
    """Return in a sentence why a record can't be written, without what stands in it."""
    if isinstance(error, DBAPIError):
        cause = str(getattr(error.orig, "__cause__", None) or error.orig)
        if str(getattr(error.orig, "sqlstate", None) or "22").startswith("22"):  # these quote the data
            cause = _QUOTED.sub("…", cause.partition(": ")[0])
        return f"Postgres refused it: {_shorten(cause)}."
    if isinstance(error, ValueError | RecursionError):
        return f"It is no activity record: {_shorten(str(error))}."
    return f"It can't be worked out ({type(error).__name__})."


def _shorten(text: str) -> str:
    return printable(text.partition("\n")[0].rstrip(".")[:500])


def find_owner(message: ActivityMessage) -> _Owner:
    """Return whose record it is, by its key or else its fields; nobody's where neither can be read."""
    tenant, colon, customer = (message.key or b"").decode("utf-8", "replace").replace("\0", "\ufffd").partition(":")
    if colon:
        return _Owner(tenant, customer)
    with suppress(ValueError, RecursionError):
        return msgspec.json.decode((message.value or b"").replace(rb"\u0000", rb"\ufffd"), type=_Owner)
    return _Owner()

"""Activity records that history can't hold: put aside in Postgres, listed, and tried again when asked."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.printable import printable
from streams.history import statements as sql
from streams.kafka.topics import ACTIVITY

_log = structlog.get_logger()
PARKED = Counter("fairway_history_parked_total", "Activity records that history could not hold and put aside.")


class ActivityMessage(Protocol):
    """A record of the activity topic, as aiokafka gives it."""

    offset: int
    key: bytes | None
    value: bytes | None


class Refused(NamedTuple):
    """A record that can't be written, and what says so."""

    message: ActivityMessage
    error: Exception


class _Owner(msgspec.Struct, rename="camel"):
    tenant_id: str | None = None
    customer_id: str | None = None


async def park(connection: AsyncConnection, partition: int, refused: Sequence[Refused]) -> None:
    """Put records aside, in the transaction that moves the position past them."""
    for message, error in refused:
        owner = find_owner(message)
        row = {
            "topic": ACTIVITY, "partition": partition, "offset": message.offset, "record": message.value or b"",
            "error": explain(error), "tenant_id": owner.tenant_id, "customer_id": owner.customer_id,
        }  # fmt: skip
        await connection.execute(sql.PARK, row)


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
    """Return in a sentence why a record can't be written."""
    if isinstance(error, DBAPIError):
        cause = getattr(error.orig, "__cause__", None) or error.orig
        return f"Postgres refused it: {_shorten(cause)}."
    if isinstance(error, ValueError | RecursionError):
        return f"It is no activity record: {_shorten(error)}."
    return f"It can't be worked out: {type(error).__name__}: {_shorten(error)}."


def _shorten(error: Any) -> str:
    line = str(error).partition("\n")[0].rstrip(".")
    return printable(line[:500])


def find_owner(message: ActivityMessage) -> _Owner:
    """Return whose record it is, by its key or else its fields; nobody's where neither can be read."""
    tenant, colon, customer = (message.key or b"").decode("utf-8", "replace").replace("\0", "\ufffd").partition(":")
    if colon:
        return _Owner(tenant, customer)
    with suppress(ValueError, RecursionError):
        return msgspec.json.decode((message.value or b"").replace(rb"\u0000", rb"\ufffd"), type=_Owner)
    return _Owner()

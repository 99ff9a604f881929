"""Activity records that history put aside, as pages show them."""

from sqlalchemy import func, select

from models.rows import ParkedRow
from streams.web.queries.cursors import Keyset, Moment, Number, Page
from streams.web.queries.query import PAGE, Query, Reader, Row

PARKED = Keyset(("at", Moment), ("partition", Number), ("offset", Number), down=True)
MOST = 10_000
"""Parked records are counted up to here."""
_LARGEST = 2**31, 2**63  # a partition, an offset


async def list_parked(reader: Reader, *, cursor: str | None = None, limit: int = PAGE) -> Page:
    """Return parked records of the visitor's tenants, those parked last first; each with its size in bytes."""
    table = ParkedRow
    query = _select(reader).where(*PARKED.beyond(table, cursor)).order_by(*PARKED.order(table)).limit(limit + 1)
    return PARKED.page(await reader.fetch(query), limit)


async def find_parked(reader: Reader, partition: int, offset: int) -> Row | None:
    """Return a parked record with its bytes, as far as the visitor may see them."""
    if partition >= _LARGEST[0] or offset >= _LARGEST[1]:
        return None
    where = ParkedRow.partition == partition, ParkedRow.offset == offset
    row = await reader.fetch_one(_select(reader).add_columns(ParkedRow.record).where(*where))
    return None if row is None else {**row, "record": reader.mask.record(row["record"])}


async def count_parked(reader: Reader) -> int:
    """Return how many records are parked; MOST stands for more, too."""
    some = reader.within(select(ParkedRow.offset), ParkedRow.tenant_id).limit(MOST)
    return int(await reader.scalar(select(func.count()).select_from(some.subquery())))


def _select(reader: Reader) -> Query:
    table = ParkedRow
    columns = table.partition, table.offset, table.at, table.tenant_id, table.customer_id, table.error
    return reader.within(select(*columns, func.length(table.record).label("size")), table.tenant_id)

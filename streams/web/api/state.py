"""How customers stand now: read where their partition is, as the worker that has it committed it last."""

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from models.ids import customer_key
from streams.web.access.masking import Mask
from streams.web.api.parameters import After, By, From, tenant_for
from streams.web.api.shapes import CustomerId, State, States, Tenant
from streams.web.queries.cursors import Text, read_cursor, write_cursor
from streams.web.sources.rows import read_row
from streams.web.sources.worker import Table, open_store

router = APIRouter(tags=["live state"])
_SCANNED = 50  # rows at once


@router.get("/customers/{tenant}/{customer}/state", response_model=State)
async def show_state(
    sources: From, visitor: By, request: Request, tenant: Tenant, customer: CustomerId
) -> State | Response:
    """Show how a customer stands now; asked of any worker, answered by the one that has the partition."""
    key = customer_key(tenant_for(visitor, tenant), customer)
    partition = sources.table.partition_of(key)
    store = open_store(sources.table, partition)
    if store is None:
        return await sources.peers.ask_owner(request, partition)
    raw = store.get(key)
    row = read_row(key, raw, sources.mask_for(visitor)) if raw is not None else None
    as_of = {"partition": partition, "offset": store.offset}
    state, is_damaged = (row.state, row.state is None) if row else (None, False)
    return State(customer_id=customer, state=state, damaged=is_damaged, as_of=as_of)


@router.get("/tenants/{tenant}/states")
async def list_states(
    sources: From, visitor: By, request: Request, tenant: Tenant,
    limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: After = None,
) -> States:  # fmt: skip
    """List how a tenant's customers stand now, by id, from all workers that answer.

    What is missing is said: `workers` of which so many `answered`, `partitions` of which so many were `open`.
    """
    start = read_cursor(cursor, tuple[Text])[0] if cursor is not None else ""
    table, place = sources.table, customer_key(tenant_for(visitor, tenant), start)
    mine = islice(_list_here(table, place, tenant, sources.mask_for(visitor)), limit + 1)
    rows = [State.model_validate(row) for row in mine]
    parts, others = await sources.peers.ask_all(request, States.model_validate_json)
    is_open = sum(open_store(table, number) is not None for number in table.tasks)
    rows += [row for part in parts for row in part.items]
    rows.sort(key=lambda row: row.customer_id.encode())
    is_more = len(rows) > limit or any(part.next for part in parts)
    return States(
        items=rows[:limit], next=write_cursor([rows[limit - 1].customer_id]) if is_more else None,
        workers=1 + others, answered=1 + len(parts), partitions=table.partitions,
        open=is_open + sum(part.open for part in parts),
    )  # fmt: skip


def _list_here(table: Table, after: bytes, tenant: str, mask: Mask) -> Iterator[dict[str, Any]]:
    """Yield the tenant's rows of this worker's partitions above a key, in order."""
    for key, partition, offset, raw in heapq.merge(*(_scan(table, number, after) for number in table.tasks)):
        row = read_row(key, raw, mask)
        if row.tenant_id != tenant:
            return
        as_of = {"partition": partition, "offset": offset}
        yield {"customer_id": row.customer_id, "state": row.state, "damaged": row.state is None, "as_of": as_of}


def _scan(table: Table, partition: int, after: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    while (store := open_store(table, partition)) is not None and (page := store.scan(after, _SCANNED)):
        after = page[-1][0]
        yield from ((key, partition, store.offset, row) for key, row in page)

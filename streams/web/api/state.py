"""How customers stand now: read where their partition is, as the worker that has it committed it last."""

import heapq
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response

from models.customer import decode
from models.ids import customer_key
from streams.web.access.masking import show
from streams.web.api.parameters import After, Asked, Who, read_cursor, tenant_for, write_cursor
from streams.web.api.shapes import CustomerId, State, States, Tenant
from streams.web.pages.site import Site
from streams.web.sources.worker import open_store

router = APIRouter(tags=["live state"])


@router.get("/customers/{tenant}/{customer}/state", response_model=State)
async def show_state(
    site: Asked, visitor: Who, request: Request, tenant: Tenant, customer: CustomerId
) -> State | Response:
    """Show how a customer stands now; asked of any worker, answered by the one that has the partition."""
    key = customer_key(tenant_for(visitor, tenant), customer)
    partition = site.table.partition_of(key)
    store = open_store(site.table, partition)
    if store is None:
        return await site.peers.ask_owner(request, partition)
    row = store.get(key)
    as_of = {"partition": partition, "offset": store.offset}
    return State(customer_id=customer, state=show(site, visitor, _tell(row) if row else None), as_of=as_of)


@router.get("/tenants/{tenant}/states")
async def list_states(
    site: Asked, visitor: Who, request: Request, tenant: Tenant,
    limit: Annotated[int, Query(ge=1, le=200)] = 50, after: After = None,
) -> States:  # fmt: skip
    """List how a tenant's customers stand now, by id, from all workers that answer.

    What is missing is said: `workers` of which so many `answered`, `partitions` of which so many were `open`.
    """
    start = read_cursor(after, str)
    place = customer_key(tenant_for(visitor, tenant), start[0] if start else "")
    mine = [show(site, visitor, row) for row in islice(_list_here(site, place, tenant), limit + 1)]
    parts, others = await site.peers.ask_all(request)
    is_open = sum(open_store(site.table, number) is not None for number in site.table.tasks)
    rows = [State.model_validate(row) for row in mine]
    rows += [State.model_validate(row) for part in parts for row in part["items"]]
    rows.sort(key=lambda row: row.customer_id.encode())
    is_more = len(rows) > limit or any(part["next"] for part in parts)
    return States(
        items=rows[:limit], next=write_cursor(rows[limit - 1].customer_id) if is_more else None,
        workers=1 + others, answered=1 + len(parts), partitions=site.table.partitions,
        open=is_open + sum(part["open"] for part in parts),
    )  # fmt: skip


def _list_here(site: Site, after: bytes, tenant: str) -> Iterator[dict[str, Any]]:
    """Yield the tenant's rows of this worker's partitions above a key, in order."""
    for key, partition, offset, row in heapq.merge(*(_scan(site, number, after) for number in site.table.tasks)):
        owner, _, customer = key.decode().partition(":")
        if owner != tenant:
            return
        as_of = {"partition": partition, "offset": offset}
        yield {"customer_id": customer, "state": _tell(row), "as_of": as_of}


def _scan(site: Site, partition: int, after: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    while (store := open_store(site.table, partition)) is not None and (page := store.scan(after, 50)):
        after = page[-1][0]
        yield from ((key, partition, store.offset, row) for key, row in page)


def _tell(row: bytes) -> Any:
    """Return a row as plain data; the hashes of event ids that it remembers tell nobody anything."""
    state = msgspec.to_builtins(decode(row), str_keys=True)
    state.pop("recent", None)
    return state

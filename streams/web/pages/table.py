"""The customers table: rows by partition, each shown by the worker that has it."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.web.access.masking import Mask
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.pages.addresses import with_query
from streams.web.pages.rendering import render
from streams.web.queries.query import PAGE
from streams.web.sources.peers import is_passed_on
from streams.web.sources.rows import INTERNAL, StateRow, read_row
from streams.web.sources.sources import sources_of
from streams.web.sources.worker import Store, open_store

_COUNTED = 5_000  # rows, above which a partition is not counted to its end


async def show(request: Request) -> Response:
    """Browse the rows of a partition from a key prefix on; another worker's partition is shown by that worker."""
    sources, visitor, given = sources_of(request), visitor_of(request), request.query_params
    table, chosen = sources.table, given.get("partition", "")
    partition = int(chosen) if chosen.isdecimal() and len(chosen) < 6 else min(table.tasks, default=0)
    prefix, after, trouble = given.get("prefix", ""), given.get("after", ""), ""
    store = open_store(table, partition)
    if store is None:
        try:
            return await sources.peers.ask_owner(request, partition)
        except HTTPException as error:
            trouble = error.detail
    start = after.encode() or _before(prefix.encode())
    rows = _scan(store, prefix.encode(), start, visitor, sources.mask_for(visitor)) if store else []
    newest = sources.samples.newest
    last = rows[PAGE - 1].key if len(rows) > PAGE else ""
    return render(
        request, "table.html", partition=partition, prefix=prefix, store=store, rows=rows[:PAGE],
        owners={number: one for one in newest.members for number in one.partitions} if newest else {},
        older=with_query("/table", {"partition": partition, "prefix": prefix, "after": last}) if last else None,
        newest=with_query("/table", {"partition": partition, "prefix": prefix}) if after else None,
        changelog=table.changelog, partitions=table.partitions, tasks=table.tasks,
        counted=_count(store) if store else None, trouble=trouble, passed_on=is_passed_on(request),
    )  # fmt: skip


def _scan(store: Store, prefix: bytes, after: bytes, visitor: Visitor, mask: Mask) -> list[StateRow]:
    """Return up to 51 rows whose keys begin so and come after, those that may be seen."""
    rows: list[StateRow] = []
    while len(rows) <= PAGE and (found := store.scan(after, 4 * PAGE)):
        after = found[-1][0]
        for key, raw in found:
            tenant = key.partition(b":")[0].decode(errors="replace")
            if not key.startswith(INTERNAL) and key.startswith(prefix) and visitor.sees(tenant):
                rows.append(read_row(key, raw, mask))
        if after > prefix and not after.startswith(prefix):
            break
    return rows


def _before(prefix: bytes) -> bytes:
    """Return a key that lies before all that begin with the prefix, and after nearly all others before them."""
    if not prefix or not prefix[-1]:
        return prefix[:-1]
    return prefix[:-1] + bytes([prefix[-1] - 1]) + b"\xff" * 8


def _count(store: Store) -> tuple[int, int, bool]:
    """Return how many customers' rows a partition has, their bytes, and whether there are more."""
    rows = size = 0
    after = b""
    while rows < _COUNTED and (found := store.scan(after, 1000)):
        after = found[-1][0]
        mine = [raw for key, raw in found if not key.startswith(INTERNAL)]
        rows, size = rows + len(mine), size + sum(map(len, mine))
    return rows, size, rows >= _COUNTED


ROUTES = [Route("/table", show)]

"""The customers table: rows by partition, each shown by the worker that has it."""

from itertools import islice

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.web.access.masking import Mask
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.pages.addresses import with_query
from streams.web.pages.rendering import render
from streams.web.queries.query import PAGE
from streams.web.sources.peers import is_passed_on
from streams.web.sources.rows import StateRow, read_row, scan_rows
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
    owners = {one.partition: one.worker for one in sources.watch.observe(read_clock()).partitions if one.worker}
    mask = sources.mask_for(visitor)
    rows, last = _read_page(store, prefix.encode(), after.encode(), visitor, mask) if store else ([], "")
    return render(
        request, "table.html", partition=partition, prefix=prefix, store=store, rows=rows,
        owners=owners,
        older=with_query("/table", {"partition": partition, "prefix": prefix, "after": last}) if last else None,
        newest=with_query("/table", {"partition": partition, "prefix": prefix}) if after else None,
        changelog=table.changelog, partitions=table.partitions, tasks=table.tasks,
        counted=_count(store, visitor) if store else None, trouble=trouble, passed_on=is_passed_on(request),
    )  # fmt: skip


def _read_page(
    store: Store, prefix: bytes, after: bytes, visitor: Visitor, mask: Mask
) -> tuple[list[StateRow], str]:
    """Return up to 50 rows whose keys begin so and come after, and the key to go on after, if there are more."""
    found = islice(scan_rows(store, visitor, prefix, after), PAGE + 1)
    rows = [read_row(key, raw, mask) for key, raw in found]
    return rows[:PAGE], rows[PAGE - 1].key if len(rows) > PAGE else ""


def _count(store: Store, visitor: Visitor) -> tuple[int, int, bool]:
    """Return how many rows that a visitor may see a partition has, their bytes, and whether there are more."""
    sizes = [len(raw) for _, raw in islice(scan_rows(store, visitor), _COUNTED)]
    return len(sizes), sum(sizes), len(sizes) == _COUNTED


ROUTES = [Route("/table", show)]

"""Customers: who they are, where they are on their way, and why not."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.ids import customer_key
from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import missing, newest, older
from streams.web.pages.rendering import render
from streams.web.pages.timeline import describe_records, describe_refusals
from streams.web.queries import history, journeys, search
from streams.web.queries.query import Row, read_id
from streams.web.sources.rows import StateRow, read_row
from streams.web.sources.sources import reading, sources_of
from streams.web.sources.worker import open_store

_REFUSALS = 20


async def show_customer(request: Request) -> Response:
    """Show a customer: profile, enrolments, why not, everything that happened, and the row in the table."""
    given = request.query_params
    tenant, id_, journey_id = given.get("tenant", ""), given.get("id", ""), read_id(given.get("journey", ""))
    if not visitor_of(request).sees(tenant):
        raise missing("There is no such customer.")
    async with reading(request) as reader:
        row = await history.find_customer(reader, tenant, id_)
        enrollments = await history.list_customer_enrollments(reader, tenant, id_)
        refused = await history.list_activity(reader, tenant, id_, history.Records(refused=True))
        page = await history.list_activity(reader, tenant, id_, cursor=given.get("before") or None)
        asked = await journeys.find_journey(reader, journey_id) if journey_id else None
        mentioned = {one["journey_id"] for one in enrollments} | _mentioned(page.rows)
        names = await journeys.name_journeys(reader, mentioned)
        step_names = await journeys.name_steps(reader, mentioned)
    place = _read_place(request, tenant, id_)
    mine = [one for one in enrollments if not journey_id or one["journey_id"] == journey_id]
    if row is None and place.row is None and not asked:
        return _tell_unknown(request, tenant, id_)
    return render(
        request, "customer.html", tenant=tenant, id=id_, row=row, asked=asked, place=place,
        dead=_count_letters(request, tenant, id_),
        rows=mine, left=[one for one in mine if one["status"] in ("EXITED", "FAILED")][:_REFUSALS],
        why=describe_refusals(refused.rows, journey_id)[:_REFUSALS],
        records=describe_records(page.rows), names=names, step_names=step_names,
        older=older(request, page.next), newest=newest(request),
        nobody="This customer has entered no journey." if not asked else "This customer is not in this journey.",
    )  # fmt: skip


def _tell_unknown(request: Request, tenant: str, customer_id: str) -> Response:
    """Say where else to look for what became of the events of a customer of whom there is no record."""
    dead = _count_letters(request, tenant, customer_id)
    return render(request, "customer-unknown.html", 404, tenant=tenant, id=customer_id, dead=dead)


def _count_letters(request: Request, tenant: str, customer_id: str) -> int:
    """Return how many dead letters name a customer and this tenant or none, as of the last sample."""
    visitor = visitor_of(request)
    every = sources_of(request).dead_letters.index.find(customer=customer_id)
    return sum(one.tenant in (tenant, "") and visitor.sees(one.tenant) for one in every)


def _mentioned(records: list[Row]) -> set[str]:
    entries = (entry for record in records for entry in record["entries"])
    return {entry["journeyId"] for entry in entries if entry.get("journeyId")}


class _Place(msgspec.Struct, frozen=True):
    """Where a customer's row lies; `offset` is None where that is on another worker."""

    partition: int
    offset: int | None
    row: StateRow | None


def _read_place(request: Request, tenant: str, customer_id: str) -> _Place:
    """Return where a customer's row lies, and if that is here, the row as of the last commit."""
    sources, key = sources_of(request), customer_key(tenant, customer_id)
    partition = sources.table.partition_of(key)
    store = open_store(sources.table, partition)
    if store is None:
        return _Place(partition, None, None)
    raw = store.get(key)
    mask = sources.mask_for(visitor_of(request))
    return _Place(partition, store.offset, read_row(key, raw, mask) if raw is not None else None)


async def show_customers(request: Request) -> Response:
    """Show whom one could look for: the customers of the newest enrolments."""
    async with reading(request) as reader:
        rows = await search.list_newest(reader)
        mentioned = {row["journey_id"] for row in rows}
        names = await journeys.name_journeys(reader, mentioned)
        step_names = await journeys.name_steps(reader, mentioned)
    return render(
        request, "customers.html", rows=rows, names=names, step_names=step_names, older=None, newest=None,
        nobody="As soon as an event enters a journey, its customer is listed here.",
    )  # fmt: skip


ROUTES = [Route("/customer", show_customer), Route("/customers", show_customers)]

"""Customers: who they are, where they are on their way, why not; and how to find them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from models.customer import decode
from models.ids import customer_key
from streams.history.wording import describe
from streams.web.access.masking import show, show_row
from streams.web.pages.site import missing, read_id, site_of, visitor_of, with_query
from streams.web.pages.timeline import describe_records, older, read_place
from streams.web.queries import history, search
from streams.web.queries.query import PAGE, Row
from streams.web.sources.worker import open_store

# --- a customer -------------------------------------------------------------------------------------------------


async def show_customer(request: Request) -> Response:
    """Show a customer: profile, enrolments, why not, everything that happened, and the row in the table."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    tenant, id_, journey_id = given.get("tenant", ""), given.get("id", ""), read_id(given.get("journey", ""))
    if not visitor.sees(tenant):
        raise missing("There is no such customer.")
    async with site.engine.connect() as connection:
        row = await history.find_customer(connection, visitor.tenants, tenant, id_)
        enrollments = await history.list_customer_enrollments(connection, tenant, id_)
        refusals = await history.list_activity(connection, tenant, id_, refused=True)
        records = await history.list_activity(connection, tenant, id_, before=read_place(given.get("before")))
        asked = await history.find_journey(connection, visitor.tenants, journey_id) if journey_id else None
        mentioned = {one["journey_id"] for one in enrollments}
        mentioned |= {
            entry["journeyId"] for record in records for entry in record["entries"] if entry.get("journeyId")
        }
        names = await history.journey_names(connection, mentioned)
        step_names = await history.step_names(connection, mentioned)
    row = show_row(site, visitor, row) if row else None
    refusals, records = ([show_row(site, visitor, one) for one in found] for found in (refusals, records))
    why = _list_refusals(refusals, journey_id)
    state = _read_row(request, tenant, id_)
    if row is None and state["customer"] is None and not asked:
        raise missing(f"Tenant '{tenant}' has no customer '{id_}' that any journey or profile event has reached.")
    shown = [one for one in enrollments if not journey_id or one["journey_id"] == journey_id]
    return site.render(
        request, "customer.html", tenant=tenant, id=id_, row=row, rows=shown, why=why, asked=asked, state=state,
        records=describe_records(records[:PAGE]), names=names, step_names=step_names,
        older=older(request, records), newest=None,
        nobody="This customer has entered no journey." if not asked else "This customer is not in this journey.",
    )  # fmt: skip


def _list_refusals(records: Sequence[Row], journey_id: str) -> list[tuple[Row, Any]]:
    return [
        (record, describe(entry))
        for record in records
        for entry in record["entries"]
        if entry["type"] == "enrollment.refused" and (not journey_id or entry.get("journeyId") == journey_id)
    ][:20]


def _read_row(request: Request, tenant: str, customer_id: str) -> dict[str, Any]:
    """Return where a customer's row lies, and if that is here, the row as of the last commit."""
    site = site_of(request)
    table = site.table
    key = customer_key(tenant, customer_id)
    partition = table.partition_of(key)
    store = open_store(table, partition)
    raw = store.get(key) if store else None
    return {
        "partition": partition,
        "here": store is not None,
        "offset": store.offset if store else None,
        "size": len(raw or b""),
        "raw": show(site, visitor_of(request), msgspec.json.decode(raw)) if raw else None,
        "customer": decode(raw) if raw else None,
    }


# --- finding ----------------------------------------------------------------------------------------------------


async def find(request: Request) -> Response:
    """Find a customer, an enrolment, a command or a journey by id, and go there if there is just one."""
    site, visitor = site_of(request), visitor_of(request)
    query = request.query_params.get("q", "").strip()
    id_ = read_id(query)
    async with site.engine.connect() as connection:
        if id_ and await history.find_enrollment(connection, visitor.tenants, id_):
            return RedirectResponse(f"/enrollments/{id_}", 303)
        sent = await search.find_command(connection, visitor.tenants, id_) if id_ else None
        if sent:
            return RedirectResponse(f"/enrollments/{sent['id']}#step-{sent['step_id']}", 303)
        if id_ and await history.find_journey(connection, visitor.tenants, id_):
            return RedirectResponse(f"/journeys/{id_}", 303)
        customers = await search.find_customers(connection, visitor.tenants, query) if query else []
        journeys = await history.list_journeys(connection, visitor.tenants, part=query, limit=20) if query else []
    if len(customers) == 1:
        wanted = {"tenant": customers[0]["tenant_id"], "id": query}
        return RedirectResponse(with_query("/customer", wanted), 303)
    return site.render(request, "search.html", query=query, customers=customers, journeys=journeys)


async def show_customers(request: Request) -> Response:
    """Show whom one could look for: the customers of the newest enrolments."""
    site, visitor = site_of(request), visitor_of(request)
    async with site.engine.connect() as connection:
        rows = await search.list_newest(connection, visitor.tenants)
        mentioned = {row["journey_id"] for row in rows}
        names = await history.journey_names(connection, mentioned)
        step_names = await history.step_names(connection, mentioned)
    return site.render(
        request, "customers.html", rows=rows, names=names, step_names=step_names, older=None, newest=None,
        nobody="As soon as an event enters a journey, its customer is listed here.",
    )  # fmt: skip


ROUTES = [
    Route("/customer", show_customer),
    Route("/customers", show_customers),
    Route("/search", find),
]

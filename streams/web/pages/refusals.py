"""Whom a journey refused lately, and why."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.history.wording import REFUSALS, describe, describe_cause
from streams.web.access.masking import show_row
from streams.web.pages.site import missing, site_of, visitor_of, with_query
from streams.web.pages.timeline import read_place, write_place
from streams.web.queries import history


async def show_refusals(request: Request) -> Response:
    """List the newest refusals of a journey, for one reason or for any."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    reason, before = given.get("reason", ""), read_place(given.get("before"))
    async with site.engine.connect() as connection:
        row = await history.find_journey(connection, visitor.tenants, str(request.path_params["journey"]))
        if row is None:
            raise missing("There is no such journey.")
        records, rest = await history.list_refusals(connection, row, reason, before)
    told = [
        (record, describe(entry))
        for record in (show_row(site, visitor, one) for one in records)
        for entry in record["entries"]
        if entry["type"] == "enrollment.refused" and entry["journeyId"] == row["id"]
        if not reason or entry["reason"] == reason
    ]
    here = request.url.path
    return site.render(
        request, "refusals.html", row=row, told=told, reason=reason, reasons=REFUSALS, cause=describe_cause,
        older=with_query(here, {"reason": reason, "before": write_place(*rest)}) if rest else None,
        newest=with_query(here, {"reason": reason}) if before else None,
        nobody="Events that do not enter this journey are listed here, with the reason." if not rest
        else f"None of {history.LOOKED_THROUGH:,} refusals that were looked through; older ones may be its.",
    )  # fmt: skip


ROUTES = [Route("/journeys/{journey:uuid}/refusals", show_refusals)]

"""Whom a journey refused lately, and why."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.history.wording import REFUSALS
from streams.web.pages.addresses import missing, newest, older
from streams.web.pages.rendering import render
from streams.web.pages.timeline import describe_refusals
from streams.web.queries import history, journeys
from streams.web.sources.sources import reading


async def show_refusals(request: Request) -> Response:
    """List the newest refusals of a journey, for one reason or for any."""
    given = request.query_params
    reason, cursor = given.get("reason", ""), given.get("before") or None
    async with reading(request) as reader:
        row = await journeys.find_journey(reader, str(request.path_params["journey"]))
        if row is None:
            raise missing("There is no such journey.")
        page = await history.list_refusals(reader, row, reason, cursor=cursor)
    return render(
        request, "refusals.html", row=row, refusals=describe_refusals(page.rows, row["id"], reason),
        reason=reason, reasons=REFUSALS,
        older=older(request, page.next), newest=newest(request),
        nobody="Events that do not enter this journey are listed here, with the reason." if not page.next
        else f"None of {history.LOOKED_THROUGH:,} refusals that were looked through; older ones may be its.",
    )  # fmt: skip


ROUTES = [Route("/journeys/{journey:uuid}/refusals", show_refusals)]

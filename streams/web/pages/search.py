"""Finding: an id leads to its page, a part of a name to the journeys that have it."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from streams.web.pages.addresses import with_query
from streams.web.pages.rendering import render
from streams.web.queries import history, journeys, search
from streams.web.queries.query import Reader, read_id
from streams.web.sources.sources import reading

_JOURNEYS = 20


async def find(request: Request) -> Response:
    """Find a customer, an enrolment, a command or a journey, and go there if there is just one."""
    query = request.query_params.get("q", "").strip()
    async with reading(request) as reader:
        if place := await _find_id(reader, read_id(query)):
            return RedirectResponse(place, 303)
        customers = await search.find_customers(reader, query) if query else []
        wanted = journeys.Filter(part=query)
        named = (await journeys.list_journeys(reader, wanted, limit=_JOURNEYS)).rows if query else []
    if len(customers) == 1:
        only = {"tenant": customers[0]["tenant_id"], "id": query}
        return RedirectResponse(with_query("/customer", only), 303)
    return render(request, "search.html", query=query, customers=customers, journeys=named)


async def _find_id(reader: Reader, id_: str) -> str:
    """Return the address of what has this UUID; empty if nothing has."""
    if not id_:
        return ""
    if await history.find_enrollment(reader, id_):
        return f"/enrollments/{id_}"
    if sent := await search.find_command(reader, id_):
        return f"/enrollments/{sent['id']}#step-{sent['step_id']}"
    return f"/journeys/{id_}" if await journeys.find_journey(reader, id_) else ""


ROUTES = [Route("/search", find)]

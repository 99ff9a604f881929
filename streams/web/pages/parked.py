"""Activity records that history could not hold: why, and what they say."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.web.pages.addresses import missing, newest, older
from streams.web.pages.rendering import render
from streams.web.queries.parked import find_parked, list_parked
from streams.web.sources.sources import reading


async def show_all(request: Request) -> Response:
    """List parked records, those parked last first."""
    async with reading(request) as reader:
        page = await list_parked(reader, cursor=request.query_params.get("before") or None)
    return render(request, "parked.html", rows=page.rows, older=older(request, page.next), newest=newest(request))


async def show_one(request: Request) -> Response:
    """Show one parked record: whose it is, why it was put aside, and what it says."""
    async with reading(request) as reader:
        row = await find_parked(reader, request.path_params["partition"], request.path_params["offset"])
    if row is None:
        raise missing("There is no such parked record; it may have been written in the meantime.")
    return render(request, "parked-record.html", row=row)


ROUTES = [Route("/parked", show_all), Route("/parked/{partition:int}/{offset:int}", show_one)]

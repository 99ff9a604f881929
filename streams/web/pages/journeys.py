"""Journeys: all of them, with their last day in numbers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import JourneyStatus
from streams.clock import now as read_clock
from streams.web.charts import charts
from streams.web.pages.addresses import newest, older, with_query
from streams.web.pages.formats import number
from streams.web.pages.live import Values
from streams.web.pages.rendering import render
from streams.web.queries import journeys, totals
from streams.web.queries.cursors import Page
from streams.web.queries.query import PAGE, Reader, Row
from streams.web.sources.sources import reading

_LINE = {"width": 120.0, "height": 28.0}
_ENDS = ("completed", "exited", "failed")


async def show(request: Request) -> Response:
    """List journeys."""
    given = request.query_params
    async with reading(request) as reader:
        page = await _read_page(request, reader)
        today, lines = await _read_day(reader, page.rows)
    return render(
        request, "journeys.html", rows=page.rows, today=today, lines=lines, name=given.get("name", ""),
        status=given.get("status", ""), statuses=list(JourneyStatus), active=totals.still_in,
        area=lambda line: charts.area(line, **_LINE), live=with_query("/live/journeys", given),
        older=older(request, page.next), newest=newest(request),
    )  # fmt: skip


async def _read_page(request: Request, reader: Reader) -> Page:
    """Return the journeys that an address asks for."""
    given = request.query_params
    wanted = journeys.Filter(status=given.get("status"), part=given.get("name", ""))
    return await journeys.list_journeys(reader, wanted, cursor=given.get("before") or None, limit=PAGE)


async def read(request: Request) -> Values:
    """Return the live values of the list."""
    async with reading(request) as reader:
        rows = (await _read_page(request, reader)).rows
        today, lines = await _read_day(reader, rows)
    values: Values = {}
    for row in rows:
        id_ = row["id"]
        values[f"active.{id_}"] = number(totals.still_in(row))
        values[f"line.{id_}"], values[f"line.{id_}.area"] = lines[id_], charts.area(lines[id_], **_LINE)
        for what in ("enrolled", *_ENDS):
            values[f"{what}.{id_}"] = number(today.get(id_, {}).get(what, 0))
    return values


async def _read_day(reader: Reader, rows: Sequence[Row]) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """Return today's counts by journey and kind, and a line of the last 24 hours' entries by journey."""
    hour = read_clock().replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(hours=back) for back in range(23, -1, -1)]
    found = await totals.count_hours(reader, [row["id"] for row in rows], hours[0])
    midnight = hour.replace(hour=0)
    today = {id_: {what: _since(midnight, by) for what, by in kinds.items()} for id_, kinds in found.items()}
    lines = {}
    for row in rows:
        entered = found.get(row["id"], {}).get("enrolled", {})
        lines[row["id"]] = charts.line([entered.get(at, 0) for at in hours], **_LINE)
    return today, lines


def _since(start: datetime, by_hour: Mapping[datetime, int]) -> int:
    return sum(count for hour, count in by_hour.items() if hour >= start)


ROUTES = [Route("/journeys", show)]

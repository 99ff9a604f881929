"""Waits: when those who wait go on, and who is overdue."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.health.wording import span
from streams.web.charts import charts
from streams.web.pages.formats import capped
from streams.web.pages.rendering import render
from streams.web.queries import journeys, totals
from streams.web.sources.sources import reading

SPANS: dict[str, tuple[timedelta, int, tuple[str, ...]]] = {
    "hour": (timedelta(minutes=1), 60, ("now", "15 min", "30 min", "45 min", "1 h")),
    "day": (timedelta(minutes=30), 48, ("now", "6 h", "12 h", "18 h", "24 h")),
    "week": (timedelta(hours=2), 84, ("now", *(f"{day} d" for day in range(1, 8)))),
}
_FAR = timedelta(days=36_500)


async def show(request: Request) -> Response:
    """Show when waits are due, and which are overdue or next."""
    given = request.query_params
    within = given.get("within", "") if given.get("within") in SPANS else "day"
    width, bars, ticks = SPANS[within]
    now, is_late = read_clock(), given.get("show") == "overdue"
    async with reading(request) as reader:
        waiting = await totals.count_waiting(reader)
        overdue = await totals.count_overdue(reader, now)
        counts = await totals.count_due(reader, now, width, bars)
        rows = await totals.list_waits(reader, *((None, now) if is_late else (now, now + _FAR)))
        mentioned = {row["journey_id"] for row in rows}
        names = await journeys.name_journeys(reader, mentioned)
        step_names = await journeys.name_steps(reader, mentioned)
    labels = [f"due in {span(place * width)} to {span((place + 1) * width)}" for place in range(bars)]
    return render(
        request, "waits.html", within=within, spans=list(SPANS), waiting=waiting, due=sum(counts),
        overdue=capped(overdue, totals.MOST),
        bars=charts.bars(counts, labels), ticks=ticks, most=max(counts, default=0),
        rows=rows, names=names, step_names=step_names,
        is_late=is_late, older=None, newest=None,
        nobody="No wait is overdue: all is on time." if is_late else "Nobody waits. WAIT steps fill this list.",
    )  # fmt: skip


ROUTES = [Route("/waits", show)]

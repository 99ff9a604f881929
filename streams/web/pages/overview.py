"""The overview: how much comes in and goes out, what is behind, who works on what."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.history.wording import REFUSALS
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.charts import charts
from streams.web.pages.formats import NONE, capped, number, span
from streams.web.pages.live import Values
from streams.web.pages.rendering import render
from streams.web.queries import totals
from streams.web.queries.parked import MOST, count_parked
from streams.web.sources.samples import EVERY, KEPT, Sample, Samples
from streams.web.sources.sources import reading, sources_of


async def show(request: Request) -> Response:
    """Show the overview."""
    sources = sources_of(request)
    values, table = await read(request), sources.table
    async with reading(request) as reader:
        refusals = await totals.count_refusals(reader)
        failing = await totals.list_failing(reader)
        parked = await count_parked(reader)
    return render(
        request, "overview.html", values=values, newest=sources.samples.newest, refusals=refusals,
        failing=failing, channels=_channels(sources.samples, visitor_of(request)), reasons=REFUSALS,
        parked=capped(parked, MOST),
        tasks=[table.tasks[number] for number in sorted(table.tasks)],
        minutes=round(KEPT * EVERY / timedelta(minutes=1)), partitions=table.partitions,
    )  # fmt: skip


async def read(request: Request) -> Values:
    """Return the overview's live values."""
    sources, visitor, now = sources_of(request), visitor_of(request), read_clock()
    async with reading(request) as reader:
        waiting = await totals.count_waiting(reader)
        overdue = await totals.count_overdue(reader, now)
        active = await totals.count_active(reader)
    values = {"waiting": number(waiting), "overdue": capped(overdue, totals.MOST), "active": number(active)}
    values |= _measure_flow(sources.samples, visitor) | _draw(sources.samples, visitor)
    for task in sources.table.tasks.values():
        values[f"stage.{task.partition}"] = task.stage
        values[f"restored.{task.partition}"] = f"{task.progress.percent:.0f} %"
        values[f"offset.{task.partition}"] = number(task.store.offset) if task.store else NONE
    return values


def _measure_flow(samples: Samples, visitor: Visitor) -> Values:
    newest = samples.newest
    if newest is None or not newest.parts:
        return dict.fromkeys(("events", "lag", "behind", "dead", "unwritten", "sent"), NONE)
    handled, seconds = samples.last_minute(Sample.handled)
    sent, sent_seconds = samples.last_minute(lambda sample: sample.sends(visitor))
    return {
        "events": f"{handled / seconds:,.1f}" if seconds else NONE,
        "lag": number(newest.lag()),
        "behind": f"records wait, the oldest for {span(timedelta(seconds=newest.behind))}",
        "dead": number(newest.dead()),
        "unwritten": number(newest.unwritten()),
        "sent": number(sent * 60 / sent_seconds) if sent_seconds else NONE,
    }


def _draw(samples: Samples, visitor: Visitor) -> Values:
    events = samples.rates(Sample.handled)
    lag = [float(sample.lag()) for sample in samples.taken]
    sent = [60 * rate for rate in samples.rates(lambda sample: sample.sends(visitor))]
    found: Values = {}
    for name, series in (("events", events), ("lag", lag), ("sent", sent)):
        padded = [0.0] * (KEPT - len(series)) + series
        found[f"{name}.line"] = charts.line(padded)
        found[f"{name}.line.area"] = charts.area(found[f"{name}.line"])
        found[f"{name}.most"] = f"{max(series, default=0):,.0f}"
    return found


def _channels(samples: Samples, visitor: Visitor) -> list[tuple[str, str, int]]:
    """Return each channel with its sends of the last minute and of today and yesterday."""
    newest = samples.newest
    if newest is None:
        return []

    def last_minute(channel: str) -> str:
        return number(samples.last_minute(lambda sample: sample.sends(visitor, channel))[0])

    return [(name, last_minute(name), newest.sends(visitor, name)) for name in newest.channels(visitor)]


ROUTES = [Route("/", show)]

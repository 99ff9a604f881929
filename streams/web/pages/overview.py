"""The overview: how much comes in and goes out, what is behind, who works on what."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.history.wording import REFUSALS
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.charts import charts
from streams.web.pages.formats import NONE, capped, number, span
from streams.web.pages.live import Values, version_of
from streams.web.pages.rendering import render
from streams.web.queries import totals
from streams.web.queries.parked import MOST, count_parked
from streams.web.queries.query import Row
from streams.web.sources.samples import EVERY, KEPT, Sample, Samples
from streams.web.sources.sources import reading, sources_of


async def show(request: Request) -> Response:
    """Show the overview."""
    sources = sources_of(request)
    values, newest, table = await read(request), sources.samples.newest, sources.table
    # Now, while they are those of which the values are: a newer sample may have a channel more.
    tasks = [table.tasks[number] for number in sorted(table.tasks)]
    async with reading(request) as reader:
        refusals, failing = await totals.count_refusals(reader), await totals.list_failing(reader)
    return render(
        request, "overview.html", values=values, newest=newest, refusals=refusals, failing=failing,
        channels=newest.channels(visitor_of(request)) if newest else [], reasons=REFUSALS,
        tasks=tasks,
        minutes=round(KEPT * EVERY / timedelta(minutes=1)), partitions=table.partitions,
    )  # fmt: skip


async def read(request: Request) -> Values:
    """Return the overview's live values."""
    sources, visitor, now = sources_of(request), visitor_of(request), read_clock()
    async with reading(request) as reader:
        waiting = await totals.count_waiting(reader)
        overdue = await totals.count_overdue(reader, now)
        active = await totals.count_active(reader)
        refusals, failing = await totals.count_refusals(reader), await totals.list_failing(reader)
        parked = await count_parked(reader)
    values = {"waiting": number(waiting), "overdue": capped(overdue, totals.MOST), "active": number(active)}
    values |= {"parked": capped(parked, MOST), "part.parked": version_of(bool(parked))}
    values |= _measure_flow(sources.samples, visitor) | _draw(sources.samples, visitor)
    values |= _measure_channels(sources.samples, visitor) | _measure_rows(refusals, failing)
    values["part.tasks"] = version_of(sorted(sources.table.tasks))
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
        "behind": _describe_lag(newest),
        "dead": number(newest.dead(visitor)),
        "unwritten": number(newest.unwritten()),
        "sent": number(sent * 60 / sent_seconds) if sent_seconds else NONE,
    }


def _describe_lag(newest: Sample) -> str:
    oldest = f", the oldest for {span(timedelta(seconds=newest.behind))}" if newest.lag() else ""
    return f"records wait{oldest}"


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


def _measure_channels(samples: Samples, visitor: Visitor) -> Values:
    """Return each channel's sends of the last minute and of today and yesterday, and who works on what."""
    newest = samples.newest
    channels, members = (newest.channels(visitor), newest.members) if newest else ([], ())
    found = {"part.channels": version_of(channels), "part.members": version_of(members)}
    for name in channels:
        sent, _ = samples.last_minute(lambda sample, name=name: sample.sends(visitor, name))  # type: ignore[misc]
        found[f"minute.{name}"] = number(sent)
        found[f"sent.{name}"] = number(newest.sends(visitor, name) if newest else 0)
    return found


def _measure_rows(refusals: Mapping[str, int], failing: Sequence[Row]) -> Values:
    found = {
        "part.refusals": version_of(list(refusals)),
        "part.failing": version_of([row["id"] for row in failing]),
    }
    found |= {f"refused.{reason}": number(count) for reason, count in refusals.items()}
    return found | {f"failed.{row['id']}": number(row["total_failed"]) for row in failing}


ROUTES = [Route("/", show)]

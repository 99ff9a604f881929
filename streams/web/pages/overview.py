"""The overview, also while Kafka or Postgres is away: how it is, what comes and goes, who works on what."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.database import UNREACHABLE
from streams.health.wording import span
from streams.history.wording import REFUSALS
from streams.web.access.visitor import Visitor, visitor_of
from streams.web.charts import charts
from streams.web.pages.formats import NONE, capped, number
from streams.web.pages.health import KINDS, list_rows, read_health
from streams.web.pages.live import Values, version_of
from streams.web.pages.rendering import render
from streams.web.queries import totals
from streams.web.queries.parked import MOST, count_parked
from streams.web.queries.query import Row
from streams.web.sources.samples import EVERY, KEPT, Sample, Samples
from streams.web.sources.sources import reading, sources_of

_PATIENCE = 3.0  # seconds, for all that Postgres is asked


class History(msgspec.Struct, frozen=True):
    """What the overview takes from Postgres; None where it can't be asked."""

    waiting: int | None = None
    overdue: int | None = None
    active: int | None = None
    parked: int | None = None
    refusals: Mapping[str, int] | None = None
    failing: Sequence[Row] | None = None


async def show(request: Request) -> Response:
    """Show the overview: how it is, how much comes in and goes out, what is behind, and who works on what."""
    sources, now, history = sources_of(request), read_clock(), await _read_history(request)
    newest, seen, judgement = sources.samples.newest, sources.watch.observe(now), sources.watch.judge(now)
    return render(
        request, "overview.html", values=_measure(request, history, now), history=history,
        channels=newest.channels(visitor_of(request)) if newest else [], reasons=REFUSALS,
        judgement=judgement, kinds=KINDS, rows=list_rows(seen), partitions=len(seen.partitions),
        minutes=round(KEPT * EVERY / timedelta(minutes=1)),
    )  # fmt: skip


async def read(request: Request) -> Values:
    """Return the overview's live values."""
    return _measure(request, await _read_history(request), read_clock())


async def _read_history(request: Request) -> History:
    """Ask Postgres, unless it is known to be away."""
    if sources_of(request).samples.postgres.away_since is None:
        with suppress(*UNREACHABLE):
            async with asyncio.timeout(_PATIENCE), reading(request) as reader:
                return History(
                    await totals.count_waiting(reader),
                    await totals.count_overdue(reader, read_clock()),
                    await totals.count_active(reader),
                    await count_parked(reader),
                    await totals.count_refusals(reader),
                    await totals.list_failing(reader),
                )
    return History()


def _measure(request: Request, history: History, now: datetime) -> Values:
    sources, visitor = sources_of(request), visitor_of(request)
    values = {"waiting": number(history.waiting), "active": number(history.active)}
    values |= {"overdue": capped(history.overdue, totals.MOST), "parked": capped(history.parked, MOST)}
    values["part.parked"] = version_of(bool(history.parked))
    values |= read_health(sources.watch.observe(now), sources.watch.judge(now))
    values |= _measure_flow(sources.samples, visitor) | _draw(sources.samples, visitor)
    return values | _measure_channels(sources.samples, visitor) | _measure_rows(history)


def _measure_flow(samples: Samples, visitor: Visitor) -> Values:
    newest = samples.newest
    if newest is None:
        return dict.fromkeys(("events", "lag", "behind", "dead", "unwritten", "sent"), NONE)
    handled, seconds = samples.last_minute(Sample.handled)
    sent, sent_seconds = samples.last_minute(lambda sample: sample.sends(visitor))
    return {
        "events": f"{handled / seconds:,.1f}" if seconds and newest.parts else NONE,
        "lag": number(newest.lag()),
        "behind": _describe_lag(newest),
        "dead": number(newest.dead(visitor)),
        "unwritten": number(newest.unwritten()),
        "sent": number(sent) if sent_seconds and newest.sent is not None else NONE,
    }


def _describe_lag(newest: Sample) -> str:
    oldest = f", the oldest for {span(newest.behind)}" if newest.lag() else ""
    return f"records wait{oldest}"


def _draw(samples: Samples, visitor: Visitor) -> Values:
    events = samples.rates(Sample.handled)
    lag = [float(sample.lag() or 0) for sample in samples.taken]
    sent = samples.by_minute(lambda sample: sample.sends(visitor))
    found: Values = {}
    for name, series in (("events", events), ("lag", lag), ("sent", sent)):
        padded = [0.0] * (KEPT - len(series)) + series
        found[f"{name}.line"] = charts.line(padded)
        found[f"{name}.line.area"] = charts.area(found[f"{name}.line"])
        found[f"{name}.most"] = f"{max(series, default=0):,.0f}"
    return found


def _measure_channels(samples: Samples, visitor: Visitor) -> Values:
    """Return each channel's sends of the last minute and of today and yesterday."""
    newest = samples.newest
    channels = newest.channels(visitor) if newest else []
    found = {"part.channels": version_of(channels, newest is not None and newest.sent is not None)}
    for name in channels:
        sent, _ = samples.last_minute(lambda sample, name=name: sample.sends(visitor, name))  # type: ignore[misc]
        found[f"minute.{name}"] = number(sent)
        found[f"sent.{name}"] = number(newest.sends(visitor, name) if newest else 0)
    return found


def _measure_rows(history: History) -> Values:
    refusals, failing = history.refusals, history.failing
    found = {
        "part.refusals": version_of(None if refusals is None else list(refusals)),
        "part.failing": version_of(None if failing is None else [row["id"] for row in failing]),
    }
    found |= {f"refused.{reason}": number(count) for reason, count in (refusals or {}).items()}
    return found | {f"failed.{row['id']}": number(row["total_failed"]) for row in failing or ()}


ROUTES = [Route("/", show)]

"""Topics: what each holds, and what waits there."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.kafka.topics import ACTIVITY
from streams.web.pages.rendering import render
from streams.web.sources.broker import Part
from streams.web.sources.sources import sources_of


async def show(request: Request) -> Response:
    """Show every topic with its records and lag; one of them by partition."""
    broker = sources_of(request).broker
    by_topic: dict[str, list[Part]] = {}
    for part in await broker.parts():
        by_topic.setdefault(part.topic, []).append(part)
    lags = {name: _sum_lag(found) for name, found in by_topic.items()}
    return render(
        request, "topics.html", topics=broker.topics.all, by_topic=by_topic, lags=lags,
        chosen=request.query_params.get("topic", ""), activity=ACTIVITY,
    )  # fmt: skip


def _sum_lag(parts: list[Part]) -> int | None:
    lags = [part.lag for part in parts if part.lag is not None]
    return sum(lags) if lags else None


ROUTES = [Route("/topics", show)]

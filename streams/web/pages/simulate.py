"""A journey on trial: run on a virtual clock against pasted or recent events, and told as an account."""

from datetime import datetime
from itertools import islice

import msgspec
import yaml
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey
from streams.engine.reading import split_lines
from streams.errors import FairwayError
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS
from streams.simulation.account import explain
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Output, Simulation
from streams.web.access.masking import show
from streams.web.pages.site import acting, read_id, site_of, visitor_of
from streams.web.pages.upload import CheckedFile, read_draft
from streams.web.queries import history
from streams.web.queries.query import Row

_OUTPUTS = 5_000  # records of a simulation, then it stops
_LINES = 2_000  # of events
_RECENT = 20


async def ask_simulate(request: Request) -> Response:
    """Ask which journey to try on which events; the newest events of its type may be taken."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    id_ = read_id(given.get("journey", ""))
    async with site.engine.connect() as connection:
        rows = await history.list_journeys(connection, visitor.tenants)
        row = next((row for row in rows if row["id"] == id_), None)
        journey = await history.read_version(connection, id_, row["version"]) if row else None
    events = await _read_recent(request, row) if row and given.get("recent") else ""
    text = _write(journey) if journey else ""
    return site.render(
        request, "simulate.html", rows=rows, id=id_, row=row, text=text, events=events, account=None, problems={},
        until="", sums={}, cut=False,
    )  # fmt: skip


async def _read_recent(request: Request, row: Row) -> str:
    """Return the newest events of a journey's type as JSON lines, those of its tenant."""
    lines = []
    for letter in await site_of(request).broker.newest(row["trigger_type"], 10 * _RECENT):
        try:
            event = msgspec.json.decode(letter.value or b"")
        except msgspec.MsgspecError:
            continue
        if isinstance(event, dict) and event.get("tenantId") == row["tenant_id"]:
            event = show(site_of(request), visitor_of(request), event)
            lines.append(msgspec.json.encode({"eventType": row["trigger_type"], **event}).decode())
    return "\n".join(lines[:_RECENT][::-1])


def _write(journey: Journey) -> str:
    plain = journey.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return yaml.safe_dump(plain | {"id": journey.id}, sort_keys=False, allow_unicode=True, width=110)


async def simulate(request: Request) -> Response:
    """Run journeys on a virtual clock against pasted events, and tell what would happen to whom."""
    site, form = site_of(request), await request.form()
    text, events, until = (str(form.get(name, "")).replace("\r\n", "\n") for name in ("text", "events", "until"))
    draft = await run_sync(read_draft, text)
    outputs: list[Output] = []
    if not draft.problems:
        try:
            outputs = await run_sync(_run, draft, events, until)
        except (FairwayError, ValueError) as error:
            draft = CheckedFile(problems={0: [str(error)]})
    names = {journey.id: journey.name for journey in draft.journeys}
    async with site.engine.connect() as connection:
        rows = await history.list_journeys(connection, visitor_of(request).tenants)
    return site.render(
        request, "simulate.html", rows=rows, id="", row=None, text=text, events=events, until=until,
        problems=draft.problems, account=None if draft.problems else list(explain(outputs, names)),
        sums=_sum(outputs), cut=len(outputs) == _OUTPUTS,
    )  # fmt: skip


def _run(draft: CheckedFile, events: str, until: str) -> list[Output]:
    if events.count("\n") > _LINES:
        raise FairwayError(f"{_LINES:,} lines of events are allowed here; 'fairway simulate' takes any number.")
    stop = datetime.fromisoformat(until) if until else None
    if stop is not None and stop.tzinfo is None:
        raise FairwayError("The time to stop at needs an offset, such as Z.")
    simulation = Simulation(load_journeys(draft.journeys))
    return list(islice(simulation.run(parse_lines(split_lines(events.encode()), draft.journeys), stop), _OUTPUTS))


def _sum(outputs: list[Output]) -> dict[str, int]:
    kinds = [entry["type"] for o in outputs if o.topic == ACTIVITY for entry in o.fields["entries"]]
    return {
        "entered": kinds.count("enrollment.started"),
        "refused": kinds.count("enrollment.refused"),
        "commands": sum(output.topic == COMMANDS for output in outputs),
        "completed": kinds.count("enrollment.completed"),
        "failed": kinds.count("enrollment.failed"),
        "dead letters": sum(output.topic == DEAD_LETTERS for output in outputs),
    }


ROUTES = [Route("/simulate", ask_simulate), Route("/simulate", acting(simulate), methods=["POST"])]

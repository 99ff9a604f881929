"""A journey on trial: run on a virtual clock against pasted or recent events, and the outcome as an account."""

from itertools import islice

import msgspec
import yaml
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey
from models.moment import read_instant
from streams.engine.reading import split_lines
from streams.errors import FairwayError
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS
from streams.simulation.account import explain
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Output, Simulation
from streams.web.access.visitor import visitor_of
from streams.web.pages.forms import acting
from streams.web.pages.rendering import render
from streams.web.pages.upload import CheckedFile, read_draft
from streams.web.queries import journeys
from streams.web.queries.query import Row, read_id
from streams.web.sources.sources import reading, sources_of

_OUTPUTS = 5_000  # records of a simulation, then it stops
_LINES = 2_000  # of events
_RECENT = 20
_CHOICES = 1_000  # journeys to start from


async def ask_simulate(request: Request) -> Response:
    """Ask which journey to try on which events; the newest events of its type may be taken."""
    given = request.query_params
    id_ = read_id(given.get("journey", ""))
    async with reading(request) as reader:
        rows = (await journeys.list_journeys(reader, limit=_CHOICES)).rows
        row = next((row for row in rows if row["id"] == id_), None)
        journey = await journeys.read_version(reader, id_, row["version"]) if row else None
    events = await _read_recent(request, row) if row and given.get("recent") else ""
    text = _write(journey) if journey else ""
    return render(
        request, "simulate.html", rows=rows, id=id_, row=row, text=text, events=events, account=None, problems={},
        until="", sums={}, cut=False,
    )  # fmt: skip


async def _read_recent(request: Request, row: Row) -> str:
    """Return the newest events of a journey's type as JSON lines, those of its tenant."""
    lines, sources = [], sources_of(request)
    mask = sources.mask_for(visitor_of(request))
    for record in await sources.broker.newest(row["trigger_type"], 10 * _RECENT):
        try:
            event = msgspec.json.decode(record.value or b"")
        except msgspec.MsgspecError:
            continue
        if isinstance(event, dict) and event.get("tenantId") == row["tenant_id"]:
            named = {"eventType": row["trigger_type"], **mask.data(event)}
            lines.append(msgspec.json.encode(named).decode())
    return "\n".join(lines[:_RECENT][::-1])


def _write(journey: Journey) -> str:
    plain = journey.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return yaml.safe_dump(plain | {"id": journey.id}, sort_keys=False, allow_unicode=True, width=110)


async def simulate(request: Request) -> Response:
    """Run journeys on a virtual clock against pasted events, and say what would happen to whom."""
    form = await request.form()
    text, events, until = (str(form.get(name, "")).replace("\r\n", "\n") for name in ("text", "events", "until"))
    draft = await run_sync(read_draft, text)
    outputs: list[Output] = []
    if not draft.problems:
        try:
            outputs = await run_sync(_run, draft, events, until)
        except FairwayError as error:
            draft = CheckedFile(problems={0: [str(error)]})
    names = {journey.id: journey.name for journey in draft.journeys}
    async with reading(request) as reader:
        rows = (await journeys.list_journeys(reader, limit=_CHOICES)).rows
    return render(
        request, "simulate.html", rows=rows, id="", row=None, text=text, events=events, until=until,
        problems=draft.problems, account=None if draft.problems else list(explain(outputs, names)),
        sums=_sum(outputs), cut=len(outputs) == _OUTPUTS,
    )  # fmt: skip


def _run(draft: CheckedFile, events: str, until: str) -> list[Output]:
    if events.count("\n") > _LINES:
        raise FairwayError(f"{_LINES:,} lines of events are allowed here; 'fairway simulate' takes any number.")
    stop = read_instant(until) if until else None
    if until and stop is None:
        raise FairwayError("The time to stop at must be a date-time with an offset, such as 2026-11-23T10:00:00Z.")
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

"""Journeys in the making: check a file, each problem beside its line; see what would change; try it on events."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec
import yaml
from anyio.to_thread import run_sync
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey, JourneyStatus
from streams import authoring
from streams.clock import now as read_clock
from streams.engine.check import check, find_twins
from streams.engine.reading import read_journeys
from streams.errors import FairwayError
from streams.explain import explain
from streams.scenario import load_journeys, read_lines
from streams.simulate import Output, Simulation
from streams.web import reading
from streams.web.graph import Graph, draw
from streams.web.journeys import still_in
from streams.web.query import Row
from streams.web.site import acting, done, read_id, site_of, visitor_of

_OUTPUTS = 5_000  # records of a simulation, then it stops
_LINES = 2_000  # of events
_RECENT = 20
_LINE = re.compile(r"\bline (\d+)")


class Draft(msgspec.Struct, frozen=True):
    """A file that was read: its good journeys, and what is wrong, by line from 1 (0: the whole file)."""

    journeys: tuple[Journey, ...] = ()
    problems: dict[int, list[str]] = {}


def read_draft(text: str) -> Draft:
    """Read and check the text of a journey file; never raises."""
    try:
        authored = read_journeys(text)
    except FairwayError as error:
        found = _LINE.search(str(error))
        return Draft(problems={int(found[1]) if found else 0: [str(error)]})
    places = list(_locate(text))
    journeys: list[tuple[int, Journey]] = []
    problems: dict[int, list[str]] = {}
    for number, raw in enumerate(authored):
        journey, wrong = check(raw)
        place = places[number] if number < len(places) else {}
        for problem in wrong:
            where = f"Step '{problem.step}': " if problem.step else ""
            line = place.get(problem.step, place.get(None, 0))
            problems.setdefault(line, []).append(where + problem.text)
        journeys += [(place.get(None, 0), journey)] if journey else []
    for position, twin in find_twins([journey for _, journey in journeys]):
        problems.setdefault(journeys[position][0], []).append(twin.text)
    return Draft(tuple(journey for _, journey in journeys), problems)


def _locate(text: str) -> Iterator[dict[str | None, int]]:
    """Yield for each journey of a file the lines, from 1, of itself (None) and of its steps by id."""
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.YAMLError:
        return
    for document in documents:
        for node in document.value if isinstance(document, yaml.SequenceNode) else [document]:
            lines: dict[str | None, int] = {None: node.start_mark.line + 1}
            fields = dict(_fields(node))
            steps = fields.get("steps")
            for number, step in enumerate(steps.value if isinstance(steps, yaml.SequenceNode) else (), start=1):
                named = dict(_fields(step)).get("id")
                lines[str(named.value) if named else f"step-{number}"] = step.start_mark.line + 1
            yield lines


def _fields(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    for name, value in node.value if isinstance(node, yaml.MappingNode) else ():
        yield str(name.value), value


# --- upload -----------------------------------------------------------------------------------------------------


async def ask_upload(request: Request) -> Response:
    """Ask for a journey file."""
    return site_of(request).render(request, "upload.html", text="", draft=None, previews=[])


async def upload(request: Request) -> Response:
    """Check a journey file; show what is wrong or what would change; store it once that is confirmed."""
    site, form = site_of(request), await request.form()
    text = await _read_text(form.get("file"), str(form.get("text", "")))
    draft = await run_sync(read_draft, text)
    foreign = [j.tenant_id for j in draft.journeys if not visitor_of(request).sees(j.tenant_id)]
    if foreign:
        raise HTTPException(403, f"You may not author journeys of tenant '{foreign[0]}'.")
    if draft.problems or form.get("confirmed") != "yes":
        async with site.engine.connect() as connection:
            previews = [await _preview(connection, journey) for journey in draft.journeys]
        status = 422 if draft.problems else 200
        return site.render(request, "upload.html", status, text=text, draft=draft, previews=previews)
    return await _store(request, draft, activate=form.get("activate") == "yes")


async def _read_text(file: Any, text: str) -> str:
    if isinstance(file, UploadFile) and file.size:
        text = (await file.read()).decode("utf-8-sig", errors="replace")
    return text.replace("\r\n", "\n")


class Preview(msgspec.Struct, frozen=True):
    """What storing a journey would do."""

    journey: Journey
    graph: Graph
    effect: str


async def _preview(connection: AsyncConnection, journey: Journey) -> Preview:
    row = await reading.find_journey(connection, None, journey.id)
    graph = await run_sync(draw, journey, {})
    if row is None:
        return Preview(journey, graph, "A new journey. Nobody is touched until it is active.")
    before = await reading.read_version(connection, journey.id, row["version"])
    same = before is not None and _authored(before) == _authored(journey)
    effect = "Nothing differs from what is stored." if same else _tell_change(row)
    return Preview(journey, graph, effect)


def _authored(journey: Journey) -> dict[str, Any]:
    return journey.model_dump(exclude={"status", "version"})


def _tell_change(row: Row) -> str:
    return (
        f"Becomes version {row['version'] + 1} of a journey that is {row['status']}. {still_in(row):,} people are "
        "on their way; they keep the version that they entered with."
    )


async def _store(request: Request, draft: Draft, *, activate: bool) -> Response:
    site = site_of(request)
    author = authoring.Author(visitor_of(request).name or "web", read_clock())
    async with site.engine.begin() as connection:
        try:
            for journey in draft.journeys:
                wanted = {"status": JourneyStatus.ACTIVE} if activate else {}
                applied = await authoring.apply(connection, journey.model_copy(update=wanted), author)
        except FairwayError as error:
            raise HTTPException(409, str(error)) from None
    names = ", ".join(f"“{journey.name}”" for journey in draft.journeys)
    single = len(draft.journeys) == 1
    return done(f"/journeys/{applied.id}" if single else "/journeys", f"{names}: stored.")


# --- simulate ---------------------------------------------------------------------------------------------------


async def ask_simulate(request: Request) -> Response:
    """Ask which journey to try on which events; the newest events of its type may be taken."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    id_ = read_id(given.get("journey", ""))
    async with site.engine.connect() as connection:
        rows = await reading.list_journeys(connection, visitor.tenants)
        row = next((row for row in rows if row["id"] == id_), None)
        journey = await reading.read_version(connection, id_, row["version"]) if row else None
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
            draft = Draft(problems={0: [str(error)]})
    names = {journey.id: journey.name for journey in draft.journeys}
    async with site.engine.connect() as connection:
        rows = await reading.list_journeys(connection, visitor_of(request).tenants)
    return site.render(
        request, "simulate.html", rows=rows, id="", row=None, text=text, events=events, until=until,
        problems=draft.problems, account=None if draft.problems else list(explain(outputs, names)),
        sums=_sum(outputs), cut=len(outputs) == _OUTPUTS,
    )  # fmt: skip


def _run(draft: Draft, events: str, until: str) -> list[Output]:
    if events.count("\n") > _LINES:
        raise FairwayError(f"{_LINES:,} lines of events are allowed here; 'fairway simulate' takes any number.")
    stop = datetime.fromisoformat(until) if until else None
    if stop is not None and stop.tzinfo is None:
        raise FairwayError("The time to stop at needs an offset, such as Z.")
    simulation = Simulation(load_journeys(draft.journeys))
    return list(islice(simulation.run(read_lines(events.encode(), draft.journeys), stop), _OUTPUTS))


def _sum(outputs: list[Output]) -> dict[str, int]:
    kinds = [entry["type"] for o in outputs if o.topic == "fairway.activity" for entry in o.value["entries"]]
    return {
        "entered": kinds.count("enrollment.started"),
        "refused": kinds.count("enrollment.refused"),
        "commands": sum(output.topic == "fairway.commands" for output in outputs),
        "completed": kinds.count("enrollment.completed"),
        "failed": kinds.count("enrollment.failed"),
        "dead letters": sum(output.topic == "fairway.dead-letters" for output in outputs),
    }


ROUTES = [
    Route("/journeys/new", ask_upload), Route("/journeys/new", acting(upload), methods=["POST"]),
    Route("/simulate", ask_simulate), Route("/simulate", acting(simulate), methods=["POST"]),
]  # fmt: skip

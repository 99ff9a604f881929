"""Journeys in the making: check a file, each problem beside its line; see what would change."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import yaml
from anyio.to_thread import run_sync
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey, JourneyStatus
from streams.clock import now as read_clock
from streams.engine.check import check, find_twins
from streams.engine.reading import read_journeys
from streams.errors import FairwayError
from streams.journeys import authoring
from streams.journeys.upgrades import refuse_newer
from streams.web.access.visitor import visitor_of
from streams.web.charts.graph import Graph, draw
from streams.web.pages.forms import acting, done
from streams.web.pages.rendering import render
from streams.web.queries import journeys, totals
from streams.web.queries.query import Reader, Row
from streams.web.sources.sources import reading, sources_of

_LINE = re.compile(r"\bline (\d+)")


class CheckedFile(msgspec.Struct, frozen=True):
    """A file that was read: its good journeys, and what is wrong, by line from 1 (0: the whole file)."""

    journeys: tuple[Journey, ...] = ()
    problems: dict[int, list[str]] = {}


def read_draft(text: str) -> CheckedFile:
    """Read and check the text of a journey file; never raises."""
    try:
        authored = read_journeys(text)
    except FairwayError as error:
        found = _LINE.search(str(error))
        return CheckedFile(problems={int(found[1]) if found else 0: [str(error)]})
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
    return CheckedFile(tuple(journey for _, journey in journeys), problems)


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
    return render(request, "upload.html", text="", draft=None, previews=[])


async def upload(request: Request) -> Response:
    """Check a journey file; show what is wrong or what would change; store it once that is confirmed."""
    form = await request.form()
    text = await _read_text(form.get("file"), str(form.get("text", "")))
    draft = await run_sync(read_draft, text)
    foreign = [j.tenant_id for j in draft.journeys if not visitor_of(request).sees(j.tenant_id)]
    if foreign:
        raise HTTPException(403, f"You may not author journeys of tenant '{foreign[0]}'.")
    if draft.problems or form.get("confirmed") != "yes":
        async with reading(request) as reader:
            previews = [await _preview(reader, journey) for journey in draft.journeys]
        status = 422 if draft.problems else 200
        return render(request, "upload.html", status, text=text, draft=draft, previews=previews)
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


async def _preview(reader: Reader, journey: Journey) -> Preview:
    journey = await authoring.bind(reader.connection, journey)
    row = await journeys.find_journey(reader, journey.id)
    graph = await run_sync(draw, journey, {})
    if row is None:
        return Preview(journey, graph, "A new journey. Nobody is touched until it is active.")
    before = await journeys.read_version(reader, journey.id, row["version"])
    same = before is not None and _authored(before) == _authored(journey)
    effect = "Nothing differs from what is stored." if same else _describe_change(row)
    return Preview(journey, graph, effect)


def _authored(journey: Journey) -> dict[str, Any]:
    return journey.model_dump(exclude={"status", "version"})


def _describe_change(row: Row) -> str:
    return (
        f"Becomes version {row['version'] + 1} of a journey that is {row['status']}. {totals.still_in(row):,} "
        "people are on their way; they keep the version that they entered with."
    )


async def _store(request: Request, draft: CheckedFile, *, activate: bool) -> Response:
    author = authoring.Author(visitor_of(request).name or "web", read_clock())
    async with sources_of(request).engine.begin() as connection:
        try:
            await refuse_newer(sources_of(request).settings, draft.journeys)
            for journey in draft.journeys:
                wanted = {"status": JourneyStatus.ACTIVE} if activate else {}
                applied = await authoring.apply(connection, journey.model_copy(update=wanted), author)
        except FairwayError as error:
            raise HTTPException(409, str(error)) from None
    names = ", ".join(f"“{journey.name}”" for journey in draft.journeys)
    single = len(draft.journeys) == 1
    return done(f"/journeys/{applied.id}" if single else "/journeys", f"{names}: stored.")


ROUTES = [Route("/journeys/new", ask_upload), Route("/journeys/new", acting(upload), methods=["POST"])]

"""A journey as a graph with its numbers, its file, and where a customer is in it."""

import yaml
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from models.journey import Journey, JourneyStatus
from streams.engine.listeners import GOAL
from streams.engine.transitions import Move, moves_from
from streams.history.wording import REFUSALS
from streams.web.access.visitor import visitor_of
from streams.web.charts import listening
from streams.web.charts.graph import draw
from streams.web.charts.listening import describe_rule
from streams.web.charts.outline import name_ways, summarize
from streams.web.pages.addresses import missing, with_query
from streams.web.pages.journey_values import count_came, measure, rank_steps
from streams.web.pages.live import Values
from streams.web.pages.rendering import render
from streams.web.queries import history, journeys, totals
from streams.web.queries.query import Reader, Row, read_id
from streams.web.queries.statistics import StepCounts
from streams.web.queries.variants import read_trials
from streams.web.sources.sources import reading

VERBS: dict[Move, str] = {"activate": "Activate", "pause": "Pause", "resume": "Resume", "archive": "Archive"}


async def find(request: Request, reader: Reader) -> Row:
    """Return the journey that an address names; raises HTTPException 404."""
    row = await journeys.find_journey(reader, str(request.path_params["journey"]))
    if row is None:
        raise missing("There is no such journey.")
    return row


def _version(request: Request, row: Row) -> int:
    given = request.query_params.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 9 else int(row["version"])


async def show(request: Request) -> Response:
    """Show one version of a journey: graph, steps, funnel and settings."""
    async with reading(request) as reader:
        row = await find(request, reader)
        version = _version(request, row)
        journey = await journeys.read_version(reader, row["id"], version)
        seen = await totals.count_version(reader, row["id"], version)
        counts = seen.steps
        refusals = await totals.count_refusals(reader, row["id"])
        versions = await journeys.list_versions(reader, row["id"])
        trials = await read_trials(reader, row, journey, counts) if journey else []
    allowed = moves_from(JourneyStatus(row["status"])) if visitor_of(request).may_act else ()
    return render(
        request, "journey.html", row=row, version=version, journey=journey, refusals=refusals, versions=versions,
        trials=trials, reasons=REFUSALS,
        graph=draw(journey, counts, seen.whole) if journey else None, goal=_name_goal(journey),
        counts=lambda id_: counts.get(id_, StepCounts()), total=count_came(journey.steps, counts) if journey else 0,
        funnel=rank_steps(journey) if journey else [], moves=[(move, VERBS[move]) for move in allowed],
        values=measure(row, journey, seen, refusals), summarize=summarize, describe_rule=describe_rule,
        listening=listening, name_ways=name_ways,
        link=lambda step: with_query(f"/journeys/{row['id']}/enrollments", {"step": step}),
    )  # fmt: skip


async def read(request: Request) -> Values:
    """Return the live values of one version of a journey."""
    id_ = read_id(request.query_params.get("journey", ""))
    async with reading(request) as reader:
        row = await journeys.find_journey(reader, id_) if id_ else None
        if row is None:
            return {}
        version = _version(request, row)
        journey = await journeys.read_version(reader, row["id"], version)
        seen = await totals.count_version(reader, row["id"], version)
        refusals = await totals.count_refusals(reader, row["id"])
    return measure(row, journey, seen, refusals)


def _name_goal(journey: Journey | None) -> str:
    return (journey.goal.name or GOAL) if journey and journey.goal else ""


async def find_customer(request: Request) -> Response:
    """Lead from a journey and a customer to the enrolment, or to the refusals if there is none."""
    customer = request.query_params.get("customer", "").strip()
    async with reading(request) as reader:
        row = await find(request, reader)
        mine = await history.list_customer_enrollments(reader, row["tenant_id"], customer)
    entered = [one for one in mine if one["journey_id"] == row["id"]]
    if len(entered) == 1 or (entered and entered[0]["status"] == "ACTIVE"):
        return RedirectResponse(f"/enrollments/{entered[0]['id']}", 303)
    wanted = {"tenant": row["tenant_id"], "id": customer, "journey": row["id"]}
    return RedirectResponse(with_query("/customer", wanted), 303)


async def show_file(request: Request) -> Response:
    """Give one version of a journey as a YAML file that `fairway journeys apply` takes."""
    async with reading(request) as reader:
        row = await find(request, reader)
        journey = await journeys.read_version(reader, row["id"], _version(request, row))
    if journey is None:
        raise missing("The definition of this version is not in this database.")
    plain = journey.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"status", "version"})
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    headers = {"content-disposition": 'attachment; filename="journey.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


ROUTES = [
    Route("/journeys/{journey:uuid}.yaml", show_file),
    Route("/journeys/{journey:uuid}", show),
    Route("/journeys/{journey:uuid}/find", find_customer),
]

"""Journeys: all of them, one as a graph with its numbers, and the enrolments behind each number."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import yaml
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from models.journey import Journey, JourneyStatus
from streams.clock import now as read_clock
from streams.engine.transitions import Move, moves_from
from streams.history.wording import REFUSALS
from streams.web.charts import charts
from streams.web.charts.graph import draw
from streams.web.charts.outline import Counts, describe_rule, summarize
from streams.web.pages.formats import number, percent, short
from streams.web.pages.live import Values
from streams.web.pages.site import missing, read_id, site_of, visitor_of, with_query
from streams.web.pages.timeline import write_place
from streams.web.queries import history, totals
from streams.web.queries.query import PAGE, Row
from streams.web.queries.variants import read_trials

_LINE = {"width": 120.0, "height": 28.0}
_ENDS = ("completed", "exited", "failed")
_PASSED = {"ENTERED": "entered", "COMPLETED": "done", "SKIPPED": "skipped", "FAILED": "not done: it failed"}
VERBS: dict[Move, str] = {"activate": "Activate", "pause": "Pause", "resume": "Resume", "archive": "Archive"}


def still_in(row: Row) -> int:
    """Return how many enrolments of a journey are ACTIVE."""
    ended = sum(row[f"total_{word}"] for word in _ENDS)
    return max(0, int(row["total_enrolled"] - ended))


async def show_all(request: Request) -> Response:
    """List journeys."""
    site, given = site_of(request), request.query_params
    async with site.engine.connect() as connection:
        found = await _list_page(request, connection)
        rows = found[:PAGE]
        today, lines = await _read_day(connection, rows)
    last = f"{rows[-1]['tenant_id']}:{rows[-1]['name']}" if len(found) > PAGE else ""
    return site.render(
        request, "journeys.html", rows=rows, today=today, lines=lines, name=given.get("name", ""),
        status=given.get("status", ""), statuses=list(JourneyStatus), active=still_in,
        area=lambda line: charts.area(line, **_LINE), live=with_query("/live/journeys", given),
        further=_address(request, after=last) if last else None,
        first=_address(request, after="") if given.get("after") else None,
    )  # fmt: skip


async def _list_page(request: Request, connection: AsyncConnection) -> list[Row]:
    """Return the journeys that an address asks for, and one more if there are more."""
    given = request.query_params
    tenant, separator, name = given.get("after", "").partition(":")
    return await history.list_journeys(
        connection, visitor_of(request).tenants, status=given.get("status"), part=given.get("name", ""),
        after=(tenant, name) if separator else None, limit=PAGE + 1,
    )  # fmt: skip


async def read_all(request: Request) -> Values:
    """Return the live values of the list."""
    async with site_of(request).engine.connect() as connection:
        rows = (await _list_page(request, connection))[:PAGE]
        today, lines = await _read_day(connection, rows)
    values: Values = {}
    for row in rows:
        id_ = row["id"]
        values[f"active.{id_}"] = number(still_in(row))
        values[f"line.{id_}"], values[f"line.{id_}.area"] = lines[id_], charts.area(lines[id_], **_LINE)
        for what in ("enrolled", *_ENDS):
            values[f"{what}.{id_}"] = number(today.get(id_, {}).get(what, 0))
    return values


async def _read_day(
    connection: AsyncConnection, rows: list[Row]
) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """Return today's counts by journey and kind, and a line of the last 24 hours' entries by journey."""
    hour = read_clock().replace(minute=0, second=0, microsecond=0)
    hours = [hour - timedelta(hours=back) for back in range(23, -1, -1)]
    found = await totals.count_hours(connection, [row["id"] for row in rows], hours[0])
    midnight = hour.replace(hour=0)
    today = {id_: {what: _since(midnight, by) for what, by in kinds.items()} for id_, kinds in found.items()}
    lines = {}
    for row in rows:
        entered = found.get(row["id"], {}).get("enrolled", {})
        lines[row["id"]] = charts.line([entered.get(at, 0) for at in hours], **_LINE)
    return today, lines


def _since(start: datetime, by_hour: Mapping[datetime, int]) -> int:
    return sum(count for hour, count in by_hour.items() if hour >= start)


async def _find(request: Request, connection: AsyncConnection) -> Row:
    row = await history.find_journey(connection, visitor_of(request).tenants, str(request.path_params["journey"]))
    if row is None:
        raise missing("There is no such journey.")
    return row


def _version(request: Request, row: Row) -> int:
    given = request.query_params.get("version", "")
    return int(given) if given.isdecimal() and len(given) < 9 else int(row["version"])


async def show_one(request: Request) -> Response:
    """Show one version of a journey: graph, steps, funnel and settings."""
    site = site_of(request)
    async with site.engine.connect() as connection:
        row = await _find(request, connection)
        version = _version(request, row)
        journey = await history.read_version(connection, row["id"], version)
        counts = await totals.count_steps(connection, row["id"], version)
        refusals = await totals.count_refusals(connection, visitor_of(request).tenants, row["id"])
        versions = await history.list_versions(connection, row["id"])
        trials = await read_trials(connection, row, journey, counts) if journey else []
    allowed = moves_from(JourneyStatus(row["status"])) if visitor_of(request).may_act else ()
    moves = [(move, VERBS[move]) for move in allowed]
    first = journey.steps[0].id if journey else ""
    return site.render(
        request, "journey.html", row=row, version=version, journey=journey, refusals=refusals, versions=versions,
        trials=trials, reasons=REFUSALS,
        graph=draw(journey, counts) if journey else None, counts=lambda id_: counts.get(id_, Counts()),
        total=counts[first].entered if first in counts else 0, funnel=_funnel(journey, counts), moves=moves,
        values=_tell(row, refusals, counts), summarize=summarize, tell_rule=describe_rule,
        link=lambda step: with_query(f"/journeys/{row['id']}/enrollments", {"step": step}),
    )  # fmt: skip


def _funnel(journey: Journey | None, counts: Mapping[str, Counts]) -> list[tuple[Any, int]]:
    """Return the steps that somebody has passed, or that everybody must, with how many did."""
    steps = journey.steps if journey else ()
    return [(step, counts.get(step.id, Counts()).completed) for step in steps]


async def read_one(request: Request) -> Values:
    """Return the live values of one version of a journey."""
    site, visitor, id_ = site_of(request), visitor_of(request), read_id(request.query_params.get("journey", ""))
    async with site.engine.connect() as connection:
        row = await history.find_journey(connection, visitor.tenants, id_) if id_ else None
        if row is None:
            return {}
        counts = await totals.count_steps(connection, row["id"], _version(request, row))
        refusals = await totals.count_refusals(connection, visitor.tenants, row["id"])
    return _tell(row, refusals, counts)


def _tell(row: Row, refusals: Mapping[str, int], counts: Mapping[str, Counts]) -> Values:
    values = {"active": number(still_in(row)), "refused": number(sum(refusals.values()))}
    for word in ("enrolled", *_ENDS):
        values[word] = number(row[f"total_{word}"])
        values[f"{word}.share"] = percent(row[f"total_{word}"], row["total_enrolled"])
    for id_, count in counts.items():
        for word in ("entered", "inside", "completed", "skipped", "failed"):
            values[f"{word}.{id_}"] = number(getattr(count, word))
            values[f"short.{word}.{id_}"] = short(getattr(count, word))
    return values


async def show_enrollments(request: Request) -> Response:
    """List the enrolments behind a number: by status, by the step they are in, or by what became of a step."""
    site, given = site_of(request), request.query_params
    status, step, ended = (given.get(name, "") for name in ("status", "step", "ended"))
    async with site.engine.connect() as connection:
        row = await _find(request, connection)
        before = _cursor(given.get("before"))
        if step and ended:
            rows, rest = await history.list_step_visitors(connection, row, step, ended, before)
        else:
            rows, rest = await history.list_enrollments(connection, row, status, step, before)
        newest = await history.read_version(connection, row["id"], row["version"])
        step_names = await history.step_names(connection, [row["id"]])
    older = _address(request, before=write_place(*rest)) if rest else None
    return site.render(
        request, "enrollments.html", row=row, rows=rows, status=status, step=step, ended=ended, older=older,
        newest=_address(request, before="") if given.get("before") else None, statuses=history.STATUSES,
        steps=_step_ids(newest, step), step_names=step_names,
        title=_title(status, step_names.get((row["id"], step), step), ended),
        nobody="Choose another filter, or wait: people come and go." if not (step and ended and rest)
        else f"None of {history.LOOKED_THROUGH:,} enrolments that were looked through; older ones may be so.",
    )  # fmt: skip


def _step_ids(journey: Journey | None, chosen: str) -> list[str]:
    ids = [step.id for step in journey.steps] if journey else []
    return ids if not chosen or chosen in ids else [*ids, chosen]


def _cursor(given: str | None) -> tuple[datetime, str] | None:
    """Return the place in a list that an address names; None for none, or for one that can't be read."""
    at, _, id_ = (given or "").partition("~")
    try:
        return (datetime.fromisoformat(at), id_) if read_id(id_) else None
    except ValueError:
        return None


def _address(request: Request, **changes: Any) -> str:
    return with_query(request.url.path, dict(request.query_params) | changes)


def _title(status: str, step: str, ended: str) -> str:
    if step and ended:
        return f"Enrolments whose step '{step}' was {_PASSED.get(ended, 'seen')}"
    where = f" in step '{step}' now" if step else ""
    return f"{status.capitalize() or 'All'} enrolments{where}"


async def find_customer(request: Request) -> Response:
    """Lead from a journey and a customer to the enrolment, or to the refusals if there is none."""
    site, customer = site_of(request), request.query_params.get("customer", "").strip()
    async with site.engine.connect() as connection:
        row = await _find(request, connection)
        mine = await history.list_customer_enrollments(connection, row["tenant_id"], customer)
    here = [one for one in mine if one["journey_id"] == row["id"]]
    if len(here) == 1 or (here and here[0]["status"] == "ACTIVE"):
        return RedirectResponse(f"/enrollments/{here[0]['id']}", 303)
    wanted = {"tenant": row["tenant_id"], "id": customer, "journey": row["id"]}
    return RedirectResponse(with_query("/customer", wanted), 303)


async def show_file(request: Request) -> Response:
    """Give one version of a journey as a YAML file that `fairway journeys apply` takes."""
    async with site_of(request).engine.connect() as connection:
        row = await _find(request, connection)
        journey = await history.read_version(connection, row["id"], _version(request, row))
    if journey is None:
        raise missing("The definition of this version is not in this database.")
    plain = journey.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"status", "version"})
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
    headers = {"content-disposition": 'attachment; filename="journey.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


ROUTES = [
    Route("/journeys", show_all),
    Route("/journeys/{journey:uuid}.yaml", show_file),
    Route("/journeys/{journey:uuid}", show_one),
    Route("/journeys/{journey:uuid}/enrollments", show_enrollments),
    Route("/journeys/{journey:uuid}/find", find_customer),
]

"""An enrolment: where it stands, why not further, and everything that happened."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey
from streams.clock import now as read_clock
from streams.history.wording import SKIPS
from streams.web.access.masking import show_row
from streams.web.charts.outline import find_links, summarize
from streams.web.pages.formats import pretty, relative
from streams.web.pages.live import Values
from streams.web.pages.site import missing, read_id, site_of, visitor_of, with_query
from streams.web.pages.timeline import describe_records, older, read_place
from streams.web.queries import history
from streams.web.queries.query import PAGE, Row

_DOWNLOADED = 20_000  # activity records


async def show_one(request: Request) -> Response:
    """Show where an enrolment stands and why, and its timeline."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    id_, failed = str(request.path_params["enrollment"]), given.get("failed") == "1"
    async with site.engine.connect() as connection:
        row = await history.find_enrollment(connection, visitor.tenants, id_)
        if row is None:
            raise missing("There is no such enrolment, or its customer was erased.")
        owner = await history.find_journey(connection, visitor.tenants, row["journey_id"])
        journey = await history.read_version(connection, row["journey_id"], row["version"])
        steps = await history.list_enrollment_steps(connection, id_)
        records = await history.list_activity(
            connection, row["tenant_id"], row["customer_id"],
            enrollment_id=id_, failed=failed, before=read_place(given.get("before")),
        )  # fmt: skip
    states = {step["step_id"]: show_row(site, visitor, step) for step in steps}
    shown, told = show_row(site, visitor, row), [show_row(site, visitor, one) for one in records[:PAGE]]
    return site.render(
        request, "enrollment.html", row=shown, owner=owner, journey=journey, states=states, failed=failed,
        older=older(request, records), records=describe_records(told, id_), next_=_following(journey, row),
        place=_tell_place(row, owner, journey),
        step=_find_step(journey, row["current_step_id"]), summarize=summarize,
        result=_tell_state,
        step_names=_name_steps(journey),
        newest=with_query(request.url.path, {"failed": given.get("failed")}) if given.get("before") else None,
    )  # fmt: skip


async def read(request: Request) -> Values:
    """Return the live values of an enrolment: how it stands."""
    site, id_ = site_of(request), read_id(request.query_params.get("enrollment", ""))
    if not id_:
        return {}
    async with site.engine.connect() as connection:
        row = await history.find_enrollment(connection, visitor_of(request).tenants, id_)
        if row is None:
            return {}
        owner = await history.find_journey(connection, None, row["journey_id"])
        journey = await history.read_version(connection, row["journey_id"], row["version"])
    return {"place": _tell_place(row, owner, journey), "relative": _tell_when(row)}


def _find_step(journey: Journey | None, step_id: str | None) -> Any:
    return next((step for step in journey.steps if step.id == step_id), None) if journey else None


def _name_steps(journey: Journey | None) -> dict[tuple[str, str], str]:
    return {(journey.id, step.id): step.name for step in journey.steps if step.name} if journey else {}


def _following(journey: Journey | None, row: Row) -> list[tuple[str, Any]]:
    """Return the steps that may follow the current one, with the label of the way there."""
    if journey is None or row["status"] != "ACTIVE":
        return []
    links = [link for link in find_links(journey, {}) if link.start == row["current_step_id"]]
    return [(link.label, _find_step(journey, link.end)) for link in links]


def _tell_place(row: Row, owner: Row | None, journey: Journey | None) -> str:
    """Return in a sentence where an enrolment stands, and why not further."""
    found = _find_step(journey, row["current_step_id"])
    step = (found.name if found else None) or row["current_step_id"]
    match row["status"]:
        case "COMPLETED":
            return "Completed: it reached the end of the journey."
        case "EXITED":
            detail = f": {row['detail']}" if row["detail"] else ""
            return f"Left in step “{step}”, reason {row['exit_reason']}{detail}."
        case "FAILED":
            return f"Failed. {row['detail'] or f'In step “{step}”; why is not known.'}"
        case _ if row["waiting_until"] is None:
            return f"Is in step “{step}” and about to go on."
        case _ if owner is not None and owner["status"] == "PAUSED":
            return f"Is held in step “{step}”: the journey is paused, and nothing fires until it is resumed."
        case _ if row["waiting_until"] < read_clock():
            return f"Should have left step “{step}” by now: a worker is behind or down (see the overview)."
        case _:
            return f"Waits in step “{step}”; nothing is wrong, its time has not come."


def _tell_when(row: Row) -> str:
    return relative(row["waiting_until"], read_clock()) if row["waiting_until"] else ""


def _tell_state(state: Mapping[str, Any] | None) -> str:
    """Return in a few words what came of a step."""
    result = (state or {}).get("result") or {}
    for name in ("reason", "error", "variant", "note"):
        if result.get(name):
            return SKIPS.get(result[name], str(result[name]))
    if result.get("sent"):
        return f"sent by {result.get('channel')}"
    return ("yes" if result["result"] else "no") if "result" in result else ""


async def download(request: Request) -> Response:
    """Give an enrolment with its steps and all its activity as JSON."""
    site, visitor, id_ = site_of(request), visitor_of(request), str(request.path_params["enrollment"])
    async with site.engine.connect() as connection:
        row = await history.find_enrollment(connection, visitor.tenants, id_)
        if row is None:
            raise missing("There is no such enrolment, or its customer was erased.")
        steps = await history.list_enrollment_steps(connection, id_)
        records = await history.list_activity(
            connection, row["tenant_id"], row["customer_id"], enrollment_id=id_, limit=_DOWNLOADED
        )
    found = {"steps": steps, "activity": records}
    whole: dict[str, Any] = {name: [show_row(site, visitor, one) for one in rows] for name, rows in found.items()}
    whole = {"enrollment": show_row(site, visitor, row)} | whole
    headers = {"content-disposition": f'attachment; filename="enrollment-{id_}.json"'}
    return Response(pretty(whole), media_type="application/json", headers=headers)


ROUTES = [
    Route("/enrollments/{enrollment:uuid}.json", download),
    Route("/enrollments/{enrollment:uuid}", show_one),
]

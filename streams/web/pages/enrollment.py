"""An enrolment: where it stands, why not further, and everything that happened."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey
from models.listeners import ANY_KEY
from models.steps import WaitStep
from streams.clock import now as read_clock
from streams.engine.results import read_result
from streams.history.wording import SKIPS, describe_result, lower_first
from streams.web.charts.listening import describe_awaited, list_exits
from streams.web.charts.outline import find_links, summarize
from streams.web.pages.addresses import missing, newest, older
from streams.web.pages.formats import pretty, relative
from streams.web.pages.live import Values
from streams.web.pages.rendering import render
from streams.web.pages.timeline import describe_records
from streams.web.queries import history, journeys
from streams.web.queries.query import Reader, Row, read_id
from streams.web.sources.heard import read_heard
from streams.web.sources.sources import reading, sources_of

_DOWNLOADED = 20_000  # activity records


async def show(request: Request) -> Response:
    """Show where an enrolment stands and why, and its timeline."""
    given = request.query_params
    id_, failed = str(request.path_params["enrollment"]), given.get("failed") == "1"
    async with reading(request) as reader:
        row = await _find(reader, id_)
        owner = await journeys.find_journey(reader, row["journey_id"])
        journey = await journeys.read_version(reader, row["journey_id"], row["version"])
        steps = await history.list_enrollment_steps(reader, id_)
        wanted = history.Records(enrollment_id=id_, failed=failed)
        page = await history.list_activity(
            reader, row["tenant_id"], row["customer_id"], wanted, cursor=given.get("before") or None
        )
    held = _find_note(steps, row["current_step_id"])
    heard = await read_heard(sources_of(request), request, row, journey) if journey else []
    return render(
        request, "enrollment.html", row=row, owner=owner, journey=journey, failed=failed, heard=heard,
        states={step["step_id"]: step for step in steps},
        older=older(request, page.next), newest=newest(request), records=describe_records(page.rows, id_),
        next_=_following(journey, row), place=_describe_place(row, owner, journey, held),
        awaited=_describe_awaited(row, journey), exits=list_exits(journey) if journey else [],
        step=_find_step(journey, row["current_step_id"]), summarize=summarize, result=_describe_state,
        step_names=_name_steps(journey),
    )  # fmt: skip


async def _find(reader: Reader, id_: str) -> Row:
    row = await history.find_enrollment(reader, id_)
    if row is None:
        raise missing("There is no such enrolment, or its customer was erased.")
    return row


async def read(request: Request) -> Values:
    """Return the live values of an enrolment: how it stands."""
    id_ = read_id(request.query_params.get("enrollment", ""))
    async with reading(request) as reader:
        row = await history.find_enrollment(reader, id_) if id_ else None
        if row is None:
            return {}
        owner = await journeys.find_journey(reader, row["journey_id"])
        journey = await journeys.read_version(reader, row["journey_id"], row["version"])
        held = _find_note(await history.list_enrollment_steps(reader, id_), row["current_step_id"])
    return {"place": _describe_place(row, owner, journey, held), "relative": _describe_wait(row)}


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


def _find_note(steps: Sequence[Row], step_id: str | None) -> str:
    """Return why the SEND at which an enrolment stands is held; nothing where it is not (R67)."""
    results = (step["result"] or {} for step in steps if step["step_id"] == step_id)
    return next((str(result.get("note", "")) for result in results if result.get("heldBy")), "")


def _describe_place(row: Row, owner: Row | None, journey: Journey | None, held: str = "") -> str:
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
        case _ if held:
            return f"Is held in step “{step}” until it may leave: {lower_first(held)} Nothing is wrong."
        case _ if awaited := _describe_awaited(row, journey):
            return f"Waits in step “{step}” for {awaited}; nothing is wrong, it has not come."
        case _:
            return f"Waits in step “{step}”; nothing is wrong, its time has not come."


def _describe_awaited(row: Row, journey: Journey | None) -> str:
    """Return what the open WAIT waits for beside its time, and of which run: its enrollment key."""
    step = _find_step(journey, row["current_step_id"])
    if not isinstance(step, WaitStep) or row["waiting_until"] is None:
        return ""
    is_keyed = row["enrollment_key"] and any(one.key != ANY_KEY for one in step.config.events or ())
    return describe_awaited(step.config) + (f" of “{row['enrollment_key']}”" if is_keyed else "")


def _describe_wait(row: Row) -> str:
    return relative(row["waiting_until"], read_clock()) if row["waiting_until"] else ""


def _describe_state(state: Mapping[str, Any] | None) -> str:
    """Return in a few words what came of a step."""
    result = (state or {}).get("result") or {}
    if "reason" in result:
        return SKIPS.get(result["reason"], str(result["reason"]))
    return str(result["error"]) if "error" in result else describe_result(read_result(result))


async def download(request: Request) -> Response:
    """Give an enrolment with its steps and all its activity as JSON."""
    id_ = str(request.path_params["enrollment"])
    async with reading(request) as reader:
        row = await _find(reader, id_)
        steps = await history.list_enrollment_steps(reader, id_)
        page = await history.list_activity(
            reader, row["tenant_id"], row["customer_id"], history.Records(enrollment_id=id_), limit=_DOWNLOADED
        )
    whole = {"enrollment": dict(row), "steps": list(map(dict, steps)), "activity": list(map(dict, page.rows))}
    headers = {"content-disposition": f'attachment; filename="enrollment-{id_}.json"'}
    return Response(pretty(whole), media_type="application/json", headers=headers)


ROUTES = [
    Route("/enrollments/{enrollment:uuid}.json", download),
    Route("/enrollments/{enrollment:uuid}", show),
]

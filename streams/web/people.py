"""Customers and enrolments: where somebody is, why not further, and everything that happened."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from models.customer import decode
from models.ids import customer_key
from models.journey import Journey
from streams.clock import now as read_clock
from streams.web import reading
from streams.web.here import open_store
from streams.web.live import Values
from streams.web.outline import find_links, summarize
from streams.web.reading import PAGE, Row
from streams.web.site import missing, read_id, site_of, visitor_of, with_query
from streams.web.tale import tell, tell_cause
from streams.web.wording import pretty, relative

_DOWNLOADED = 20_000  # activity records


# --- an enrolment -----------------------------------------------------------------------------------------------


async def show_enrollment(request: Request) -> Response:
    """Show where an enrolment stands and why, and its timeline."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    id_, failed = str(request.path_params["enrollment"]), given.get("failed") == "1"
    async with site.engine.connect() as connection:
        row = await reading.find_enrollment(connection, visitor.tenants, id_)
        if row is None:
            raise missing("There is no such enrolment, or its customer was erased.")
        owner = await reading.find_journey(connection, visitor.tenants, row["journey_id"])
        journey = await reading.read_version(connection, row["journey_id"], row["version"])
        steps = await reading.list_enrollment_steps(connection, id_)
        records = await reading.list_activity(
            connection, row["tenant_id"], row["customer_id"],
            enrollment_id=id_, failed=failed, before=_place(given.get("before")),
        )  # fmt: skip
    older = _older(request, records)
    states = {step["step_id"]: step for step in steps}
    return site.render(
        request, "enrollment.html", row=row, owner=owner, journey=journey, states=states, failed=failed,
        older=older, records=_tell_records(records[:PAGE], id_), next_=_following(journey, row),
        place=_tell_place(row, owner, journey),
        step=_find_step(journey, row["current_step_id"]), summarize=summarize, result=_tell_state,
        newest=with_query(request.url.path, {"failed": given.get("failed")}) if given.get("before") else None,
    )  # fmt: skip


async def read_enrollment(request: Request) -> Values:
    """Return the live values of an enrolment: how it stands."""
    site, id_ = site_of(request), read_id(request.query_params.get("enrollment", ""))
    if not id_:
        return {}
    async with site.engine.connect() as connection:
        row = await reading.find_enrollment(connection, visitor_of(request).tenants, id_)
        if row is None:
            return {}
        owner = await reading.find_journey(connection, None, row["journey_id"])
        journey = await reading.read_version(connection, row["journey_id"], row["version"])
    return {"place": _tell_place(row, owner, journey), "relative": _tell_when(row)}


def _find_step(journey: Journey | None, step_id: str | None) -> Any:
    return next((step for step in journey.steps if step.id == step_id), None) if journey else None


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
            return str(result[name])
    if result.get("sent"):
        return f"sent by {result.get('channel')}"
    return ("yes" if result["result"] else "no") if "result" in result else ""


async def download(request: Request) -> Response:
    """Give an enrolment with its steps and all its activity as JSON."""
    site, visitor, id_ = site_of(request), visitor_of(request), str(request.path_params["enrollment"])
    async with site.engine.connect() as connection:
        row = await reading.find_enrollment(connection, visitor.tenants, id_)
        if row is None:
            raise missing("There is no such enrolment, or its customer was erased.")
        steps = await reading.list_enrollment_steps(connection, id_)
        records = await reading.list_activity(
            connection, row["tenant_id"], row["customer_id"], enrollment_id=id_, limit=_DOWNLOADED
        )
    whole = {"enrollment": dict(row), "steps": list(map(dict, steps)), "activity": list(map(dict, records))}
    headers = {"content-disposition": f'attachment; filename="enrollment-{id_}.json"'}
    return Response(pretty(whole), media_type="application/json", headers=headers)


# --- a timeline -------------------------------------------------------------------------------------------------


class Told(msgspec.Struct, frozen=True):
    """An activity record in words; `pause` is how long nothing had happened before it."""

    at: datetime
    cause: str
    kind: str
    entries: list[Any]
    raw: Mapping[str, Any]
    pause: Any


def _tell_records(records: Sequence[Row], enrollment_id: str = "") -> list[Told]:
    """Return records in words, with the entries of one enrolment alone, if one is named."""
    found = []
    for record, before in zip(records, [*records[1:], None], strict=True):
        mine = [
            tell(entry)
            for entry in record["entries"]
            if not enrollment_id or entry.get("enrollmentId") == enrollment_id
        ]
        kinds = [entry.kind for entry in mine]
        kind = next((kind for kind in ("bad", "warn", "waits", "good", "gone") if kind in kinds), "")
        pause = record["at"] - before["at"] if before else None
        raw = {name: record[name] for name in ("at", "activity_id", "cause", "entries")}
        found.append(Told(record["at"], tell_cause(record["cause"]), kind, mine, raw, pause))
    return found


def _place(given: str | None) -> tuple[datetime, int] | None:
    at, _, offset = (given or "").partition("~")
    try:
        return datetime.fromisoformat(at), int(offset)
    except ValueError:
        return None


def _older(request: Request, records: Sequence[Row]) -> str | None:
    if len(records) <= PAGE:
        return None
    last = records[PAGE - 1]
    before = f"{last['at'].isoformat()}~{last['offset']}"
    return with_query(request.url.path, dict(request.query_params) | {"before": before})


# --- a customer -------------------------------------------------------------------------------------------------


async def show_customer(request: Request) -> Response:
    """Show a customer: profile, enrolments, why not, everything that happened, and the row in the table."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    tenant, id_, journey_id = given.get("tenant", ""), given.get("id", ""), read_id(given.get("journey", ""))
    if not visitor.sees(tenant):
        raise missing("There is no such customer.")
    async with site.engine.connect() as connection:
        row = await reading.find_customer(connection, visitor.tenants, tenant, id_)
        enrollments = await reading.list_customer_enrollments(connection, tenant, id_)
        refusals = await reading.list_activity(connection, tenant, id_, refused=True)
        records = await reading.list_activity(connection, tenant, id_, before=_place(given.get("before")))
        asked = await reading.find_journey(connection, visitor.tenants, journey_id) if journey_id else None
        mentioned = {one["journey_id"] for one in enrollments}
        mentioned |= {
            entry["journeyId"] for record in records for entry in record["entries"] if entry.get("journeyId")
        }
        names = await reading.journey_names(connection, mentioned)
    why = _list_refusals(refusals, journey_id)
    state = _read_row(request, tenant, id_)
    if row is None and state["customer"] is None and not asked:
        raise missing(f"Tenant '{tenant}' has no customer '{id_}' that any journey or profile event has reached.")
    shown = [one for one in enrollments if not journey_id or one["journey_id"] == journey_id]
    return site.render(
        request, "customer.html", tenant=tenant, id=id_, row=row, rows=shown, why=why, asked=asked, state=state,
        records=_tell_records(records[:PAGE]), names=names, older=_older(request, records), newest=None,
        nobody="This customer has entered no journey." if not asked else "This customer is not in this journey.",
    )  # fmt: skip


def _list_refusals(records: Sequence[Row], journey_id: str) -> list[tuple[Row, Any]]:
    return [
        (record, tell(entry))
        for record in records
        for entry in record["entries"]
        if entry["type"] == "enrollment.refused" and (not journey_id or entry.get("journeyId") == journey_id)
    ][:20]


def _read_row(request: Request, tenant: str, customer_id: str) -> dict[str, Any]:
    """Return where a customer's row lies, and if that is here, the row as of the last commit."""
    table = site_of(request).table
    key = customer_key(tenant, customer_id)
    partition = table.partition_of(key)
    store = open_store(table, partition)
    raw = store.get(key) if store else None
    return {
        "partition": partition,
        "here": store is not None,
        "offset": store.offset if store else None,
        "size": len(raw or b""),
        "raw": msgspec.json.decode(raw) if raw else None,
        "customer": decode(raw) if raw else None,
    }


# --- finding ----------------------------------------------------------------------------------------------------


async def search(request: Request) -> Response:
    """Find a customer, an enrolment, a command or a journey by id, and go there if there is just one."""
    site, visitor = site_of(request), visitor_of(request)
    query = request.query_params.get("q", "").strip()
    id_ = read_id(query)
    async with site.engine.connect() as connection:
        if id_ and await reading.find_enrollment(connection, visitor.tenants, id_):
            return RedirectResponse(f"/enrollments/{id_}", 303)
        sent = await reading.find_command(connection, visitor.tenants, id_) if id_ else None
        if sent:
            return RedirectResponse(f"/enrollments/{sent['id']}#step-{sent['step_id']}", 303)
        if id_ and await reading.find_journey(connection, visitor.tenants, id_):
            return RedirectResponse(f"/journeys/{id_}", 303)
        customers = await reading.find_customers(connection, visitor.tenants, query) if query else []
        journeys = await reading.list_journeys(connection, visitor.tenants, part=query) if query else []
    if len(customers) == 1:
        wanted = {"tenant": customers[0]["tenant_id"], "id": query}
        return RedirectResponse(with_query("/customer", wanted), 303)
    return site.render(request, "search.html", query=query, customers=customers, journeys=journeys[:20])


async def show_customers(request: Request) -> Response:
    """Show whom one could look for: the customers of the newest enrolments."""
    site, visitor = site_of(request), visitor_of(request)
    async with site.engine.connect() as connection:
        rows = await reading.list_newest(connection, visitor.tenants)
        names = await reading.journey_names(connection, {row["journey_id"] for row in rows})
    return site.render(
        request, "customers.html", rows=rows, names=names, older=None, newest=None,
        nobody="As soon as an event enters a journey, its customer is listed here.",
    )  # fmt: skip


ROUTES = [
    Route("/enrollments/{enrollment:uuid}.json", download),
    Route("/enrollments/{enrollment:uuid}", show_enrollment),
    Route("/customer", show_customer),
    Route("/customers", show_customers),
    Route("/search", search),
]

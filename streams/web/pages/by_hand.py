"""Enrolling and taking out by hand: asked first, and waited for, so that one sees what came of it."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.ids import customer_key
from models.limits import find_bad_id
from streams.clock import now as read_clock
from streams.clock import steady
from streams.control import manual
from streams.engine.entries import EnrollmentStarted
from streams.engine.inputs import Enroll, Exit
from streams.engine.payload import Rejection, read_data
from streams.web.pages.forms import acting, done
from streams.web.pages.rendering import confirm
from streams.web.queries import history, journeys
from streams.web.queries.query import Row, read_id
from streams.web.sources.sources import reading, sources_of
from streams.web.sources.worker import open_store

_CHOICES = 1_000  # journeys to choose from
_PATIENCE = 10.0  # seconds for a worker's answer
_HISTORY_PATIENCE, _LOOK = 5.0, 0.2  # seconds until the answer is in Postgres, and between looks


class _Sheet(msgspec.Struct, frozen=True):
    """What is asked on one of the two pages."""

    title: str
    verb: str
    effects: list[str]
    fields: tuple[str, ...]
    status: str | None = None
    danger: bool = False


_ENROLL = _Sheet(
    "Enrol by hand", "Enrol", ["1 person is touched.", "The conditions are not asked; re-entry and places are."],
    ("customer", "journey", "data"), status="ACTIVE",
)  # fmt: skip
_EXIT = _Sheet(
    "Take out of a journey", "Take out",
    ["1 person is touched: their enrolments in this journey end, reason manual.", "What was sent stays sent."],
    ("customer", "journey"), danger=True,
)  # fmt: skip


async def ask_enroll(request: Request) -> Response:
    """Ask whom to enrol by hand, into what, and with which data."""
    return await _show(request, _ENROLL, request.query_params)


async def ask_exit(request: Request) -> Response:
    """Ask whether somebody shall be taken out of a journey."""
    return await _show(request, _EXIT, request.query_params)


async def _show(
    request: Request, sheet: _Sheet, given: Mapping[str, Any], trouble: str = "", stranger: str = ""
) -> Response:
    """Return the form as it was filled in, with what is wrong, or with the question whether a stranger is meant."""
    async with reading(request) as reader:
        rows = (await journeys.list_journeys(reader, journeys.Filter(status=sheet.status), limit=_CHOICES)).rows
    tenant = given.get("tenant", "")
    choices = [
        (row["id"], f"{row['name']} ({row['tenant_id']})") for row in rows if tenant in ("", row["tenant_id"])
    ]
    return confirm(
        request, sheet.title, "Enrol a new customer" if stranger else sheet.verb, sheet.effects, back="/customers",
        code=422 if trouble else 200, danger=sheet.danger, action=request.url.path, given=dict(given),
        fields=sheet.fields, choices=choices, trouble=trouble, stranger=stranger,
    )  # fmt: skip


async def enroll(request: Request) -> Response:
    """Enrol somebody by hand, and say what came of it."""
    form = await request.form()
    data = read_data(str(form.get("data", "")).strip().encode(errors="surrogatepass") or b"{}")
    customer, row, trouble = await _read_form(request)
    if isinstance(data, Rejection):
        trouble = trouble or data.reason
    if row is None or trouble or isinstance(data, Rejection):
        return await _show(request, _ENROLL, form, trouble)
    if form.get("stranger") != customer and not await _is_known(request, row["tenant_id"], customer):
        return await _show(request, _ENROLL, form, stranger=customer)
    return await _control(request, row, customer, Enroll(row["id"], read_clock(), data))


async def take_out(request: Request) -> Response:
    """Take somebody out of a journey, and say what came of it."""
    customer, row, trouble = await _read_form(request)
    if row is None or trouble:
        return await _show(request, _EXIT, await request.form(), trouble)
    return await _control(request, row, customer, Exit(read_clock(), row["id"]))


async def _read_form(request: Request) -> tuple[str, Row | None, str]:
    """Return who is meant, the journey, and what is wrong with either."""
    form = await request.form()
    customer, id_ = str(form.get("customer", "")).strip(), read_id(str(form.get("journey", "")))
    async with reading(request) as reader:
        row = await journeys.find_journey(reader, id_) if id_ else None
    if row is None or not customer:
        return customer, row, "Name a customer, and choose a journey."
    return customer, row, find_bad_id(row["tenant_id"], customer) or ""


async def _is_known(request: Request, tenant: str, customer: str) -> bool:
    """Say whether anything was ever heard of a customer, as far as this worker can see."""
    key, table = customer_key(tenant, customer), sources_of(request).table
    store = open_store(table, table.partition_of(key))
    if store is not None and store.get(key) is not None:
        return True
    async with reading(request) as reader:
        return await history.find_customer(reader, tenant, customer) is not None


async def _control(request: Request, row: Row, customer: str, message: Enroll | Exit) -> Response:
    settings, tenant = sources_of(request).settings, row["tenant_id"]
    answer = await manual.ask(settings, tenant, customer, message, _PATIENCE)
    outcome = manual.describe(answer, message, customer, row["name"], _PATIENCE)
    if answer.entries:
        await _await_history(request, tenant, customer, message.at)
    entered = next((one for one in answer.entries if isinstance(one, EnrollmentStarted)), None)
    if entered is not None:
        return done(f"/enrollments/{entered.enrollment_id}", outcome.text)
    place = {"tenant": tenant, "id": customer, "journey": row["id"]}
    return done("/customer", outcome.text, is_good=outcome.is_done, **place)


async def _await_history(request: Request, tenant: str, customer: str, since: datetime) -> None:
    """Return as soon as Postgres, which pages read from, has what a worker did, or after some seconds."""
    until = steady() + _HISTORY_PATIENCE
    while steady() < until:
        async with reading(request) as reader:
            newest = (await history.list_activity(reader, tenant, customer, limit=1)).rows
        if newest and newest[0]["at"] >= since:
            return
        await asyncio.sleep(_LOOK)


ROUTES = [
    Route("/enroll", ask_enroll), Route("/enroll", acting(enroll), methods=["POST"]),
    Route("/exit", ask_exit), Route("/exit", acting(take_out), methods=["POST"]),
]  # fmt: skip

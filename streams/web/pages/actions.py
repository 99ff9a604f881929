"""What people do here: steer journeys, enrol, take out; each confirmed with how many people it touches."""

from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import JourneyStatus
from models.limits import find_bad_id
from streams.clock import now as read_clock
from streams.control import publishing
from streams.engine.inputs import Enroll, Exit
from streams.engine.payload import Rejection, read_data
from streams.engine.transitions import Move, moves_from
from streams.errors import FairwayError
from streams.journeys import authoring
from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import missing
from streams.web.pages.formats import capped
from streams.web.pages.forms import acting, done
from streams.web.pages.journey import VERBS, find
from streams.web.pages.rendering import render
from streams.web.queries import journeys, totals
from streams.web.queries.query import Reader, Row, read_id
from streams.web.sources.sources import reading, sources_of

_CHOICES = 1_000  # journeys to choose from
_DONE = {"activate": "is active", "pause": "is paused", "resume": "runs again", "archive": "is archived"}


# --- journeys ---------------------------------------------------------------------------------------------------


async def _find_move(request: Request, reader: Reader) -> tuple[Row, Move]:
    row, move = await find(request, reader), request.path_params["move"]
    if move not in VERBS:
        raise missing("There is no such page.")
    return row, move


async def ask_move(request: Request) -> Response:
    """Ask whether a journey shall be activated, paused, resumed or archived."""
    async with reading(request) as reader:
        row, move = await _find_move(request, reader)
        overdue = await totals.count_overdue(reader, read_clock(), row["id"])
    if move not in moves_from(JourneyStatus(row["status"])):
        raise HTTPException(409, f"Journey '{row['name']}' is {row['status']} and can't be {move}d.")
    return render(
        request, "confirm.html", title=f"{VERBS[move]} “{row['name']}”?", verb=VERBS[move],
        effects=_foretell(move, totals.still_in(row), overdue, row), action=request.url.path, given={},
        back=f"/journeys/{row['id']}", danger=move == "archive", fields=(),
    )  # fmt: skip


def _foretell(move: str, active: int, overdue: int, row: Row) -> list[str]:
    """Return what a move will do, in sentences."""
    match move:
        case "activate":
            return [f"From now on every “{row['trigger_type']}” event that meets the conditions enters it.",
                    "Nobody is touched now: events that came before do not count."]  # fmt: skip
        case "pause":
            return [f"{active:,} people are on their way. They stay where they are; nothing fires.",
                    "Nobody enters; such events are refused, reason paused."]  # fmt: skip
        case "resume":
            late = capped(overdue, totals.MOST)
            return [f"{late} waits are overdue and fire now, at most 1,000 a second a partition.",
                    f"{active:,} people are on their way, and events enter again."]  # fmt: skip
        case _:
            return [f"{active:,} people are on their way. All of them leave now, reason manual.",
                    "It can't be activated again. Its history stays."]  # fmt: skip


async def move_journey(request: Request) -> Response:
    """Activate, pause, resume or archive a journey."""
    sources, visitor = sources_of(request), visitor_of(request)
    async with sources.engine.begin() as connection:
        row, move = await _find_move(request, sources.reader(connection, visitor))
        author = authoring.Author(visitor.name or "web", read_clock())
        try:
            await authoring.move(connection, row["tenant_id"], row["id"], move, author)
        except FairwayError as error:
            raise HTTPException(409, str(error)) from None
    return done(f"/journeys/{row['id']}", f"“{row['name']}” {_DONE[move]}; workers follow within a second or two.")


# --- people -----------------------------------------------------------------------------------------------------


async def ask_enroll(request: Request) -> Response:
    """Ask whom to enrol by hand, into what, and with which data."""
    return await _ask_person(
        request, "Enrol by hand", "Enrol",
        ["1 person is touched.", "The conditions are not asked; re-entry and places are."],
        only_active=True,
    )  # fmt: skip


async def ask_exit(request: Request) -> Response:
    """Ask whether somebody shall be taken out of a journey."""
    return await _ask_person(
        request, "Take out of a journey", "Take out",
        ["1 person is touched: their enrolments in this journey end, reason manual.", "What was sent stays sent."],
        only_active=False,
    )  # fmt: skip


async def _ask_person(
    request: Request, title: str, verb: str, effects: list[str], *, only_active: bool
) -> Response:
    given, wanted = request.query_params, journeys.Filter(status="ACTIVE" if only_active else None)
    async with reading(request) as reader:
        rows = (await journeys.list_journeys(reader, wanted, limit=_CHOICES)).rows
    tenant = given.get("tenant", "")
    choices = [
        (row["id"], f"{row['name']} ({row['tenant_id']})") for row in rows if tenant in ("", row["tenant_id"])
    ]
    return render(
        request, "confirm.html", title=title, verb=verb, effects=effects, action=request.url.path,
        given=dict(given), back="/customers", danger=not only_active,
        fields=("customer", "journey", "data") if only_active else ("customer", "journey"), choices=choices,
    )  # fmt: skip


async def enroll(request: Request) -> Response:
    """Enrol somebody by hand."""
    form = await request.form()
    data = read_data(str(form.get("data", "")).strip().encode(errors="surrogatepass") or b"{}")
    if isinstance(data, Rejection):
        raise HTTPException(400, data.reason)
    return await _control(request, lambda id_: Enroll(id_, read_clock(), data), "is being enrolled")


async def take_out(request: Request) -> Response:
    """Take somebody out of a journey."""
    return await _control(request, lambda id_: Exit(read_clock(), id_), "is being taken out")


async def _control(request: Request, make: Callable[[str], Enroll | Exit], what: str) -> Response:
    form = await request.form()
    customer, id_ = str(form.get("customer", "")).strip(), read_id(str(form.get("journey", "")))
    async with reading(request) as reader:
        row = await journeys.find_journey(reader, id_) if id_ else None
    if row is None or not customer:
        raise HTTPException(400, "Name a customer, and choose a journey.")
    if fault := find_bad_id(row["tenant_id"], customer):
        raise HTTPException(400, fault)
    await publishing.control(sources_of(request).settings, row["tenant_id"], customer, make(id_))
    notice = f"“{customer}” {what}; reload the page to see what came of it."
    return done("/customer", notice, tenant=row["tenant_id"], id=customer, journey=id_)


ROUTES = [
    Route("/enroll", ask_enroll), Route("/enroll", acting(enroll), methods=["POST"]),
    Route("/exit", ask_exit), Route("/exit", acting(take_out), methods=["POST"]),
    Route("/journeys/{journey:uuid}/{move}", ask_move),
    Route("/journeys/{journey:uuid}/{move}", acting(move_journey), methods=["POST"]),
]  # fmt: skip

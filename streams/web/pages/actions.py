"""What people do here: steer journeys, enrol, take out, replay; each confirmed with how many people it touches."""

from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncConnection
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
from streams.web.pages.formats import capped
from streams.web.pages.journeys import VERBS, still_in
from streams.web.pages.site import acting, done, missing, read_id, site_of, visitor_of
from streams.web.pages.tables import find_letter, may_see
from streams.web.queries import history, totals
from streams.web.queries.query import Row
from streams.web.sources.broker import Letter

_DONE = {"activate": "is active", "pause": "is paused", "resume": "runs again", "archive": "is archived"}
_REPLAYED = 500  # dead letters at once


# --- journeys ---------------------------------------------------------------------------------------------------


async def _find_move(request: Request, connection: AsyncConnection) -> tuple[Row, Move]:
    id_, move = str(request.path_params["journey"]), request.path_params["move"]
    row = await history.find_journey(connection, visitor_of(request).tenants, id_)
    if row is None or move not in VERBS:
        raise missing("There is no such journey.")
    return row, move


async def ask_move(request: Request) -> Response:
    """Ask whether a journey shall be activated, paused, resumed or archived."""
    site = site_of(request)
    async with site.engine.connect() as connection:
        row, move = await _find_move(request, connection)
        overdue = await totals.count_overdue(connection, visitor_of(request).tenants, read_clock(), row["id"])
    if move not in moves_from(JourneyStatus(row["status"])):
        raise HTTPException(409, f"Journey '{row['name']}' is {row['status']} and can't be {move}d.")
    return site.render(
        request, "confirm.html", title=f"{VERBS[move]} “{row['name']}”?", verb=VERBS[move],
        effects=_foretell(move, still_in(row), overdue, row), action=request.url.path, given={},
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


async def do_move(request: Request) -> Response:
    """Activate, pause, resume or archive a journey."""
    site = site_of(request)
    async with site.engine.begin() as connection:
        row, move = await _find_move(request, connection)
        author = authoring.Author(visitor_of(request).name or "web", read_clock())
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
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    async with site.engine.connect() as connection:
        rows = await history.list_journeys(connection, visitor.tenants, status="ACTIVE" if only_active else "")
    tenant = given.get("tenant", "")
    choices = [
        (row["id"], f"{row['name']} ({row['tenant_id']})") for row in rows if tenant in ("", row["tenant_id"])
    ]
    return site.render(
        request, "confirm.html", title=title, verb=verb, effects=effects, action=request.url.path,
        given=dict(given), back="/customers", danger=not only_active,
        fields=("customer", "journey", "data") if only_active else ("customer", "journey"), choices=choices,
    )  # fmt: skip


async def do_enroll(request: Request) -> Response:
    """Enrol somebody by hand."""
    form = await request.form()
    data = read_data(str(form.get("data", "")).strip().encode(errors="surrogatepass") or b"{}")
    if isinstance(data, Rejection):
        raise HTTPException(400, data.reason)
    return await _control(request, lambda id_: Enroll(id_, read_clock(), data), "is being enrolled")


async def do_exit(request: Request) -> Response:
    """Take somebody out of a journey."""
    return await _control(request, lambda id_: Exit(read_clock(), id_), "is being taken out")


async def _control(request: Request, make: Callable[[str], Enroll | Exit], what: str) -> Response:
    site, form = site_of(request), await request.form()
    customer, id_ = str(form.get("customer", "")).strip(), read_id(str(form.get("journey", "")))
    async with site.engine.connect() as connection:
        row = await history.find_journey(connection, visitor_of(request).tenants, id_) if id_ else None
    if row is None or not customer:
        raise HTTPException(400, "Name a customer, and choose a journey.")
    if fault := find_bad_id(row["tenant_id"], customer):
        raise HTTPException(400, fault)
    await publishing.control(site.settings.brokers, row["tenant_id"], customer, make(id_))
    notice = f"“{customer}” {what}; reload the page to see what came of it."
    return done("/customer", notice, tenant=row["tenant_id"], id=customer, journey=id_)


# --- dead letters -----------------------------------------------------------------------------------------------


async def _find_letters(request: Request) -> list[Letter]:
    given = request.query_params
    site = site_of(request)
    if given.get("partition", "").isdecimal() and given.get("offset", "").isdecimal():
        request.path_params.update(partition=int(given["partition"]), offset=int(given["offset"]))
        return [await find_letter(request)]
    letters, _ = await site.broker.letters(given.get("code", ""), limit=_REPLAYED)
    return [letter for letter in letters if may_see(request, letter)]


async def ask_replay(request: Request) -> Response:
    """Ask whether dead letters shall be sent again."""
    letters = await _find_letters(request)
    people = len({letter.key for letter in letters if letter.key})
    return site_of(request).render(
        request, "confirm.html", title="Send dead letters again?", verb="Send again", fields=(), given={},
        danger=False,
        effects=[f"{len(letters):,} records of {people:,} people go to their topics once more, byte for byte.",
                 "What was wrong and is still wrong comes back here as a new dead letter.",
                 f"At most the newest {_REPLAYED} are sent at once."],
        action=str(request.url.path) + (f"?{request.url.query}" if request.url.query else ""), back="/dead-letters",
    )  # fmt: skip


async def do_replay(request: Request) -> Response:
    """Send dead letters again."""
    count = await site_of(request).broker.replay(await _find_letters(request))
    return done("/dead-letters", f"{count:,} records were sent again.")


ROUTES = [
    Route("/enroll", ask_enroll), Route("/enroll", acting(do_enroll), methods=["POST"]),
    Route("/exit", ask_exit), Route("/exit", acting(do_exit), methods=["POST"]),
    Route("/dead-letters/replay", ask_replay), Route("/dead-letters/replay", acting(do_replay), methods=["POST"]),
    Route("/journeys/{journey:uuid}/{move}", ask_move),
    Route("/journeys/{journey:uuid}/{move}", acting(do_move), methods=["POST"]),
]  # fmt: skip

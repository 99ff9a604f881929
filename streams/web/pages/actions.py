"""Steering journeys: each move is confirmed with how many people it touches."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import JourneyStatus
from streams.clock import now as read_clock
from streams.engine.transitions import Move, moves_from
from streams.errors import FairwayError
from streams.journeys import authoring
from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import missing
from streams.web.pages.formats import capped, plural
from streams.web.pages.forms import acting, done
from streams.web.pages.journey import VERBS, find
from streams.web.pages.rendering import confirm
from streams.web.queries import totals
from streams.web.queries.query import Reader, Row
from streams.web.sources.sources import reading, sources_of

_DONE = {"activate": "is active", "pause": "is paused", "resume": "runs again", "archive": "is archived"}


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
    effects = _foretell(move, totals.still_in(row), overdue, row)
    back = f"/journeys/{row['id']}"
    return confirm(
        request, f"{VERBS[move]} “{row['name']}”?", VERBS[move], effects, back=back, danger=move == "archive"
    )


def _foretell(move: str, active: int, overdue: int, row: Row) -> list[str]:
    """Return what a move will do, in sentences."""
    way = f"{plural(active, 'person is', 'people are')} on their way."
    match move:
        case "activate":
            return [f"From now on every “{row['trigger_type']}” event that meets the conditions enters it.",
                    "Nobody is touched now: events that came before do not count."]  # fmt: skip
        case "pause":
            return [f"{way} They stay where they are; nothing fires.",
                    "Nobody enters; such events are refused, reason paused."]  # fmt: skip
        case "resume":
            late = capped(overdue, totals.MOST)
            waits = "1 wait is overdue and fires" if late == "1" else f"{late} waits are overdue and fire"
            return [f"{waits} now, at most 1,000 a second a partition.",
                    f"{way} Events enter again."]  # fmt: skip
        case _:
            return [f"{way} All of them leave now, reason manual.",
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


ROUTES = [
    Route("/journeys/{journey:uuid}/{move}", ask_move),
    Route("/journeys/{journey:uuid}/{move}", acting(move_journey), methods=["POST"]),
]

"""Dead letters: records that could not be used, why, what became of each, and what is done about them."""

from datetime import datetime, timedelta
from typing import get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.clock import now as read_clock
from streams.web.access.masking import Mask
from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import missing, newest, older, unusable
from streams.web.pages.formats import plural
from streams.web.pages.forms import acting, done
from streams.web.pages.glossary import CODES
from streams.web.pages.rendering import confirm, render
from streams.web.queries.letter_states import DONE, MOVES, STATES, Move, State, read_states
from streams.web.sources.dead_letters import Letter, wanting
from streams.web.sources.letter_index import by_code, by_state, of_visitor
from streams.web.sources.letter_reasons import Told, count_reasons
from streams.web.sources.moving import move_letters
from streams.web.sources.sources import reading, sources_of

_MOVED = 500  # at once
_VERBS: dict[Move, tuple[str, str]] = {
    "replay": ("Send again", "sent to their topics once more, byte for byte"),
    "resolve": ("Mark as resolved", "counted as dealt with; nothing is sent"),
    "discard": ("Discard", "counted as of no use; nothing is sent, and the topic keeps them as long as any"),
    "reopen": ("Open again", "counted as open again"),
}


_NARROW = ("code", "within", "customer")  # what of an address says which are meant
_PERIODS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}


def _since_of(request: Request) -> datetime | None:
    """Return from when on they are asked for; None for all that are kept."""
    given = request.query_params.get("within", "")
    if given and given not in _PERIODS:
        raise unusable(f"“within” is one of {', '.join(_PERIODS)}.")
    return read_clock() - _PERIODS[given] if given else None


def _state_of(request: Request) -> State | None:
    """Return which state is asked for: open ones if none is named, None for all."""
    given = request.query_params.get("state", "open")
    return next((state for state in STATES if state == given), None)


async def show_all(request: Request) -> Response:
    """List dead letters, newest first, of one state, code, time and customer or of all, and count them."""
    sources, visitor, given = sources_of(request), visitor_of(request), request.query_params
    letters, state, code = sources.dead_letters, _state_of(request), given.get("code", "")
    since, customer = _since_of(request), given.get("customer", "")
    async with reading(request) as reader:
        states = await read_states(reader)
    await letters.index.refresh()
    counts = of_visitor(letters.index.count(states, since, customer), visitor)
    wanted, mask = wanting(states, state, code, customer=customer, since=since), sources.mask_for(visitor)
    page = await letters.page(visitor, mask, wanted, since=since, cursor=given.get("before") or None)
    return render(
        request, "dead-letters.html", letters=page.found, chosen=code, codes=by_code(counts, state), state=state,
        counts=by_state(counts), total=counts.total(), state_of=lambda one: states.get(one.place, "open"),
        older=older(request, page.next), newest=newest(request), periods=_PERIODS,
        within=given.get("within", "") if since else "", todos=CODES, customer=customer,
        narrow={name: given[name] for name in _NARROW if given.get(name)},
        why=count_reasons(
            (
                Told(one.code, one.reason, one.place.written_at)
                for one in letters.index.find(since, customer)
                if visitor.sees(one.tenant) and code in ("", one.code)
                if state in (None, states.get(one.place, "open"))
            ),
            tell=mask.sentence,
        ),
    )  # fmt: skip


async def show_one(request: Request) -> Response:
    """Show one dead letter: why, what became of it, where it came from, its bytes and what they say."""
    mask = sources_of(request).mask_for(visitor_of(request))
    letter = await _find(request, mask, request.path_params["partition"], request.path_params["offset"])
    async with reading(request) as reader:
        state = (await read_states(reader)).get(letter.place, "open")
    moves = [(move, verb) for move, (verb, _) in _VERBS.items() if MOVES[move] != state]
    return render(request, "dead-letter.html", letter=letter, state=state, moves=moves, todos=CODES)


async def _find(request: Request, mask: Mask, partition: int, offset: int) -> Letter:
    letter = await sources_of(request).dead_letters.find(visitor_of(request), mask, partition, offset)
    if letter is None:
        raise missing("There is no such dead letter, or it is no longer kept.")
    return letter


async def _choose(request: Request) -> list[Letter]:
    """Return the dead letters that an address names, or the open ones of a code, time and customer: as they are."""
    given = request.query_params
    place = given.get("partition", ""), given.get("offset", "")
    if all(part.isdecimal() and len(part) < 19 for part in place):
        return [await _find(request, Mask(), *map(int, place))]
    async with reading(request) as reader:
        states = await read_states(reader)
    letters, since = sources_of(request).dead_letters, _since_of(request)
    wanted = wanting(states, "open", given.get("code", ""), customer=given.get("customer", ""), since=since)
    return (await letters.page(visitor_of(request), Mask(), wanted, since=since, limit=_MOVED)).found


def _move_of(request: Request) -> Move:
    move: Move | None = next((one for one in get_args(Move) if one == request.path_params["move"]), None)
    if move is None:
        raise HTTPException(404, "Dead letters can be sent again, resolved, discarded or opened again.")
    return move


async def ask_move(request: Request) -> Response:
    """Ask whether this shall be done with dead letters."""
    move = _move_of(request)
    letters = await _choose(request)
    people = len({(letter.tenant, letter.customer) for letter in letters if letter.customer})
    verb, effect = _VERBS[move]
    effects = [f"{plural(len(letters), 'record')} of {plural(people, 'person', 'people')}: {effect}."]
    if move == "replay":
        effects.append("What was wrong and is still wrong comes back here as a new dead letter.")
    if len(letters) == _MOVED:
        effects.append(f"At most the newest {_MOVED} at once.")
    return confirm(request, f"{verb}: dead letters?", verb, effects, back="/dead-letters", danger=move == "discard")


async def move(request: Request) -> Response:
    """Do with dead letters what was decided."""
    sources, wanted = sources_of(request), _move_of(request)
    name = visitor_of(request).name or "page"
    letters = await _choose(request)
    count = await move_letters(sources.dead_letters, sources.engine, letters, wanted, name, read_clock())
    return done("/dead-letters", f"{plural(count, 'record')} {'was' if count == 1 else 'were'} {DONE[wanted]}.")


ROUTES = [
    Route("/dead-letters", show_all),
    Route("/dead-letters/{partition:int}/{offset:int}", show_one),
    Route("/dead-letters/{move}", ask_move),
    Route("/dead-letters/{move}", acting(move), methods=["POST"]),
]

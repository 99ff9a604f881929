"""Dead letters: records that could not be used, why, and sent again once that is asked for."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.web.access.masking import Mask
from streams.web.access.visitor import visitor_of
from streams.web.pages.addresses import missing, newest, older
from streams.web.pages.forms import acting, done
from streams.web.pages.rendering import confirm, render
from streams.web.sources.dead_letters import Letter
from streams.web.sources.sources import sources_of

_COUNTED = 500  # of the newest, by code
_REPLAYED = 500  # at once


async def show_all(request: Request) -> Response:
    """List dead letters, newest first, of one code or of all."""
    sources, visitor, given = sources_of(request), visitor_of(request), request.query_params
    mask, code = sources.mask_for(visitor), given.get("code", "")
    page = await sources.dead_letters.page(visitor, mask, code, cursor=given.get("before") or None)
    counted = await sources.dead_letters.page(visitor, mask, limit=_COUNTED)
    return render(
        request, "dead-letters.html", letters=page.found, chosen=code, codes=_count_codes(counted.found),
        older=older(request, page.next), newest=newest(request),
    )  # fmt: skip


def _count_codes(letters: list[Letter]) -> dict[str, int]:
    codes: dict[str, int] = {}
    for letter in letters:
        codes[letter.header("code")] = codes.get(letter.header("code"), 0) + 1
    return dict(sorted(codes.items(), key=lambda item: -item[1]))


async def show_one(request: Request) -> Response:
    """Show one dead letter: why, where it came from, its bytes and what they say."""
    mask = sources_of(request).mask_for(visitor_of(request))
    place = request.path_params["partition"], request.path_params["offset"]
    return render(request, "dead-letter.html", letter=await _find(request, mask, *place))


async def _find(request: Request, mask: Mask, partition: int, offset: int) -> Letter:
    letter = await sources_of(request).dead_letters.find(visitor_of(request), mask, partition, offset)
    if letter is None:
        raise missing("There is no such dead letter, or it is no longer kept.")
    return letter


async def _choose(request: Request) -> list[Letter]:
    """Return the dead letters that an address names, as they are: they are sent, not shown."""
    given = request.query_params
    place = given.get("partition", ""), given.get("offset", "")
    if all(part.isdecimal() and len(part) < 19 for part in place):
        return [await _find(request, Mask(), *map(int, place))]
    visitor, letters = visitor_of(request), sources_of(request).dead_letters
    return (await letters.page(visitor, Mask(), given.get("code", ""), limit=_REPLAYED)).found


async def ask_replay(request: Request) -> Response:
    """Ask whether dead letters shall be sent again."""
    letters = await _choose(request)
    people = len({letter.record.key for letter in letters if letter.record.key})
    effects = [
        f"{len(letters):,} records of {people:,} people go to their topics once more, byte for byte.",
        "What was wrong and is still wrong comes back here as a new dead letter.",
        f"At most the newest {_REPLAYED} are sent at once.",
    ]
    return confirm(request, "Send dead letters again?", "Send again", effects, back="/dead-letters")


async def replay(request: Request) -> Response:
    """Send dead letters again."""
    count = await sources_of(request).dead_letters.replay(await _choose(request))
    return done("/dead-letters", f"{count:,} records were sent again.")


ROUTES = [
    Route("/dead-letters", show_all),
    Route("/dead-letters/{partition:int}/{offset:int}", show_one),
    Route("/dead-letters/replay", ask_replay),
    Route("/dead-letters/replay", acting(replay), methods=["POST"]),
]

"""Dead letters: records that could not be used, what became of each, and what is done about them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.exceptions import HTTPException

from streams.clock import now
from streams.web.access.masking import Mask
from streams.web.api.parameters import Acting, After, By, From, Limit, Reading, missing
from streams.web.api.shapes import Shape
from streams.web.queries.letter_states import MOVES, Move, State, States, read_states
from streams.web.sources.dead_letters import Letter, wanting
from streams.web.sources.letter_index import by_code, by_state, of_visitor
from streams.web.sources.moving import move_letters


class DeadLetter(Shape):
    """A record that could not be used, and what became of it; bytes that are not UTF-8 are shown as U+FFFD."""

    partition: int
    offset: int
    at: datetime
    state: State
    code: str
    reason: str
    topic: str
    tenant_id: str
    customer_id: str
    key: str | None
    value: str | None


class DeadLetters(Shape):
    """Some dead letters; how many there are by state; and by code, in the state that was asked for."""

    items: list[DeadLetter]
    next: str | None
    counts: dict[State, int]
    codes: dict[str, int]


router = APIRouter(tags=["dead letters"])
Wanted = Literal["open", "replayed", "resolved", "discarded", "all"]


@router.get("/dead-letters")
async def list_dead_letters(
    sources: From, reader: Reading, visitor: By, state: Wanted = "open",
    code: Annotated[str, Query(max_length=200)] = "", limit: Limit = 50, cursor: After = None,
) -> DeadLetters:  # fmt: skip
    """List dead letters, newest first, with how many there are by state, and by code in this state."""
    chosen, states = None if state == "all" else state, await read_states(reader)
    await sources.dead_letters.index.refresh()
    counts = of_visitor(sources.dead_letters.index.count(states), visitor)
    page = await sources.dead_letters.page(
        visitor, sources.mask_for(visitor), wanting(states, chosen, code), cursor=cursor, limit=limit
    )
    return DeadLetters(
        items=[describe_letter(letter, states) for letter in page.found], next=page.next,
        counts=by_state(counts), codes=by_code(counts, chosen),
    )  # fmt: skip


@router.get("/dead-letters/{partition}/{offset}")
async def show_dead_letter(sources: From, reader: Reading, visitor: By, partition: int, offset: int) -> DeadLetter:
    """Show one dead letter."""
    letter = await sources.dead_letters.find(visitor, sources.mask_for(visitor), partition, offset)
    if letter is None:
        raise missing()
    return describe_letter(letter, await read_states(reader))


@router.post("/dead-letters/{partition}/{offset}/{move}", dependencies=[Acting])
async def move_dead_letter(sources: From, visitor: By, partition: int, offset: int, move: Move) -> DeadLetter:
    """Replay a dead letter, or say that it is resolved, discarded, or open again."""
    letter = await sources.dead_letters.find(visitor, Mask(), partition, offset)
    if letter is None:
        raise missing()
    if not await move_letters(sources.dead_letters, sources.engine, [letter], move, visitor.name or "api", now()):
        raise HTTPException(409, "The topic that it came from is none that events are sent to.")
    shown = await sources.dead_letters.find(visitor, sources.mask_for(visitor), partition, offset)
    return describe_letter(shown or letter, {letter.place: MOVES[move]})


def describe_letter(letter: Letter, states: States) -> DeadLetter:
    """Return a dead letter as the API and the command line show it."""
    record = letter.record
    shown: dict[str, Any] = {name: letter.header(name) for name in ("code", "reason", "topic")}
    return DeadLetter(
        partition=record.partition, offset=record.offset, at=record.at, tenant_id=letter.tenant,
        customer_id=letter.customer, state=states.get(letter.place, "open"), key=_text(record.key),
        value=_text(record.value), **shown,
    )  # fmt: skip


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")

"""How commands find dead letters and act on them: by the same sources and states as pages and API."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from getpass import getuser
from typing import NamedTuple, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from models.duration import add, parse_offset
from models.moment import read_moment
from streams.clock import now
from streams.database import create_engine, reach
from streams.engine.decoding import Rejection, decode
from streams.errors import FairwayError
from streams.kafka.readiness import find_partitions
from streams.kafka.topics import DEAD_LETTERS, INBOX, read_topics
from streams.settings import Settings
from streams.web.access.masking import Mask
from streams.web.access.visitor import Visitor
from streams.web.queries.letter_states import STATES, Move, State, States, read_states
from streams.web.queries.query import Reader
from streams.web.sources.dead_letters import PAGE, DeadLetters, Letter, wanting
from streams.web.sources.letter_reasons import Told, count_reasons
from streams.web.sources.moving import move_letters

_REASONS = 50  # of one state
_DAYS = {"today": timedelta(), "yesterday": timedelta(days=1)}

Result = TypeVar("Result")
Position = tuple[int, int]
"""The partition and the offset of a dead letter."""


class Choice(NamedTuple):
    """Which dead letters are meant; None and the empty text stand for any."""

    state: State | None
    code: str = ""
    topic: str = ""
    tenant: str | None = None
    customer: str = ""
    since: datetime | None = None
    limit: int = PAGE


class Letters:
    """The dead letters, and what became of them."""

    def __init__(self, source: DeadLetters, engine: AsyncEngine, states: States) -> None:
        self._source, self._engine = source, engine
        self.states = states

    async def find(self, positions: Sequence[Position]) -> list[Letter]:
        """Return the dead letters at these positions; raises FairwayError if one is not there."""
        found = []
        for partition, offset in positions:
            letter = await self._source.find(Visitor(), Mask(), partition, offset)
            if letter is None:
                raise FairwayError(f"There is no dead letter {partition}:{offset}, or it is no longer kept.")
            found.append(letter)
        return found

    async def pages(self, choice: Choice, positions: Sequence[Position] = ()) -> AsyncIterator[list[Letter]]:
        """Yield the dead letters at these positions or, where none are given, those of the choice, newest first."""
        if positions:
            yield await self.find(positions)
            return
        visitor = Visitor(tenants=None if choice.tenant is None else frozenset({choice.tenant}))
        wanted = wanting(
            self.states, choice.state, choice.code,
            topic=choice.topic, customer=choice.customer, since=choice.since,
        )  # fmt: skip
        left, cursor = choice.limit, None
        while left:
            page = await self._source.page(
                visitor, Mask(), wanted, since=choice.since, cursor=cursor, limit=min(PAGE, left)
            )
            yield page.found
            left, cursor = left - len(page.found), page.next
            if cursor is None:
                return

    async def move(
        self, move: Move, choice: Choice, positions: Sequence[Position], value: bytes | None = None
    ) -> tuple[int, int]:
        """Do with dead letters what was decided; return with how many it was done, and with how many not.

        `value` is sent in place of theirs. Raises FairwayError, and sends nothing of these, if it can't be used, or
        if one was sent again before.
        """
        done = left = 0
        async for letters in self.pages(choice, positions):
            if move == "replay":
                self._see_that_none_was_sent(letters)
            meant = letters if value is None else [_mend(letter, value) for letter in letters]
            moved = await move_letters(self._source, self._engine, meant, move, getuser(), now())
            done, left = done + moved, left + len(letters) - moved
        return done, left

    def _see_that_none_was_sent(self, letters: Sequence[Letter]) -> None:
        """Raise FairwayError if one was sent again before: what is still wrong came back as another."""
        sent = [f"{place.partition}:{place.offset}" for place in (letter.place for letter in letters)
                if self.states.get(place) == "replayed"]  # fmt: skip
        if sent:
            raise FairwayError(
                f"Nothing was sent, for {', '.join(sent)} was sent again before; if that shall be done once more, "
                f"run 'fairway dead-letters reopen {' '.join(sent)}' first."
            )


async def foretell(letters: Letters, position: Position, value: bytes) -> str:
    """Return what the worker would make of a dead letter that is sent again with another value; as `_judge`."""
    (letter,) = await letters.find([position])
    return _judge(letter, value)


def _judge(letter: Letter, value: bytes) -> str:
    """Say what another value is good for; raises FairwayError if it would be a dead letter once more."""
    topic = letter.header("topic")
    if topic == INBOX:
        return f"Whether the new value can be used is not known before: '{INBOX}' holds no events."
    found = decode(value, letter.original_headers, topic)
    if isinstance(found, Rejection):
        raise FairwayError(
            f"The new value would come back as a dead letter, code '{found.code}': {found.reason} Nothing was sent."
        )
    return (
        f"The new value can be used: {found.event_type} '{found.event_id}' of customer '{found.customer_id}' of "
        f"'{found.tenant_id}'."
    )


def _mend(letter: Letter, value: bytes) -> Letter:
    _judge(letter, value)
    return Letter(msgspec.structs.replace(letter.record, value=value))


async def count_by_reason(letters: Letters, choice: Choice) -> tuple[list[dict[str, object]], int]:
    """Return how many dead letters of a choice there are by state, code and reason, and how many are left out."""
    told: dict[State, list[Told]] = {}
    async for page in letters.pages(choice):
        for one in page:
            state = letters.states.get(one.place, "open")
            told.setdefault(state, []).append(Told(one.header("code"), one.header("reason"), one.record.at))
    counted = {state: count_reasons(every, _REASONS) for state, every in told.items()}
    rows: list[dict[str, object]] = [
        {"code": one.code, "state": state, "letters": one.letters, "newest": f"{one.newest:%Y-%m-%dT%H:%M:%SZ}",
         "reason": one.text}
        for state, reasons in counted.items() for one in reasons.shown
    ]  # fmt: skip
    rows.sort(key=lambda row: -int(str(row["letters"])))
    return rows, sum(reasons.letters_left_out for reasons in counted.values())


async def with_letters(settings: Settings, work: Callable[[Letters], Awaitable[Result]]) -> Result:
    """Return what the work comes to; raises FairwayError where Kafka or Postgres can't be used."""
    topics = read_topics(settings.topics_file, settings.app_id)
    await find_partitions(settings, DEAD_LETTERS)
    source = DeadLetters(settings, topics)
    try:
        async with reach(create_engine(settings.database_url)) as engine:
            async with engine.connect() as connection:
                states = await read_states(Reader(connection, None, Mask()))
            return await work(Letters(source, engine, states))
    finally:
        await source.close()


def read_state(text: str) -> State | None:
    """Return the state that a text names, None for "all"; raises FairwayError."""
    if text == "all":
        return None
    for state in STATES:
        if text == state:
            return state
    raise FairwayError(f"'{text}' is no state of a dead letter: choose one of {', '.join(STATES)}, or all.")


def read_since(text: str, at: datetime) -> datetime:
    """Return the moment that a text names, or that was so long ago; days begin in UTC. Raises FairwayError."""
    if (moment := read_moment(text, UTC)) is not None:
        return moment
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if (days := _DAYS.get(text.strip().lower())) is not None:
        return midnight - days
    try:
        return add(at, parse_offset(f"-{text.strip()}"), UTC)
    except ValueError:
        raise FairwayError(
            f"'{text}' is neither a date, such as 2026-11-23 or 2026-11-23T10:00:00Z, nor today, "
            "yesterday, or how long ago, such as '1 day' or '2 hours'."
        ) from None


def read_position(text: str) -> Position:
    """Return the position that a text names, as 3:1204 or 3/1204; raises FairwayError."""
    partition, _, offset = text.replace("/", ":").partition(":")
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in (partition, offset)):
        raise FairwayError(f"'{text}' names no dead letter; give a partition and an offset, such as 3:1204.")
    return int(partition), int(offset)

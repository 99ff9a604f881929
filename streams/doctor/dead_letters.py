"""Check of what could not be used: how many dead letters are open, of the newest that there are."""

import asyncio

from streams.database import create_engine, reach
from streams.doctor.finding import Findings
from streams.errors import FairwayError
from streams.health.wording import count_of, runbook
from streams.kafka.topics import Topics
from streams.settings import Settings
from streams.web.access.masking import Mask
from streams.web.queries.letter_states import States, read_states
from streams.web.queries.query import Reader
from streams.web.sources.dead_letters import DeadLetters
from streams.web.sources.letter_index import by_state

_MOST = 2_000  # offsets over all partitions that are looked at: the doctor shall be quick
_PATIENCE = 5.0  # seconds; what is known by then is told
_TODO = (
    "'fairway dead-letters count --state open' and the page 'Dead letters' say how many of which kind, and why."
    f" Mend the cause, then replay or discard them. Runbook: {runbook('FairwayDeadLetters')}."
)


async def check_dead_letters(findings: Findings, settings: Settings, topics: Topics) -> None:
    """Note how many dead letters are open; raises KafkaError."""
    states = await _read_states(settings)
    letters = DeadLetters(settings, topics, _MOST)
    try:
        is_whole = True
        try:
            async with asyncio.timeout(_PATIENCE):
                await letters.index.refresh()
        except TimeoutError:
            is_whole = False
        counts = letters.index.count(states or {})
        opened = by_state(counts)["open"]
        note(
            findings,
            opened,
            counts.total() - opened,
            is_whole=is_whole and letters.index.is_whole,
            known=states is not None,
        )
    finally:
        await letters.close()


async def _read_states(settings: Settings) -> States | None:
    """Return what became of dead letters; None where Postgres can't be asked."""
    try:
        async with reach(create_engine(settings.database_url)) as engine, engine.connect() as connection:
            return await read_states(Reader(connection, None, Mask()))
    except FairwayError:
        return None


def note(findings: Findings, opened: int, done: int, *, is_whole: bool, known: bool) -> None:
    """Note how many dead letters are open, and how many are dealt with; `known` says whether that can be told."""
    least = "" if is_whole else "At least "
    dealt_with = f"; {count_of(done, 'other')} {'is' if done == 1 else 'are'} dealt with" if done else ""
    are = "is" if opened == 1 else "are"
    if opened and not known:
        text = f"{least}{count_of(opened, 'dead letter')} {are} kept; Postgres would know how many are open."
        findings.warn("dead-letters", text, _TODO)
    elif opened:
        findings.warn("dead-letters", f"{least}{count_of(opened, 'dead letter')} {are} open{dealt_with}.", _TODO)
    elif not is_whole:
        findings.ok("dead-letters", f"None of the newest dead letters is open{dealt_with}.")
    else:
        findings.ok("dead-letters", f"No dead letter is open{dealt_with}.")

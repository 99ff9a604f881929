"""What people decide about dead letters: sent again, or kept as dealt with."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from streams.web.queries.letter_states import MOVES, Move, set_states
from streams.web.sources.dead_letters import DeadLetters, Letter


async def move_letters(
    dead_letters: DeadLetters, engine: AsyncEngine, letters: Sequence[Letter], move: Move, actor: str, now: datetime
) -> int:
    """Do with dead letters what was decided; return with how many.

    They are sent first, and told to be so afterwards: should that fail, they are open still, and events that are
    sent twice are told by their ids.
    """
    moved = await dead_letters.replay(letters) if move == "replay" else list(letters)
    async with engine.begin() as connection:
        await set_states(connection, [letter.place for letter in moved], MOVES[move], actor, now)
    return len(moved)

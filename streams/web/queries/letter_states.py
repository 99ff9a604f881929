"""What became of dead letters, kept in Postgres: the topic itself can't be changed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal, get_args

import msgspec
from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rows import DeadLetterStateRow
from streams.web.queries.query import Reader

State = Literal["open", "replayed", "resolved", "discarded"]
STATES: tuple[State, ...] = get_args(State)

Move = Literal["replay", "resolve", "discard", "reopen"]
MOVES: Mapping[Move, State] = {
    "replay": "replayed", "resolve": "resolved", "discard": "discarded", "reopen": "open",
}  # fmt: skip
"""What may be done with a dead letter, and what it is afterwards."""
DONE: Mapping[Move, str] = {
    "replay": "sent again", "resolve": "marked as resolved", "discard": "discarded", "reopen": "opened again",
}  # fmt: skip
"""How it is told that it was done."""


class Place(msgspec.Struct, frozen=True):
    """Which record of the topic is meant; `written_at` tells it from one of a topic that was made anew."""

    partition: int
    offset: int
    written_at: datetime


States = Mapping[Place, State]
"""The states of those that are not open."""


async def read_states(reader: Reader) -> States:
    """Return the states of all dead letters that are not open."""
    rows = await reader.fetch(select(DeadLetterStateRow.__table__))
    return {Place(row["partition"], row["offset"], row["written_at"]): row["state"] for row in rows}


async def set_states(
    connection: AsyncConnection, places: Collection[Place], state: State, actor: str, now: datetime
) -> None:
    """Keep what became of dead letters, who decided it, and when."""
    table = DeadLetterStateRow
    if not places:
        return
    if state == "open":
        mine = tuple_(table.partition, table.offset, table.written_at).in_(
            [(place.partition, place.offset, place.written_at) for place in places]
        )
        await connection.execute(delete(table).where(mine))
        return
    rows = [msgspec.structs.asdict(place) | {"state": state, "at": now, "actor": actor} for place in places]
    query = insert(table)
    moved = {name: query.excluded[name] for name in ("state", "at", "actor")}
    key = table.partition, table.offset, table.written_at
    await connection.execute(query.on_conflict_do_update(index_elements=key, set_=moved), rows)

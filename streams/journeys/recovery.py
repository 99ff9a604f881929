"""Journeys brought back from the definitions topic into a Postgres that was restored, or made anew.

What the workers run is the truth: where the topic knows a later change of a journey than Postgres, Postgres takes
its versions and its status. What is in the outbox for it is older, and is dropped; the status is sent once more, so
that it is the last word on the topic, too.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.journey import Journey
from models.rows import AuditRow, JourneyRow, JourneyStepRow, JourneyVersionRow, OutboxRow
from streams.journeys.authoring import Author, explain_taken, settings_of, steps_of
from streams.journeys.records import JourneyState, Key, UnusableError, check_form, read_version, status_record
from streams.polling import OUTBOX, call


class Recovered(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a journey of the topic; `problem` says why it could not be brought back."""

    tenant_id: str
    name: str
    id: str
    status: str
    version: int
    change: Literal["recovered", "unchanged", "refused"]
    problem: str = ""


async def recover(
    connection: AsyncConnection, states: Iterable[JourneyState], values: dict[Key, bytes], author: Author
) -> list[Recovered]:
    """Bring every journey back of which the topic knows a later change; each by itself: one stops no other."""
    found = []
    for state in sorted(states, key=lambda one: (one.tenant_id, one.name)):
        try:
            async with connection.begin_nested():
                change: Literal["recovered", "unchanged"]
                change = "recovered" if await _recover(connection, state, values, author) else "unchanged"
                found.append(_tell(state, change))
        except IntegrityError as error:
            found.append(_tell(state, "refused", explain_taken(state.tenant_id, state.name, str(error.orig))))
        except ValueError as error:  # a record that can't be used, or needs a newer Fairway
            found.append(_tell(state, "refused", str(error)))
    return found


def _tell(
    state: JourneyState, change: Literal["recovered", "unchanged", "refused"], problem: str = ""
) -> Recovered:
    return Recovered(state.tenant_id, state.name, state.journey_id, state.status, state.version, change, problem)


async def _recover(
    connection: AsyncConnection, state: JourneyState, values: dict[Key, bytes], author: Author
) -> bool:
    """Write what the topic says of a journey, if that is later; say whether it was."""
    query = select(JourneyRow).where(JourneyRow.id == state.journey_id).with_for_update()
    row = (await connection.execute(query)).mappings().first()
    if row is not None and row["trigger_type"] and row["revision"] >= state.revision:
        return False
    if row is not None and row["tenant_id"] != state.tenant_id:
        raise UnusableError("The journey's id belongs to another tenant.")
    versions = _read_versions(state, values)
    newest = versions.get(state.version)
    if newest is None:
        raise UnusableError(f"The topic lacks version {state.version}.")
    await _write_journey(connection, state, newest, author)
    await _write_versions(connection, versions, newest, author)
    own = OutboxRow.key.startswith(f"{state.tenant_id}:{state.journey_id}", autoescape=True)
    await connection.execute(delete(OutboxRow).where(own))
    key, value = status_record(state)
    await connection.execute(insert(OutboxRow).values(key=key, value=value, created_at=author.now))
    await call(connection, OUTBOX)
    where = {"tenant_id": state.tenant_id, "subject": f"journey {state.journey_id}", "action": "recover"}
    after = {"status": state.status, "version": state.version}
    await connection.execute(insert(AuditRow).values(at=author.now, actor=author.name, after=after, **where))
    return True


def _read_versions(state: JourneyState, values: dict[Key, bytes]) -> dict[int, Journey]:
    found = {}
    for key, value in values.items():
        if key[:2] == (state.tenant_id, state.journey_id) and key.version is not None:
            check_form(key, value)
            found[key.version] = read_version(key, value)
    return found


async def _write_journey(connection: AsyncConnection, state: JourneyState, newest: Journey, author: Author) -> None:
    values: dict[str, Any] = settings_of(newest) | {
        "tenant_id": state.tenant_id, "name": state.name, "status": state.status, "version": state.version,
        "revision": state.revision, "updated_at": state.updated_at, "deleted_at": None,
    }  # fmt: skip
    made = {"id": state.journey_id, "created_at": state.updated_at, "created_by": author.name}
    statement = upsert(JourneyRow).values(**made, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


async def _write_versions(
    connection: AsyncConnection, versions: dict[int, Journey], newest: Journey, author: Author
) -> None:
    for number, journey in versions.items():
        definition = journey.plain()
        made = {"created_at": author.now, "created_by": author.name}
        statement = upsert(JourneyVersionRow).values(
            journey_id=journey.id, version=number, definition=definition, **made
        )
        same = {"definition": definition}
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["journey_id", "version"], set_=same)
        )
    await connection.execute(delete(JourneyStepRow).where(JourneyStepRow.journey_id == newest.id))
    await connection.execute(insert(JourneyStepRow), steps_of(newest, author))

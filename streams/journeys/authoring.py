"""Journeys in Postgres: versions (R28), status (R29), and the outbox that takes each change to the workers."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import RowMapping, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.ids import name_uuid
from models.journey import Journey, JourneyStatus
from models.rows import AuditRow, JourneyRow, JourneyStepRow, JourneyVersionRow, OutboxRow
from streams.engine import transitions
from streams.engine.transitions import Move
from streams.errors import FairwayError
from streams.journeys.records import JourneyState, status_record, version_record
from streams.journeys.stored import find, read_version
from streams.polling import OUTBOX, call

DRAFT, ACTIVE, PAUSED, ARCHIVED = JourneyStatus
_MOVES: dict[JourneyStatus, Move] = {ACTIVE: "activate", PAUSED: "pause", ARCHIVED: "archive"}
_CHANGES_BY_ITSELF = {"status", "version"}


class Author(msgspec.Struct, frozen=True):
    """Who changes something, and when; the audit keeps both."""

    name: str
    now: datetime


class Applied(msgspec.Struct, frozen=True, rename="camel"):
    """How a journey stands after a change, and what the change was."""

    id: str
    tenant_id: str
    name: str
    status: JourneyStatus
    version: int
    revision: int
    change: Literal["created", "changed", "unchanged"]


class ConflictError(FairwayError):
    """The journey is not as the change expects it to be."""


async def apply(
    connection: AsyncConnection, journey: Journey, author: Author, *, revision: int | None = None
) -> Applied:
    """Store a journey: create it, make a new version of it, or leave it alone where nothing differs.

    A status in the file is taken where R29 allows the way there. An id that another tenant has stands for one of
    this tenant's own. Raises ConflictError for a journey that is archived, whose name or campaign is taken, or that
    has another revision than the one given.
    """
    await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": journey.id})
    journey = await bind(connection, journey)
    before = await _read(connection, journey.id)
    try:
        if before is None:
            await _create(connection, journey, author)
        else:
            _check(before, revision)
            await _change(connection, before, journey, author)
    except IntegrityError as error:
        raise ConflictError(
            explain_taken(journey.tenant_id, journey.name, str(error.orig), journey.campaign_id)
        ) from None
    if journey.status not in (None, DRAFT):
        await move(connection, journey.tenant_id, journey.id, _MOVES[journey.status], author)
    after = await _read(connection, journey.id)
    assert after is not None
    if before is None:
        return _tell(after, "created")
    return _tell(after, "unchanged" if after["revision"] == before["revision"] else "changed")


async def bind(connection: AsyncConnection, journey: Journey) -> Journey:
    """Return the journey with an id that is free or its tenant's: nobody can take another's, or find out about it.

    A journey whose id another tenant has got first is known by a name of that id and its tenant, now and later.
    """
    id_ = journey.id
    while True:
        query = select(JourneyRow.tenant_id).where(JourneyRow.id == id_)
        if (await connection.execute(query)).scalar() in (None, journey.tenant_id):
            return journey if id_ == journey.id else journey.model_copy(update={"id": id_})
        id_ = name_uuid(id_, journey.tenant_id)


async def move(
    connection: AsyncConnection, tenant_id: str, name: str, by: Move, author: Author,
    *, revision: int | None = None, because: str | None = None,
) -> Applied:  # fmt: skip
    """Activate, pause, resume or archive a journey, by name or id; where it is so already, nothing changes.

    `because` is a sentence that says why, where it was not a person who wanted it.
    Raises UnknownError for a journey that the tenant doesn't have, ConflictError for a move that R29 doesn't allow.
    """
    row = await find(connection, tenant_id, name, lock=True)
    _check(row, revision)
    status = transitions.move(JourneyStatus(row["status"]), by)
    if status is None:
        raise ConflictError(f"Journey '{row['name']}' is {row['status']} and can't be {by}d.")
    if status == row["status"]:
        return _tell(row, "unchanged")
    times = {ACTIVE: {"activated_at": author.now}, PAUSED: {"paused_at": author.now}}.get(status, {})
    await _update(connection, row, author, status=status, paused_because=because, **times)
    await _announce(connection, row["id"])
    told = {"status": status} | ({"because": because} if because else {})
    await _note(connection, author, row, status.lower(), {"status": row["status"]}, told)
    after = await _read(connection, row["id"])
    assert after is not None
    return _tell(after, "changed")


async def remove(
    connection: AsyncConnection, tenant_id: str, name: str, author: Author, *, revision: int | None = None
) -> None:
    """Archive a journey and hide it; its history stays, and so does its name."""
    applied = await move(connection, tenant_id, name, "archive", author, revision=revision)
    hide = update(JourneyRow).where(JourneyRow.id == applied.id)
    await connection.execute(hide.values(deleted_at=author.now))
    row = {"tenant_id": tenant_id, "id": applied.id}
    await _note(connection, author, row, "delete", None, {"deletedAt": author.now.isoformat()})


async def republish(connection: AsyncConnection, tenant_id: str, name: str, author: Author) -> int:
    """Put all versions of a journey and its status into the outbox once more; return how many versions."""
    row = await find(connection, tenant_id, name, lock=True)
    where = JourneyVersionRow.journey_id == row["id"]
    query = select(JourneyVersionRow.definition).where(where).order_by(JourneyVersionRow.version)
    definitions = (await connection.execute(query)).scalars().all()
    for definition in definitions:
        key, value = version_record(Journey.model_validate(definition))
        await connection.execute(insert(OutboxRow).values(key=key, value=value, created_at=author.now))
    await _announce(connection, row["id"])
    return len(definitions)


async def _read(connection: AsyncConnection, journey_id: str) -> RowMapping | None:
    query = select(JourneyRow).where(JourneyRow.id == journey_id).with_for_update(key_share=True)
    return (await connection.execute(query)).mappings().first()


def _check(row: RowMapping, revision: int | None) -> None:
    if revision is not None and row["revision"] != revision:
        raise ConflictError(
            f"Journey '{row['name']}' was changed in the meantime; read it again and repeat the change."
        )


async def _create(connection: AsyncConnection, journey: Journey, author: Author) -> None:
    first = journey.model_copy(update={"version": 1})
    made = {"id": journey.id, "tenant_id": journey.tenant_id, "created_by": author.name}
    times = {"created_at": author.now, "updated_at": author.now, "revision": _milliseconds(author)}
    await connection.execute(insert(JourneyRow).values(**made, **times, **settings_of(journey)))
    await _store_version(connection, first, author)
    await _note(
        connection, author, {"tenant_id": journey.tenant_id, "id": journey.id}, "create", None, first.plain()
    )


async def _change(connection: AsyncConnection, row: RowMapping, journey: Journey, author: Author) -> None:
    if row["status"] == ARCHIVED:
        raise ConflictError(
            f"Journey '{row['name']}' is ARCHIVED and can't be changed; give the new one another name."
        )
    before = await read_version(connection, journey.id, row["version"])
    if before is not None and _authored(before) == _authored(journey):
        return
    newer = journey.model_copy(update={"version": row["version"] + 1})
    await _update(connection, row, author, version=newer.version, deleted_at=None, **settings_of(newer))
    await _store_version(connection, newer, author)
    await _note(connection, author, row, "change", before and before.plain(), newer.plain())


def _milliseconds(author: Author) -> int:
    return int(author.now.timestamp() * 1000)


def _authored(journey: Journey) -> dict[str, Any]:
    return journey.model_dump(exclude=_CHANGES_BY_ITSELF)


def settings_of(journey: Journey) -> dict[str, Any]:
    """Return what a journey's row has of its newest version."""
    same = {"club_id", "name", "description", "trigger_type", "campaign_id", "allow_reentry", "reentry_after"}
    settings = journey.model_dump(include=same | {"enrollment_key", "max_enrollments", "timezone"})
    return settings | {"trigger_config": journey.plain().get("triggerConfig")}


async def _update(connection: AsyncConnection, row: RowMapping, author: Author, **values: Any) -> None:
    """Write a change of the journey's row; every one makes a new revision.

    It is the time in milliseconds, or the next number: so a database that was set up anew is not taken for old.
    """
    revision = func.greatest(JourneyRow.revision + 1, _milliseconds(author))
    change = update(JourneyRow).where(JourneyRow.id == row["id"])
    await connection.execute(change.values(revision=revision, updated_at=author.now, **values))


async def _store_version(connection: AsyncConnection, journey: Journey, author: Author) -> None:
    definition = journey.plain()
    made = {"definition": definition, "created_at": author.now, "created_by": author.name}
    await connection.execute(
        insert(JourneyVersionRow).values(journey_id=journey.id, version=journey.version, **made)
    )
    await connection.execute(delete(JourneyStepRow).where(JourneyStepRow.journey_id == journey.id))
    await connection.execute(insert(JourneyStepRow), steps_of(journey, author))
    key, value = version_record(journey)
    await connection.execute(insert(OutboxRow).values(key=key, value=value, created_at=author.now))
    await _announce(connection, journey.id)


def steps_of(journey: Journey, author: Author) -> list[dict[str, Any]]:
    """Return the rows of a journey's steps."""
    times = {"created_at": author.now, "updated_at": author.now}
    steps = [{"journey_id": journey.id, **step.model_dump(), **times} for step in journey.steps]
    for step, dumped in zip(steps, journey.plain()["steps"], strict=True):
        step["config"] = dumped["config"]
    return steps


async def _announce(connection: AsyncConnection, journey_id: str) -> None:
    row = await _read(connection, journey_id)
    assert row is not None
    same = {name: row[name] for name in ("tenant_id", "name", "version", "revision")}
    status, at = JourneyStatus(row["status"]), row["updated_at"]
    key, value = status_record(JourneyState(journey_id=row["id"], status=status, updated_at=at, **same))
    await connection.execute(insert(OutboxRow).values(key=key, value=value, created_at=at))
    await call(connection, OUTBOX)


async def _note(
    connection: AsyncConnection, author: Author, row: Any, action: str, before: Any, after: dict[str, Any]
) -> None:
    where = {"tenant_id": row["tenant_id"], "subject": f"journey {row['id']}", "action": action}
    await connection.execute(
        insert(AuditRow).values(at=author.now, actor=author.name, before=before, after=after, **where)
    )


def explain_taken(tenant_id: str, name: str, error: str, campaign_id: str | None = None) -> str:
    """Return a sentence for what Postgres says of a journey whose name or campaign another has."""
    if "uq_journeys_tenant_id_name" in error:
        return f"Tenant '{tenant_id}' has another journey named '{name}'; choose another name."
    if "uq_journeys_tenant_id_campaign_id" in error:
        of = f" '{campaign_id}'" if campaign_id else ""
        return f"Tenant '{tenant_id}' has another journey of the campaign{of}; unlink it there first."
    return f"Journey '{name}' can't be stored: {error}."


def _tell(row: RowMapping, change: Literal["created", "changed", "unchanged"]) -> Applied:
    same = {name: row[name] for name in ("id", "tenant_id", "name", "version", "revision")}
    return Applied(**same, status=JourneyStatus(row["status"]), change=change)

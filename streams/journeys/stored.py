"""Journeys as Postgres has them: found by name or id, listed, and given back as their files would hold them."""

from typing import Any

from pydantic.alias_generators import to_camel
from sqlalchemy import RowMapping, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from models.journey import Journey, JourneyStatus
from models.rows import JourneyRow, JourneyVersionRow
from streams.engine.check.shape import suggest
from streams.errors import FairwayError

_COMPARED = 500  # names of journeys with one that is unknown


class UnknownError(FairwayError):
    """The tenant has no such journey."""


async def find(connection: AsyncConnection, tenant_id: str, name: str, *, lock: bool = False) -> RowMapping:
    """Return the row of a journey by name or id; raises UnknownError if the tenant doesn't have it."""
    named = or_(JourneyRow.name == name, text("journeys.id::text = :name").bindparams(name=name))
    query = select(JourneyRow).where(JourneyRow.tenant_id == tenant_id, JourneyRow.deleted_at.is_(None), named)
    # Not FOR UPDATE: enrolments refer to this row, and the projection must not wait for an author.
    row = (await connection.execute(query.with_for_update(key_share=True) if lock else query)).mappings().first()
    if row is None:
        raise await _tell_unknown(connection, tenant_id, name)
    return row


async def _tell_unknown(connection: AsyncConnection, tenant_id: str, name: str) -> UnknownError:
    theirs = select(JourneyRow.name).where(JourneyRow.tenant_id == tenant_id, JourneyRow.deleted_at.is_(None))
    meant = suggest(name, (await connection.execute(theirs.limit(_COMPARED))).scalars())
    return UnknownError(
        f"Tenant '{tenant_id}' has no journey '{name}'" + (f"; did you mean '{meant}'?" if meant else ".")
    )


async def list_all(
    connection: AsyncConnection, tenant_id: str | None, status: JourneyStatus | None
) -> list[dict[str, Any]]:
    """Return how journeys stand and their totals, by tenant and name."""
    query = (
        select(JourneyRow).where(JourneyRow.deleted_at.is_(None)).order_by(JourneyRow.tenant_id, JourneyRow.name)
    )
    if tenant_id is not None:
        query = query.where(JourneyRow.tenant_id == tenant_id)
    if status is not None:
        query = query.where(JourneyRow.status == status)
    return [_summary(row) for row in (await connection.execute(query)).mappings()]


def _summary(row: RowMapping) -> dict[str, Any]:
    same = "tenant_id", "name", "id", "status", "version", "revision", "club_id", "trigger_type", "updated_at"
    totals = {name: row[f"total_{name}"] for name in ("enrolled", "completed", "exited", "failed")}
    return (
        {to_camel(name): row[name] for name in same}
        | totals
        | {"problem": row["problem"], "pausedBecause": row["paused_because"]}
    )


async def export(
    connection: AsyncConnection, tenant_id: str, name: str, version: int | None = None
) -> dict[str, Any]:
    """Return a version of a journey, the newest if none is named, as plain data, as its file would hold it."""
    row = await find(connection, tenant_id, name)
    version = row["version"] if version is None else version
    journey = await read_version(connection, row["id"], version)
    if journey is None:
        raise UnknownError(f"Journey '{row['name']}' has no version {version} in this database.")
    return journey.plain() | {"status": row["status"]}


async def read_version(connection: AsyncConnection, journey_id: str, version: int) -> Journey | None:
    """Return one version of a journey."""
    where = JourneyVersionRow.journey_id == journey_id, JourneyVersionRow.version == version
    definition = (await connection.execute(select(JourneyVersionRow.definition).where(*where))).scalar()
    return None if definition is None else Journey.model_validate(definition)

"""Journeys as they stand, filtered by tenant and status; versions, names of steps, and the audit of changes."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import select

from models.journey import Journey
from models.rows import AuditRow, JourneyRow, JourneyStepRow, JourneyVersionRow
from streams.web.queries.cursors import Keyset, Number, Page, Text
from streams.web.queries.query import Reader, Row

_BY_NAME = Keyset(("tenant_id", Text), ("name", Text), down=False)
_NEWEST = Keyset(("id", Number), down=True)


class Filter(msgspec.Struct, frozen=True):
    """Which journeys are asked for; `part` is of their names."""

    tenant: str | None = None
    status: str | None = None
    trigger: str | None = None
    part: str = ""


async def list_journeys(
    reader: Reader, wanted: Filter | None = None, *, cursor: str | None = None, limit: int
) -> Page:
    """Return journeys by tenant and name."""
    table, wanted = JourneyRow, wanted or Filter()
    query = select(table.__table__).where(table.deleted_at.is_(None), *_BY_NAME.beyond(table, cursor))
    if wanted.tenant is not None:
        query = query.where(table.tenant_id == wanted.tenant)
    if wanted.status:
        query = query.where(table.status == wanted.status)
    if wanted.trigger:
        query = query.where(table.trigger_type == wanted.trigger)
    if wanted.part:
        query = query.where(table.name.icontains(wanted.part, autoescape=True))
    query = reader.within(query.order_by(*_BY_NAME.order(table)).limit(limit + 1), table.tenant_id)
    return _BY_NAME.page(await reader.fetch(query), limit)


async def find_journey(reader: Reader, journey_id: str) -> Row | None:
    """Return how a journey stands, deleted ones too: their history stays."""
    query = select(JourneyRow.__table__).where(JourneyRow.id == journey_id)
    return await reader.fetch_one(reader.within(query, JourneyRow.tenant_id))


async def name_journeys(reader: Reader, journey_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of journeys by id."""
    query = select(JourneyRow.id, JourneyRow.name).where(JourneyRow.id.in_(set(journey_ids)))
    return {row["id"]: row["name"] for row in await reader.fetch(reader.within(query, JourneyRow.tenant_id))}


async def name_steps(reader: Reader, journey_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the names of the steps that have one, in the newest versions of journeys, by journey and step id."""
    table = JourneyStepRow
    query = select(table.journey_id, table.id, table.name)
    query = query.where(table.journey_id.in_(set(journey_ids)), table.name.is_not(None))
    return {(row["journey_id"], row["id"]): row["name"] for row in await reader.fetch(query)}


async def name_templates(reader: Reader, journey_ids: Iterable[str]) -> dict[tuple[str, str], str]:
    """Return the templates of the steps that send, in the newest versions of journeys, by journey and step id."""
    table = JourneyStepRow
    query = select(table.journey_id, table.id, table.config["templateId"].astext.label("template"))
    query = query.where(table.journey_id.in_(set(journey_ids)), table.type == "SEND")
    return {(row["journey_id"], row["id"]): row["template"] for row in await reader.fetch(query) if row["template"]}


async def list_versions(reader: Reader, journey_id: str) -> list[Row]:
    """Return a journey's versions, newest first: when each was made and by whom."""
    columns = JourneyVersionRow.version, JourneyVersionRow.created_at, JourneyVersionRow.created_by
    query = select(*columns).where(JourneyVersionRow.journey_id == journey_id)
    return await reader.fetch(query.order_by(JourneyVersionRow.version.desc()))


async def read_version(reader: Reader, journey_id: str, version: int) -> Journey | None:
    """Return one version of a journey."""
    where = JourneyVersionRow.journey_id == journey_id, JourneyVersionRow.version == version
    definition = await reader.scalar(select(JourneyVersionRow.definition).where(*where))
    return None if definition is None else Journey.model_validate(definition)


async def list_tenants(reader: Reader) -> list[str]:
    """Return the tenants that have journeys."""
    query = reader.within(select(JourneyRow.tenant_id).distinct(), JourneyRow.tenant_id)
    return sorted(row["tenant_id"] for row in await reader.fetch(query))


async def list_changes(reader: Reader, tenant: str | None, *, cursor: str | None, limit: int) -> Page:
    """Return the audit's changes, newest first."""
    table = AuditRow
    query = select(table.__table__).where(*_NEWEST.beyond(table, cursor)).order_by(*_NEWEST.order(table))
    if tenant is not None:
        query = query.where(table.tenant_id == tenant)
    return _NEWEST.page(await reader.fetch(reader.within(query.limit(limit + 1), table.tenant_id)), limit)

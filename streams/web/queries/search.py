"""What the search asks Postgres: whose id it is that somebody typed."""

from sqlalchemy import literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rows import CustomerRow, EnrollmentRow, EnrollmentStepRow, JourneyRow
from streams.web.queries.history import STATUSES, newest
from streams.web.queries.query import PAGE, Row, Tenants, fetch, fetch_one, within


async def find_command(connection: AsyncConnection, tenants: Tenants, command_id: str) -> Row | None:
    """Return the step of an enrolment that sent this command on its last visit."""
    steps, table = EnrollmentStepRow, EnrollmentRow
    query = select(table.id, steps.step_id).join(steps, steps.enrollment_id == table.id)
    # The first condition is that of the index, which is not used without it.
    query = query.where(steps.result.has_key("messageId"), steps.result["messageId"].astext == command_id)
    return await fetch_one(connection, within(query, table.tenant_id, tenants))


async def list_tenants(connection: AsyncConnection, tenants: Tenants) -> list[str]:
    """Return the tenants that have journeys."""
    query = within(select(JourneyRow.tenant_id).distinct(), JourneyRow.tenant_id, tenants)
    return sorted((await connection.execute(query)).scalars())


async def find_customers(connection: AsyncConnection, tenants: Tenants, customer_id: str) -> list[Row]:
    """Return who has this id, in whichever tenant."""
    known = await list_tenants(connection, tenants)
    query = select(CustomerRow.__table__).where(CustomerRow.tenant_id.in_(known))
    return await fetch(connection, query.where(CustomerRow.customer_id == customer_id).limit(PAGE))


async def list_newest(connection: AsyncConnection, tenants: Tenants) -> list[Row]:
    """Return the newest enrolments of the journeys that were changed last: some for a start, at little cost."""
    journeys = select(JourneyRow.id, JourneyRow.tenant_id).order_by(JourneyRow.updated_at.desc()).limit(20)
    among = within(journeys, JourneyRow.tenant_id, tenants).subquery()
    table = EnrollmentRow
    mine = select(table.__table__).where(table.tenant_id == among.c.tenant_id, table.journey_id == among.c.id)
    some = newest(mine.correlate(among), STATUSES, None, 10).lateral()
    query = select(some).select_from(among).join(some, literal(True))
    return await fetch(connection, query.order_by(some.c.enrolled_at.desc()).limit(PAGE))

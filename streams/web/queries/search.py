"""What the search asks Postgres: whose id it is that somebody typed."""

from sqlalchemy import literal, select

from models.rows import CustomerRow, EnrollmentRow, EnrollmentStepRow, JourneyRow
from streams.web.queries.history import STATUSES, newest
from streams.web.queries.journeys import list_tenants
from streams.web.queries.query import PAGE, Reader, Row

_JOURNEYS, _OF_EACH = 20, 10


async def find_command(reader: Reader, command_id: str) -> Row | None:
    """Return the step of an enrolment that sent this command on its last visit."""
    steps, table = EnrollmentStepRow, EnrollmentRow
    query = select(table.id, steps.step_id).join(steps, steps.enrollment_id == table.id)
    # The first condition is that of the index, which is not used without it.
    query = query.where(steps.result.has_key("messageId"), steps.result["messageId"].astext == command_id)
    return await reader.fetch_one(reader.within(query, table.tenant_id))


async def find_customers(reader: Reader, customer_id: str) -> list[Row]:
    """Return who has this id, in whichever tenant."""
    known = await list_tenants(reader)
    query = select(CustomerRow.__table__).where(CustomerRow.tenant_id.in_(known))
    return await reader.fetch(query.where(CustomerRow.customer_id == customer_id).limit(PAGE))


async def list_newest(reader: Reader) -> list[Row]:
    """Return the newest enrolments of the journeys that were changed last: some for a start, at little cost."""
    journeys = select(JourneyRow.id, JourneyRow.tenant_id).order_by(JourneyRow.updated_at.desc()).limit(_JOURNEYS)
    among = reader.within(journeys, JourneyRow.tenant_id).subquery()
    table = EnrollmentRow
    mine = select(table.__table__).where(table.tenant_id == among.c.tenant_id, table.journey_id == among.c.id)
    some = newest(mine.correlate(among), STATUSES, None, _OF_EACH).lateral()
    query = select(some).select_from(among).join(some, literal(True))
    return await reader.fetch(query.order_by(some.c.enrolled_at.desc()).limit(PAGE))

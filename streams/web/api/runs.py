"""Enrol and take out by hand: one customer, or many in a run that says how far it is."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from models.rows import RunRow
from streams.clock import now
from streams.control.publishing import control
from streams.engine.inputs import Enroll, Exit
from streams.polling import RUNS, call
from streams.web.api.parameters import Acting, By, From, Id, Reading, author_of, find_journey, missing
from streams.web.api.shapes import Accepted, ByHand, Leaver, Many, Run

router = APIRouter(tags=["by hand"])
_SHOWN = frozenset(Run.model_fields)  # without whom it is about: that may be many
_Key = Annotated[str, Header(min_length=1, max_length=200, description="Repeats of a request have the same key.")]


@router.post("/journeys/{journey_id}/enrollments", status_code=202, dependencies=[Acting])
async def enroll(reader: Reading, sources: From, journey_id: Id, given: ByHand) -> Accepted:
    """Enrol a customer by hand; conditions are not asked. What came of it is in the timeline."""
    row = await find_journey(reader, journey_id)
    message = Enroll(journey_id=row["id"], at=now(), data=given.data)
    await control(sources.settings, row["tenant_id"], given.customer_id, message)
    return Accepted(accepted=1)


@router.post("/journeys/{journey_id}/exits", status_code=202, dependencies=[Acting])
async def take_out(reader: Reading, sources: From, journey_id: Id, given: Leaver) -> Accepted:
    """Take a customer out of a journey by hand, reason manual."""
    row = await find_journey(reader, journey_id)
    message = Exit(journey_id=row["id"], at=now())
    await control(sources.settings, row["tenant_id"], given.customer_id, message)
    return Accepted(accepted=1)


@router.post("/journeys/{journey_id}/runs", status_code=202, dependencies=[Acting])
async def start_run(sources: From, visitor: By, journey_id: Id, given: Many, idempotency_key: _Key) -> Run:
    """Enrol or take out many customers: the workers do it, from within a second on.

    The same Idempotency-Key again starts nothing and says how far it is.
    """
    async with sources.engine.begin() as connection:
        row = await find_journey(sources.reader(connection, visitor), journey_id)
        author = author_of(visitor)
        made = {
            "tenant_id": row["tenant_id"], "journey_id": row["id"], "idempotency_key": idempotency_key,
            "action": given.action, "total": len(given.customer_ids), "created_at": author.now,
            "created_by": author.name, "customer_ids": given.customer_ids, "data": given.data,
        }  # fmt: skip
        await connection.execute(insert(RunRow).values(**made).on_conflict_do_nothing())
        await call(connection, RUNS)
        found = await _find(
            connection, RunRow.tenant_id == row["tenant_id"], RunRow.idempotency_key == idempotency_key
        )
    if found is None or (found["journey_id"], found["action"], found["total"]) != (
        made["journey_id"], made["action"], made["total"],
    ):  # fmt: skip
        raise HTTPException(
            409, f"The Idempotency-Key '{idempotency_key}' was used for another run; take a new one."
        )
    return Run.model_validate(found)


@router.get("/runs/{run}")
async def show_run(reader: Reading, visitor: By, run: int) -> Run:
    """Show how far a run is."""
    found = await _find(reader.connection, RunRow.id == run) if 0 < run < 2**63 else None
    if found is None or not visitor.sees(found["tenant_id"]):
        raise missing()
    return Run.model_validate(found)


async def _find(connection: AsyncConnection, *where: Any) -> Any:
    columns = [column for column in RunRow.__table__.columns if column.name in _SHOWN]
    return (await connection.execute(select(*columns).where(*where))).mappings().first()

"""Enrol and take out by hand: one customer, or many in a run that tells how far it is."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, BackgroundTasks, Header
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.exceptions import HTTPException

from models.ids import customer_key
from models.rows import RunRow
from streams.clock import now
from streams.engine.inputs import Enroll, Exit
from streams.topics import INBOX
from streams.traffic import Line, control, send
from streams.web.api.asking import Acting, Asked, Id, Reading, Who, author_of, find_journey, missing
from streams.web.api.shapes import Accepted, ByHand, Leaver, Many, Run
from streams.web.site import Site

router = APIRouter(tags=["by hand"])
_AT_ONCE = 500
_Key = Annotated[str, Header(min_length=1, max_length=200, description="Repeats of a request have the same key.")]


@router.post("/journeys/{journey_id}/enrollments", status_code=202, dependencies=[Acting])
async def enroll(connection: Reading, site: Asked, visitor: Who, journey_id: Id, given: ByHand) -> Accepted:
    """Enrol a customer by hand; conditions are not asked. What came of it is in the timeline."""
    row = await find_journey(connection, visitor, journey_id)
    message = Enroll(journey_id=row["id"], at=now(), data=given.data)
    await control(site.settings.brokers, row["tenant_id"], given.customer_id, message)
    return Accepted(accepted=1)


@router.post("/journeys/{journey_id}/exits", status_code=202, dependencies=[Acting])
async def take_out(connection: Reading, site: Asked, visitor: Who, journey_id: Id, given: Leaver) -> Accepted:
    """Take a customer out of a journey by hand, reason manual."""
    row = await find_journey(connection, visitor, journey_id)
    message = Exit(journey_id=row["id"], at=now())
    await control(site.settings.brokers, row["tenant_id"], given.customer_id, message)
    return Accepted(accepted=1)


@router.post("/journeys/{journey_id}/runs", status_code=202, dependencies=[Acting])
async def start_run(
    site: Asked, visitor: Who, journey_id: Id, given: Many, later: BackgroundTasks, idempotency_key: _Key
) -> Run:
    """Enrol or take out many customers. The same Idempotency-Key again starts nothing and tells how far it is."""
    async with site.engine.begin() as connection:
        row = await find_journey(connection, visitor, journey_id)
        author = author_of(visitor)
        made = {
            "tenant_id": row["tenant_id"], "journey_id": row["id"], "idempotency_key": idempotency_key,
            "action": given.action, "total": len(given.customer_ids), "created_at": author.now,
            "created_by": author.name,
        }  # fmt: skip
        query = insert(RunRow).values(**made).on_conflict_do_nothing().returning(RunRow.id)
        number = (await connection.execute(query)).scalar()
        found = await _find(
            connection, RunRow.tenant_id == row["tenant_id"], RunRow.idempotency_key == idempotency_key
        )
    if found is None or (found["journey_id"], found["action"], found["total"]) != (
        made["journey_id"], made["action"], made["total"],
    ):  # fmt: skip
        raise HTTPException(
            409, f"The Idempotency-Key '{idempotency_key}' was used for another run; take a new one."
        )
    if number is not None:
        later.add_task(_work, site, number, row["tenant_id"], row["id"], given)
    return Run.model_validate(found)


@router.get("/runs/{run}")
async def show_run(connection: Reading, visitor: Who, run: int) -> Run:
    """Show how far a run is."""
    found = await _find(connection, RunRow.id == run) if 0 < run < 2**63 else None
    if found is None or not visitor.sees(found["tenant_id"]):
        raise missing()
    return Run.model_validate(found)


async def _find(connection: AsyncConnection, *where: Any) -> Any:
    return (await connection.execute(select(RunRow.__table__).where(*where))).mappings().first()


async def _work(site: Site, run: int, tenant_id: str, journey_id: str, given: Many) -> None:
    at, done = now(), 0
    for start in range(0, len(given.customer_ids), _AT_ONCE):
        part = given.customer_ids[start : start + _AT_ONCE]
        message = (
            Enroll(journey_id=journey_id, at=at, data=given.data)
            if given.action == "enroll"
            else Exit(at, journey_id)
        )
        value = msgspec.json.encode(message)
        done += await send(
            site.settings.brokers, [Line(INBOX, customer_key(tenant_id, id_), value) for id_ in part]
        )
        finished = now() if done == len(given.customer_ids) else None
        async with site.engine.begin() as connection:
            await connection.execute(update(RunRow).where(RunRow.id == run).values(done=done, finished_at=finished))

"""Changes of journeys that have not reached the workers yet."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.rows import OutboxRow


async def count_unsent(connection: AsyncConnection, before: datetime) -> int:
    """Return how many changes made before a moment wait to be sent; those that Kafka refuses aside."""
    waiting = select(func.count()).where(OutboxRow.created_at < before, OutboxRow.retry_at.is_(None))
    return int((await connection.execute(waiting)).scalar_one())

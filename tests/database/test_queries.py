"""The queries of the data model are answered by an index, at any volume (FAIRWAY_TEST_VOLUME)."""

import os

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

pytestmark = [pytest.mark.database, pytest.mark.timeout(1200)]

VOLUME = int(os.environ.get("FAIRWAY_TEST_VOLUME", "20000"))
LIMIT_MS = 20.0 if "FAIRWAY_TEST_VOLUME" in os.environ else 1000.0  # the short form asks for the index alone
FILL = [
    """INSERT INTO journeys (id, tenant_id, name, status, trigger_type)
       SELECT md5(n::text)::uuid, 't' || n % 20, 'j' || n,
              (ARRAY['DRAFT', 'ACTIVE', 'PAUSED', 'ARCHIVED'])[1 + n / 20 % 4], 'type' || n / 20 % 50
       FROM generate_series(0, 1999) n""",
    """INSERT INTO journey_steps (journey_id, id, step_number, type, config)
       SELECT id, 's' || n, n, 'WAIT', '{}' FROM journeys, generate_series(1, 8) n""",
    """INSERT INTO customers (tenant_id, customer_id, created_at, updated_at)
       SELECT 't' || n % 20, 'c' || n, now(), now() FROM generate_series(0, :volume / 4 + 20) n""",
    """INSERT INTO journey_enrollments (id, tenant_id, journey_id, version, customer_id, entry_number, status,
                                        current_step_id, waiting_until, enrolled_at)
       SELECT md5('e' || n)::uuid, 't' || n % 20, md5((n % 200)::text)::uuid, 1,
              'c' || (n % (:volume / 4 / 20 * 20)), n,
              CASE WHEN n % 10 = 0 THEN 'ACTIVE' ELSE 'COMPLETED' END, 's1',
              CASE WHEN n % 10 = 0 THEN now() + n * interval '1 second' END, now() - n * interval '1 second'
       FROM generate_series(1, :volume) n""",
    """INSERT INTO activity (tenant_id, customer_id, at, "offset", activity_id, cause, entries, refused)
       SELECT 't0', 'c0', now() - n * interval '1 minute', n, md5('a' || n)::uuid, '{}',
              '[{"type": "enrollment.refused"}]', n % 10 = 0 FROM generate_series(1, 10000) n""",
    "ANALYZE",
]
JOURNEY = "(SELECT id FROM journeys WHERE name = 'j60' AND tenant_id = 't0')"
QUERIES = {
    "journeys by status": "SELECT * FROM journeys WHERE tenant_id = 't0' AND status = 'PAUSED'",
    "journeys by trigger": "SELECT * FROM journeys WHERE tenant_id = 't0' AND trigger_type = 'type3'",
    "steps in order": f"SELECT * FROM journey_steps WHERE journey_id = {JOURNEY} ORDER BY step_number",
    "active enrolments": f"""SELECT * FROM journey_enrollments WHERE tenant_id = 't0' AND journey_id = {JOURNEY}
        AND status = 'ACTIVE' ORDER BY enrolled_at DESC, id DESC LIMIT 50""",
    "a customer's enrolments": "SELECT * FROM journey_enrollments WHERE customer_id = 'c40' AND tenant_id = 't0'",
    "waits by due time": """SELECT * FROM journey_enrollments WHERE waiting_until < now() + interval '1 hour'
        ORDER BY waiting_until LIMIT 50""",
    "those at a step": f"""SELECT * FROM journey_enrollments WHERE journey_id = {JOURNEY}
        AND current_step_id = 's1' AND status = 'ACTIVE' LIMIT 50""",
    "a timeline's first page": """SELECT * FROM activity WHERE tenant_id = 't0' AND customer_id = 'c0'
        ORDER BY at DESC, "offset" DESC LIMIT 50""",
    "why not": """SELECT * FROM activity WHERE tenant_id = 't0' AND customer_id = 'c0' AND refused
        ORDER BY at DESC, "offset" DESC LIMIT 50""",
}


@pytest.fixture
async def full(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        for statement in FILL:
            given = {"volume": VOLUME} if ":volume" in statement else {}
            await connection.execute(text(statement), given)
    return engine


async def test_each_query_of_the_data_model_is_answered_by_an_index(full: AsyncEngine) -> None:
    async with full.connect() as connection:
        for name, query in QUERIES.items():
            await connection.execute(text(query))  # warm
            found = (await connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}"))).scalar_one()
            plan = found if isinstance(found, list) else msgspec.json.decode(found)
            assert "Seq Scan" not in str(plan), (name, plan)
            assert plan[0]["Execution Time"] < LIMIT_MS, (name, plan)
            print(f"{name}: {plan[0]['Execution Time']:.2f} ms")

"""The tables hold what the data model asks for, and the migrations make exactly these tables."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncEngine

from models.rows import Row
from streams.database import create_engine, upgrade
from tests.databases import EMPTY

pytestmark = pytest.mark.database

FIELDS = {
    "journeys": "id tenant_id club_id name description status trigger_type trigger_config campaign_id allow_reentry"
    " max_enrollments timezone total_enrolled total_completed total_exited activated_at paused_at created_at"
    " updated_at created_by deleted_at",
    "journey_steps": "id journey_id step_number type name config next_step_id next_step_yes_id next_step_no_id"
    " created_at updated_at",
    "journey_enrollments": "id tenant_id journey_id customer_id status current_step_id current_step_number"
    " waiting_until enrolled_at completed_at exited_at exit_reason trigger_data",
    "journey_enrollment_steps": "id enrollment_id step_id status entered_at completed_at result",
}
UNIQUE = {
    "journeys": [["tenant_id", "name"], ["tenant_id", "campaign_id"]],
    "journey_steps": [["journey_id", "step_number"]],
    "journey_enrollments": [["journey_id", "customer_id", "enrollment_key", "entry_number"]],
    "journey_enrollment_steps": [["enrollment_id", "step_id"]],
}
INDEXED = {
    "journeys": [["tenant_id", "status"], ["tenant_id", "trigger_type"]],
    "journey_steps": [["journey_id"]],
    "journey_enrollments": [["tenant_id", "journey_id", "status"], ["customer_id"], ["waiting_until"]],
    "journey_enrollment_steps": [["enrollment_id"]],
}


async def test_the_migrations_make_exactly_the_tables_of_the_models(engine: AsyncEngine) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Row.metadata))

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_field_constraint_and_index_of_the_data_model_exists(engine: AsyncEngine) -> None:
    def look(connection: Connection) -> None:
        tables = inspect(connection)
        for table, fields in FIELDS.items():
            assert set(fields.split()) <= {column["name"] for column in tables.get_columns(table)}
            keys = [tables.get_pk_constraint(table)["constrained_columns"]]
            keys += [found["column_names"] for found in tables.get_unique_constraints(table)]
            assert all(wanted in keys for wanted in UNIQUE[table]), (table, keys)
            keys += [found["column_names"] for found in tables.get_indexes(table)]
            for wanted in INDEXED[table]:
                assert any(key[: len(wanted)] == wanted for key in keys), (table, wanted, keys)

    async with engine.connect() as connection:
        await connection.run_sync(look)


@pytest.mark.parametrize("content", [EMPTY])
async def test_upgrades_at_the_same_time_are_done_once(database_url: str) -> None:
    engines = [create_engine(database_url) for _ in range(4)]
    done = await asyncio.gather(*(upgrade(engine) for engine in engines))
    for engine in engines:
        await engine.dispose()
    assert sorted(before or "" for before, _ in done) == ["", *[done[0][1]] * 3]

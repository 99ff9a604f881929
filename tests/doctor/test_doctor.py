"""`fairway doctor` on a real Kafka and Postgres: well, and with what operators meet."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner, Result

from models.rows import JourneyRow, OutboxRow, ParkedRow
from streams.cli import app
from streams.clock import now
from streams.database import create_engine, upgrade
from streams.settings import Settings
from tests import client
from tests.broker import workers
from tests.broker.workers import event, journey, publish, running
from tests.databases import EMPTY

pytestmark = [pytest.mark.broker, pytest.mark.database]


def run(settings: Settings, url: str, *words: str, **more: str) -> Result:
    variables = {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id, "FAIRWAY_DATABASE_URL": url,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip
    return CliRunner().invoke(app, ["doctor", *words], env=variables | more)


def states(settings: Settings, url: str, **more: str) -> Mapping[str, str]:
    found = json.loads(run(settings, url, "--json", **more).output)
    order = ("ok", "warning", "problem")
    worst: dict[str, str] = {}
    for one in found:
        worst[one["check"]] = max(worst.get(one["check"], "ok"), one["state"], key=order.index)
    return worst


async def make_tables(url: str, *rows: tuple[type, dict[str, object]]) -> None:
    engine = create_engine(url)
    await upgrade(engine)
    async with engine.begin() as connection:
        for table, values in rows:
            await connection.execute(insert(table).values(**values))
    await engine.dispose()


def test_all_is_well_where_a_worker_works(settings: Settings, database_url: str) -> None:
    asyncio.run(make_tables(database_url))
    publish(settings, journey())
    client.produce(settings.brokers, [event(0, "c-0")])
    with running(settings, FAIRWAY_DATABASE_URL=database_url):
        workers.wait_for_commands(settings, workers.expected(1, 1))
        well = "✓ health       Well: 1 worker, 4 partitions running, 0 events waiting."
        client.wait_until(lambda: well in run(settings, database_url).output)
        result = run(settings, database_url)
        assert result.exit_code == 0, result.output
        assert "problem" not in states(settings, database_url).values()


@pytest.mark.parametrize("content", [EMPTY])
def test_what_is_away_or_missing_is_a_problem_each_and_hides_nothing_else(
    settings: Settings, database_url: str
) -> None:
    before = states(settings, database_url)
    assert (before["health"], before["tables"]) == ("problem", "problem")
    away = states(settings, "postgresql://nobody:secret@127.0.0.1:1/none", FAIRWAY_BROKERS="127.0.0.1:1")
    assert (away["kafka"], away["postgres"], away["disk"]) == ("problem", "problem", "ok")
    other = states(settings, database_url, FAIRWAY_APP_ID=f"{settings.app_id}-other")
    assert other["topics"] == "problem"
    assert "secret" not in run(settings, "postgresql://nobody:secret@127.0.0.1:1/none").output


def test_what_stands_still_in_postgres_is_told(settings: Settings, database_url: str) -> None:
    old = now() - timedelta(minutes=5)
    parked = {"topic": "fairway.activity", "partition": 0, "offset": 1, "record": b"", "error": "too long"}
    waiting = {"key": "t:j:1", "value": b"{}", "created_at": old}
    paused = {"id": journey().id, "tenant_id": "pinehurst", "name": "Reminder", "trigger_type": "t"}
    paused |= {"status": "PAUSED", "paused_because": "The breaker paused it."}
    rows = (OutboxRow, waiting), (ParkedRow, parked), (JourneyRow, paused)
    asyncio.run(make_tables(database_url, *rows))
    found = states(settings, database_url)
    assert (found["outbox"], found["parked"], found["waits"]) == ("problem", "warning", "ok")
    assert found["breaker"] == "warning"
    assert "The breaker paused 1 journey: 'Reminder'." in run(settings, database_url, "--json").output

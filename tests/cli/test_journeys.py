"""`fairway journeys`: authored from files, listed, moved, shown and published once more."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner, Result

from models.rows import JourneyRow, RefusalCountRow
from streams.cli import app
from streams.database import create_engine, upgrade
from streams.errors import FairwayError
from tests.journeys.build import GOOD

pytestmark = pytest.mark.database
KAFKA_AWAY = (
    "Stored, and sent by the next worker that can: No Kafka broker answers at '127.0.0.1:1': "
    "start one with 'fairway dev up', or set FAIRWAY_BROKERS.\n"
)


@pytest.fixture
def url(database_url: str) -> str:
    async def make(url: str) -> None:
        engine = create_engine(url)
        await upgrade(engine)
        await engine.dispose()

    asyncio.run(make(database_url))
    return database_url


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "welcome.yaml"
    found.write_text(GOOD)
    return found


def run(url: str, *words: object) -> Result:
    variables = {"FAIRWAY_DATABASE_URL": url, "FAIRWAY_BROKERS": "127.0.0.1:1"}
    return CliRunner().invoke(app, ["journeys", *map(str, words)], env=variables)


def say(url: str, *words: object) -> str:
    result = run(url, *words)
    if result.exit_code == 0:
        return result.stdout
    assert isinstance(result.exception, FairwayError), result.exception
    return f"1: {result.exception}"


async def execute(url: str, statement: Any) -> None:
    engine = create_engine(url)

    async def run(connection: AsyncConnection) -> None:
        await connection.execute(statement)

    async with engine.begin() as connection:
        await run(connection)
    await engine.dispose()


def test_a_file_is_stored_also_while_kafka_is_away_and_stored_again_it_changes_nothing(
    url: str, file: Path
) -> None:
    first = run(url, "apply", file)
    assert first.stderr == KAFKA_AWAY
    assert first.stdout.splitlines()[1].split() == ["pinehurst", "Welcome", "DRAFT", "1", "created"]
    assert json.loads(say(url, "apply", "--json", file))[0]["change"] == "unchanged"
    assert json.loads(say(url, "apply", "--activate", "--json", file))[0]["status"] == "ACTIVE"


def test_a_name_that_nobody_knows_is_warned_of_and_stored(url: str, file: Path) -> None:
    file.write_text(GOOD.replace("EMAIL", "EMIAL"))
    assert "'EMIAL', which FAIRWAY_CHANNELS lacks; did you mean 'EMAIL'?" in run(url, "apply", file).stderr


def test_a_journey_is_moved_and_shown_by_name(url: str, file: Path) -> None:
    say(url, "apply", file)
    tenant = ("--tenant", "pinehurst")
    for move, status in (
        ("activate", "ACTIVE"),
        ("pause", "PAUSED"),
        ("resume", "ACTIVE"),
        ("archive", "ARCHIVED"),
    ):
        assert json.loads(say(url, move, "Welcome", *tenant, "--json"))[0]["status"] == status
    assert say(url, "activate", "Welcome", *tenant) == "1: Journey 'Welcome' is ARCHIVED and can't be activated."
    assert yaml.safe_load(say(url, "show", "Welcome", *tenant))["status"] == "ARCHIVED"
    assert json.loads(say(url, "show", "Welcome", *tenant, "--json"))["name"] == "Welcome"
    assert say(url, "show", "Wellcome", *tenant) == (
        "1: Tenant 'pinehurst' has no journey 'Wellcome'; did you mean 'Welcome'?"
    )


def test_journeys_are_listed_with_what_keeps_them_from_the_workers(url: str, file: Path) -> None:
    assert say(url, "list") == "There are no journeys; 'fairway journeys apply' makes some.\n"
    say(url, "apply", file)
    asyncio.run(execute(url, update(JourneyRow).values(problem="Kafka refuses its version 1.")))
    listed = run(url, "list", "--tenant", "pinehurst", "--status", "DRAFT")
    assert "Welcome" in listed.stdout
    assert "enrolled ever  completed ever  exited ever  failed ever" in listed.stdout
    assert listed.stderr == "fairway: warning: 'Welcome' of 'pinehurst': Kafka refuses its version 1.\n"
    assert json.loads(say(url, "list", "--json"))[0]["problem"] == "Kafka refuses its version 1."


def test_what_a_journey_refused_is_told_by_reason_the_most_frequent_first(url: str, file: Path) -> None:
    of = ("Welcome", "--tenant", "pinehurst")
    say(url, "apply", file)
    assert say(url, "refusals", *of) == "'Welcome' has refused nobody.\n"
    id_ = json.loads(say(url, "list", "--json"))[0]["id"]
    counts = [{"journey_id": id_, "reason": reason, "refused": number}
              for reason, number in (("conditions", 3), ("reentry", 12))]  # fmt: skip
    asyncio.run(execute(url, insert(RefusalCountRow).values(counts)))
    assert [line.split(maxsplit=2) for line in say(url, "refusals", *of).splitlines()] == [
        ["refused", "reason", "meaning"],
        ["12", "reentry", "the customer is in it, or has been"],
        ["3", "conditions", "the conditions did not hold"],
    ]
    assert [row["refused"] for row in json.loads(say(url, "refusals", *of, "--json"))] == [12, 3]
    assert say(url, "refusals", "Wellcome", "--tenant", "pinehurst").startswith(
        "1: Tenant 'pinehurst' has no journey"
    )


def test_a_journey_is_published_once_more(url: str, file: Path) -> None:
    say(url, "apply", file)
    assert say(url, "publish", "Welcome", "--tenant", "pinehurst") == "1 version of 'Welcome' published.\n"

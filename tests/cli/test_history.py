"""`fairway history` and `fairway db unpark`: parked records are listed, and tried again."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.database import create_engine, upgrade
from streams.errors import FairwayError
from streams.history.parking import Refused, park
from streams.history.projector import Projector
from tests.history.activity import Message
from tests.history.build import started, value

pytestmark = pytest.mark.database


@pytest.fixture
def parked(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with a record that is good by now, and one that never will be."""
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", database_url)

    async def fill() -> None:
        engine = create_engine(database_url)
        await upgrade(engine)
        projector = Projector(engine)
        await projector.position(2)
        async with engine.begin() as connection:
            messages = [Message(3, value(started())), Message(4, b"no json", key=b"t:c-2")]
            await park(connection, 2, [Refused(message, ValueError("not yet")) for message in messages])
        await engine.dispose()

    asyncio.run(fill())
    return database_url


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def list_places() -> list[str]:
    found = json.loads(run("history", "list", "--json").stdout)
    return [f"{row['partition']}:{row['offset']}" for row in found]


def test_parked_records_are_listed_for_people_and_programs(parked: str) -> None:
    found = json.loads(run("history", "list", "--json").stdout)
    assert [(row["tenantId"], row["customerId"], row["reason"]) for row in found] == [
        ("t", "c-1", "It is no activity record: not yet."),
        ("t", "c-2", "It is no activity record: not yet."),
    ]
    assert "not yet" in run("history", "list").stdout


def test_what_can_be_written_by_now_is_written_and_the_rest_is_named(parked: str) -> None:
    result = run("db", "unpark")
    assert isinstance(result.exception, FairwayError)
    assert "1 records written." in result.stdout
    assert "2:4: It is no activity record: JSON is malformed" in result.stderr
    assert list_places() == ["2:4"]


def test_one_record_can_be_chosen_and_one_that_is_not_parked_is_said(parked: str) -> None:
    assert run("history", "unpark", "2:3").exit_code == 0
    assert list_places() == ["2:4"]
    assert "2:3: no such record is parked." in run("history", "unpark", "2:3").stderr
    assert run("history", "unpark", "three").exit_code == 2


def test_nothing_parked_is_said(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", database_url)
    assert run("db", "upgrade").exit_code == 0
    assert "No record is parked." in run("history", "list").stdout
    assert "0 records written." in run("history", "unpark").stdout

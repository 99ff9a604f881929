"""`fairway customers`, `enrollments`, `waits`: what Postgres has of the story of the example journeys."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from typer.testing import CliRunner, Result

from models.rows import EnrollmentRow
from streams.cli import app
from streams.cli.people import _tell_rules
from tests.databases import filled
from tests.history.activity import START
from tests.web.conftest import fill

pytestmark = pytest.mark.database
OF_JOURNEY = ("enrollments", "list", "Welcome of new members", "--tenant", "pinehurst")
FAR = datetime(2900, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def everybody(postgres: str) -> Iterator[str]:
    with filled(postgres, make_story) as name:
        yield name


@pytest.fixture
def content(everybody: str) -> str:
    return everybody


@pytest.fixture
def url(database_url: str) -> str:
    return database_url


async def make_story(engine: AsyncEngine, url: str) -> None:
    await fill(engine, url)
    async with engine.begin() as connection:  # everybody waits: the first since long, most till far away
        ids = (await connection.execute(select(EnrollmentRow.id).order_by(EnrollmentRow.id))).scalars().all()
        for number, id_ in enumerate(ids):
            until = FAR + timedelta(minutes=number) if number else START
            await connection.execute(
                update(EnrollmentRow).where(EnrollmentRow.id == id_).values(waiting_until=until)
            )


def run(url: str, *words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words)], env={"FAIRWAY_DATABASE_URL": url})


def ask(url: str, *words: object) -> list[dict[str, str]]:
    result = run(url, *words, "--json")
    assert result.exit_code == 0, result.exception
    return json.loads(result.output)


def test_enrolments_are_listed_whole_over_pages_or_by_status(url: str) -> None:
    every = ask(url, *OF_JOURNEY, "--limit", 10_000)
    moments = [row["enrolledAt"] for row in every]
    assert moments == sorted(moments, reverse=True)
    by_status = [
        ask(url, *OF_JOURNEY, "--status", status, "--limit", 10_000)
        for status in ("active", "COMPLETED", "EXITED", "FAILED")
    ]
    assert sum(map(len, by_status)) == len(every)
    assert len(ask(url, *OF_JOURNEY, "--limit", 2)) == 2
    mine = ask(url, *OF_JOURNEY, "--customer", every[0]["customerId"])
    assert every[0] in mine
    assert {row["customerId"] for row in mine} == {every[0]["customerId"]}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([*OF_JOURNEY, "--status", "LOST"], "'LOST' is no status of an enrolment: choose one of ACTIVE, COMPLETED"),
        (
            ["enrollments", "list", "Welcome of new member", "--tenant", "pinehurst"],
            "has no journey 'Welcome of new member'; did you mean 'Welcome of new members'?",
        ),
        (["customers", "show", "c-none", "--tenant", "pinehurst"], "Nothing is recorded of customer 'c-none'"),
    ],
)
def test_what_is_not_there_is_said(url: str, words: list[str], sentence: str) -> None:
    result = run(url, *words)
    assert result.exit_code == 1
    assert sentence in str(result.exception)


def test_a_customer_is_shown_with_their_enrolments_and_their_timeline_in_words(url: str) -> None:
    one = ask(url, *OF_JOURNEY)[0]["customerId"]
    shown = run(url, "customers", "show", one, "--tenant", "pinehurst")
    assert f"customerId: {one}" in shown.output
    assert "enrollments:" in shown.output
    told = run(url, "customers", "timeline", one, "--tenant", "pinehurst")
    records = ask(url, "customers", "timeline", one, "--tenant", "pinehurst")
    assert told.exit_code == 0
    assert "  Welcome of new members: Entered version 1" in told.output
    heading, *lines = told.output.splitlines()
    assert heading == "Newest first. The time is that of the cause: when the event occurred, or the wait was over."
    assert len([line for line in lines if re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  \S", line)]) == len(
        records
    )
    assert re.search(r"  Welcome of new members, step [\w-]+ \(template [\w-]+\): ", told.output)
    assert [record["at"] for record in records] == sorted((record["at"] for record in records), reverse=True)


def test_rules_are_told_with_what_was_seen_groups_and_what_is_negated_too() -> None:
    tier = {"field": "tier", "operator": "in", "value": ["Gold"], "matched": False, "seen": "Bronze"}
    there = {"field": "score", "operator": "exists", "matched": True, "seen": 3}
    group = {"combinator": "OR", "not": True, "rules": [tier, there], "matched": False}
    assert list(_tell_rules([tier, group], "")) == [
        'no: tier in ["Gold"], saw "Bronze"', "no: not any of",
        '  no: tier in ["Gold"], saw "Bronze"', "  yes: score exists, saw 3",
    ]  # fmt: skip


def test_of_nobody_there_is_nothing_to_tell(url: str) -> None:
    for words in (["show"], ["timeline"], ["timeline", "--json"]):
        told = run(url, "customers", *words, "c-none", "--tenant", "pinehurst")
        assert (told.exit_code, told.output) == (1, "")
        said = str(told.exception)
        assert said.startswith("Nothing is recorded of customer 'c-none' of 'pinehurst'. ")
        assert "An event that no journey and no profile needed leaves no trace here" in said
        assert said.endswith("fairway dead-letters list --state all --customer c-none")


def test_waits_are_listed_the_first_due_first_and_of_one_tenant_or_journey_alone(url: str) -> None:
    every = ask(url, "waits", "list", "--limit", 10_000)
    moments = [row["waitingUntil"] for row in every]
    assert moments == sorted(moments)
    name, tenant = every[0]["journey"], every[0]["tenantId"]
    assert {row["journey"] for row in ask(url, "waits", "list", "--journey", name)} == {name}
    assert {row["tenantId"] for row in ask(url, "waits", "list", "--tenant", tenant)} == {tenant}
    assert ask(url, "waits", "list", "--tenant", "nobody-s") == []
    overdue = ask(url, "waits", "list", "--overdue", "--limit", 10_000)
    assert 0 < len(overdue) < len(every)
    assert overdue == every[: len(overdue)]

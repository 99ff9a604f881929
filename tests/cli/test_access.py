"""`fairway access`: tokens are granted once, to who has a name."""

import asyncio

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.database import create_engine, upgrade
from streams.errors import FairwayError

pytestmark = pytest.mark.database


async def make_tables(url: str) -> None:
    engine = create_engine(url)
    await upgrade(engine)
    await engine.dispose()


def say(url: str, *words: str) -> str:
    result = CliRunner().invoke(app, ["access", *words], env={"FAIRWAY_DATABASE_URL": url})
    if result.exit_code == 0:
        return result.output
    assert isinstance(result.exception, FairwayError), result.exception
    return str(result.exception)


def test_a_token_is_granted_once_and_again_after_it_was_revoked(database_url: str) -> None:
    asyncio.run(make_tables(database_url))
    granted = say(database_url, "grant", "bob", "--tenant", "pinehurst")
    assert len(granted.strip()) == 43
    sentence = "'bob' has a token; revoke it first: fairway access revoke 'bob'."
    assert say(database_url, "grant", "bob", "--tenant", "pinehurst") == sentence
    assert say(database_url, "revoke", "bob") == "The token of 'bob' is no longer valid.\n"
    assert say(database_url, "revoke", "bob") == "'bob' has no token."
    assert say(database_url, "grant", "bob", "--tenant", "*") != granted


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\tb"])
def test_a_token_needs_a_name(database_url: str, name: str) -> None:
    said = say(database_url, "grant", name, "--tenant", "pinehurst")
    assert said == "A token needs a name of 1 to 200 characters that can be printed."


@pytest.mark.parametrize("tenant", ["", " ", "a:b", "x" * 101, "a\nb"])
def test_a_token_needs_a_tenant(database_url: str, tenant: str) -> None:
    said = say(database_url, "grant", "bob", "--tenant", tenant)
    assert said.startswith("The tenantId must be a text of 1 to 100 characters")

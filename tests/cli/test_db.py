"""`fairway db` brings tables up to date, and asks before it empties them."""

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.errors import FairwayError
from tests.databases import EMPTY


@pytest.mark.database
@pytest.mark.parametrize("content", [EMPTY])
def test_upgrade_tells_what_it_did_and_a_second_one_that_nothing_was_left(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", database_url)
    assert CliRunner().invoke(app, ["db", "upgrade"]).stdout.startswith("The tables are now at 0")
    assert CliRunner().invoke(app, ["db", "upgrade"]).stdout.startswith("The tables are up to date (0")
    assert CliRunner().invoke(app, ["db", "rebuild", "--yes"]).stdout.startswith("The history is empty")


def test_rebuild_is_not_done_without_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", "postgresql://fairway@127.0.0.1:1/fairway")
    refused = CliRunner().invoke(app, ["db", "rebuild"], input="n\n")
    assert refused.exit_code == 1
    assert "What the activity topic no longer holds will be lost" in refused.stdout


def test_a_database_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", "postgresql://fairway@127.0.0.1:1/fairway")
    failed = CliRunner().invoke(app, ["db", "upgrade"])
    assert isinstance(failed.exception, FairwayError)
    assert str(failed.exception).startswith("Postgres can't be used at '127.0.0.1:1'")

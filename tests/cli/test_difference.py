"""`fairway journeys diff`: files and stored versions against each other."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.errors import FairwayError
from tests.journeys.build import GOOD


def run(*words: object, url: str = "postgresql://nobody@127.0.0.1:1/none") -> Result:
    return CliRunner().invoke(app, ["journeys", "diff", *map(str, words)], env={"FAIRWAY_DATABASE_URL": url})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "a.yaml"
    found.write_text(GOOD)
    return found


@pytest.fixture
def other(tmp_path: Path) -> Path:
    found = tmp_path / "b.yaml"
    found.write_text(yaml.safe_dump(yaml.safe_load(GOOD) | {"description": "For members"}))
    return found


def test_the_same_in_another_order_is_the_same(file: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(yaml.safe_load(GOOD), sort_keys=True))
    found = run(file, tmp_path / "c.yaml")
    assert (found.exit_code, found.output) == (0, "They say the same.\n")


def test_what_differs_is_shown_with_what_stands_around_it(file: Path, other: Path) -> None:
    found = run(file, other)
    assert found.exit_code == 1
    assert "+description: For members" in found.output
    lines = json.loads(run(file, other, "--json").output)
    assert lines[:2] == [f"--- {file}", f"+++ {other}"]


def test_a_name_needs_a_tenant(file: Path) -> None:
    assert isinstance(error := run(file, "Welcome").exception, FairwayError)
    assert str(error) == "'Welcome' is no file; if a stored journey is meant, say whose it is: --tenant TENANT."


def test_two_journeys_in_a_file_are_no_side(file: Path, tmp_path: Path) -> None:
    two = tmp_path / "two.yaml"
    two.write_text(f"{GOOD}\n---\n{GOOD.replace('name: ', 'name: Second ', 1)}")
    error = run(file, two).exception
    assert isinstance(error, FairwayError)
    assert "holds 2 journeys" in str(error)

"""The migrations are one line: every revision has a number of its own, and follows the one before it."""

import ast
from itertools import pairwise
from pathlib import Path

VERSIONS = sorted(Path("models/migrations/versions").glob("[0-9]*.py"))


def named(file: Path, name: str) -> str | None:
    """Return what a migration assigns to a name."""
    (value,) = (
        node.value
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    )
    return ast.literal_eval(value)


def test_every_migration_has_the_number_of_its_file() -> None:
    assert [named(file, "revision") for file in VERSIONS] == [file.name[:3] for file in VERSIONS]


def test_every_migration_follows_the_one_before_it() -> None:
    assert named(VERSIONS[0], "down_revision") is None
    for before, after in pairwise(VERSIONS):
        assert named(after, "down_revision") == named(before, "revision")

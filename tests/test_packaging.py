"""The locks hold what pyproject.toml asks for, and agree; a production gets no servers of its own."""

import re
import tomllib
from pathlib import Path

import pytest

PYPROJECT = tomllib.loads(Path("pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
BUILD = PYPROJECT["build-system"]["requires"]
EXTRAS = PROJECT["optional-dependencies"]


def pins(lock: str) -> set[str]:
    """Return the lines of a lock that name a version, with its marker."""
    return {line.rstrip(" \\") for line in Path(lock).read_text().splitlines() if "==" in line}


def names(requirements: list[str]) -> set[str]:
    found = {re.split(r"[\[=<>~; ]", line)[0].lower() for line in requirements}
    return found - {PROJECT["name"]}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [
        ("requirements-production.lock", PROJECT["dependencies"]),
        ("requirements-build.lock", BUILD),
        ("requirements-local.lock", PROJECT["dependencies"] + EXTRAS["local"]),
        ("requirements-docs.lock", PYPROJECT["dependency-groups"]["docs"]),
        ("requirements.lock", PROJECT["dependencies"] + [name for extra in EXTRAS.values() for name in extra]),
    ],
)
def test_a_lock_holds_what_the_project_asks_for(lock: str, wanted: list[str]) -> None:
    assert names(wanted) <= names(list(pins(lock))), "run: make lock"


def test_the_locks_name_the_same_versions() -> None:
    production, build, local, everything = (
        pins(f"requirements{kind}.lock") for kind in ("-production", "-build", "-local", "")
    )
    assert production < local < everything, "run: make lock"
    assert build < everything, "run: make lock"


def test_what_builds_the_documentation_can_be_installed_beside_all_else() -> None:
    """Both locks are installed into one environment, so what stands in both has one version there."""
    everything, documentation = (
        {pin.partition(" ;")[0] for pin in pins(f"requirements{kind}.lock")} for kind in ("", "-docs")
    )
    shared = names(list(everything)) & names(list(documentation))
    assert {pin for pin in documentation if names([pin]) <= shared} <= everything, "run: make lock"


def test_a_production_gets_no_servers_of_its_own() -> None:
    assert not names(EXTRAS["local"]) & names(list(pins("requirements-production.lock")))

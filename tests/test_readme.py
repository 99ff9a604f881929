"""The README names every setting and every command, and none that is not there."""

import re
from pathlib import Path
from typing import Any

import typer

from streams.cli import app
from streams.settings import Settings

README = Path("README.md").read_text()


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(FAIRWAY_\w+)` \| (.*?) ?\|", README, re.MULTILINE))
    fields = Settings.model_fields.items()
    assert rows == {f"FAIRWAY_{name.upper()}": f"`{field.default}`" * bool(field.default) for name, field in fields}


def test_every_command_stands_in_the_readme() -> None:
    table = README.partition("## Commands")[2].partition("## Settings")[0]
    rows = [re.findall(r"`(.*?)`", row.split("|")[1]) for row in table.splitlines() if row.startswith("| `fairway")]
    told = {name for first, *others in rows for name in _names(first, others)}
    assert told == set(_walk(typer.main.get_command(app), ""))


def test_the_first_journey_is_the_one_that_init_writes() -> None:
    assert f"```yaml\n{Path('examples/first/broke-80.yaml').read_text()}```" in README


def _names(first: str, others: list[str]) -> list[str]:
    """Spell out a row: `fairway topics plan`, `apply` are two commands of one group."""
    group = first.removeprefix("fairway ").rpartition(" ")[0]
    return [first.removeprefix("fairway "), *(f"{group} {other}".strip() for other in others)]


def _walk(command: Any, path: str) -> list[str]:
    if not hasattr(command, "commands"):
        return [path]
    return [name for key, sub in command.commands.items() for name in _walk(sub, f"{path} {key}".strip())]

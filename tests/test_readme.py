"""What the README names first is there, and the pages that it leads to name the rest."""

import re
from pathlib import Path

from streams.settings import Settings
from tests.reference.commands import walk

README = Path("README.md").read_text()


def test_the_settings_of_the_readme_are_there_with_their_defaults() -> None:
    rows = dict(re.findall(r"^\| `(FAIRWAY_\w+)` \| (.*?) ?\|", README, re.MULTILINE))
    fields = {f"FAIRWAY_{name.upper()}": field.default for name, field in Settings.model_fields.items()}
    assert rows == {name: f"`{fields[name]}`" * bool(fields[name]) for name in rows}
    assert len(rows) == 10


def test_the_commands_of_the_readme_are_there() -> None:
    table = README.partition("## The first ten commands")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(fairway [a-z ]+)`", table, re.MULTILINE)
    assert set(rows) <= {name for name, _ in walk()}
    assert len(rows) == 10


def test_the_first_journey_is_the_one_that_init_writes() -> None:
    assert f"```yaml\n{Path('examples/first/broke-80.yaml').read_text()}```" in README

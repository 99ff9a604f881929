"""How commands print what they found: a table for people, or one JSON list."""

import shutil
import sys
from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from models.printable import printable

_GAP, _LEAST = "  ", 8


def show_rows(rows: Sequence[Any], columns: Sequence[str], *, as_json: bool, nothing: str) -> None:
    """Print rows (structs or dicts with camelCase names) as a JSON list, or their `columns` as a table.

    A table is no wider than the terminal; in a pipe or a file, nothing is cut.
    """
    if as_json:
        typer.echo(msgspec.json.encode(rows))
        return
    if not rows:
        typer.echo(nothing)
        return
    plain = [msgspec.to_builtins(row) for row in rows]
    lines = [list(columns)] + [[_word(row.get(column)) for column in columns] for row in plain]
    widths = _fit([max(map(len, column)) for column in zip(*lines, strict=True)])
    for line in lines:
        words = (_cut(word, width).ljust(width) for word, width in zip(line, widths, strict=True))
        typer.echo(_GAP.join(words).rstrip())


def _fit(widths: list[int]) -> list[int]:
    """Return how wide columns may be: on a terminal as much as it has room for, the widest cut first."""
    if not sys.stdout.isatty():
        return widths
    room = max(shutil.get_terminal_size().columns - len(_GAP) * (len(widths) - 1), _LEAST * len(widths))
    found, left = [0] * len(widths), len(widths)
    for place in sorted(range(len(widths)), key=widths.__getitem__):
        found[place] = min(widths[place], room // left)
        room, left = room - found[place], left - 1
    return found


def _cut(word: str, width: int) -> str:
    return word if len(word) <= width else f"{word[: width - 1]}…"


def _word(value: Any) -> str:
    return "" if value is None else printable(str(value))


def write_yaml(documents: list[dict[str, Any]]) -> str:
    """Return documents as YAML, one after another, in the order in which they were made."""
    import yaml

    class Plain(yaml.SafeDumper):
        """Write what stands twice twice: not everybody's reader knows anchors."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    text: str = yaml.dump_all(documents, Dumper=Plain, sort_keys=False, allow_unicode=True, width=110)
    return text

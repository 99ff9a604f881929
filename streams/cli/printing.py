"""How commands print what they found: a table for people, or one JSON list."""

from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from models.printable import printable


def show_rows(rows: Sequence[Any], columns: Sequence[str], *, as_json: bool, nothing: str) -> None:
    """Print rows (structs or dicts with camelCase names) as a JSON list, or their `columns` as a table."""
    if as_json:
        typer.echo(msgspec.json.encode(rows))
        return
    if not rows:
        typer.echo(nothing)
        return
    plain = [msgspec.to_builtins(row) for row in rows]
    lines = [list(columns)] + [[_word(row.get(column)) for column in columns] for row in plain]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip())


def _word(value: Any) -> str:
    return "" if value is None else printable(str(value))

"""`fairway journeys diff`: what one version of a journey says that another does not."""

from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Any

import typer

from streams.cli.postgres import transact
from streams.errors import FairwayError

Side = Annotated[str, typer.Argument(help="A journey file, or a journey by name or id, perhaps with @version.")]
_OWN = ("id", "version", "status")  # counted or kept by Fairway, and not in every file


def diff(
    a: Side,
    b: Side,
    tenant: Annotated[str, typer.Option(help="Whose journeys are meant where A or B is no file.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list of lines.")] = False,
) -> None:
    """Show what B says that A does not, and the other way round; exit code 1 if they differ."""
    import msgspec
    from rich.console import Console
    from rich.text import Text

    lines = list(unified_diff(_read(a, tenant), _read(b, tenant), a, b, lineterm=""))
    if as_json:
        typer.echo(msgspec.json.encode(lines))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for line, style in map(_style, lines):
            console.print(Text(line, style))
        if not lines:
            typer.echo("They say the same.")
    raise typer.Exit(1 if lines else 0)


def _style(line: str) -> tuple[str, str]:
    return line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")


def _read(side: str, tenant: str) -> list[str]:
    return _write(_read_file(Path(side)) if Path(side).is_file() else _read_stored(side, tenant))


def _read_file(file: Path) -> dict[str, Any]:
    from streams.journeys.files import check_files, refuse_problems

    journeys = refuse_problems(check_files([file]))
    if len(journeys) != 1:
        raise FairwayError(f"'{file}' holds {len(journeys)} journeys: a comparison needs one on each side.")
    return journeys[0].plain()


def _read_stored(name: str, tenant: str) -> dict[str, Any]:
    from streams.journeys import stored

    if not tenant:
        raise FairwayError(f"'{name}' is no file; if a stored journey is meant, say whose it is: --tenant TENANT.")
    title, _, version = name.rpartition("@")
    number = int(version) if title and version.isascii() and version.isdecimal() else None
    wanted = title if number is not None else name
    return transact(lambda connection: stored.export(connection, tenant, wanted, number))


def _write(journey: dict[str, Any]) -> list[str]:
    """Return a journey as the lines of its file, in one order whoever wrote it."""
    import yaml

    plain = {key: value for key, value in journey.items() if key not in _OWN}
    return list(_split(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)))


def _split(text: str) -> Iterator[str]:
    from models.printable import printable

    return map(printable, text.splitlines())

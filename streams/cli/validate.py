"""`fairway journeys validate` and `schema`: find what is wrong with journey files before anything runs."""

from pathlib import Path
from typing import Annotated

import typer

from streams.settings import read_settings

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE…", help="Journey files, folders of them, or - for standard input.")
]


def validate(
    files: Files,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell all problems of all files at once, as `file:step: text`; exit code 1 if there are any.

    Warnings are of names that neither topics.yaml nor FAIRWAY_CHANNELS knows, so may be mistyped.
    """
    import msgspec

    from streams.journeys.files import check_files, find_warnings

    checked = check_files(files)
    warnings = find_warnings(checked, read_settings())
    count = len(checked.journeys)
    if as_json:
        typer.echo(msgspec.json.encode([*checked.problems, *warnings]))
    else:
        for problem in (*checked.problems, *warnings):
            typer.echo(str(problem))
        if not checked.problems and not warnings:
            typer.echo(f"{count} journey{'s' * (count != 1)}, no problems.")
    raise typer.Exit(1 if checked.problems or (strict and warnings) else 0)


def schema() -> None:
    """Print the JSON Schema of a journey file; editors complete and check with it while you write."""
    import msgspec

    from streams.engine.schema import journey_schema

    typer.echo(msgspec.json.format(msgspec.json.encode(journey_schema()), indent=2))

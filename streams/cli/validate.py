"""`fairway journeys validate` and `schema`: find what is wrong with journey files before anything runs."""

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Journey files, or folders of them.")]


def validate(files: Files, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Tell all problems of all files at once, as `file:step: text`; exit code 1 if there are any."""
    import msgspec

    from streams.journeys.files import check_files

    journeys, problems = check_files(files)
    if as_json:
        typer.echo(msgspec.json.encode(problems))
    elif problems:
        typer.echo("\n".join(map(str, problems)))
    else:
        typer.echo(f"{len(journeys)} journey{'s' * (len(journeys) != 1)}, no problems.")
    raise typer.Exit(1 if problems else 0)


def schema() -> None:
    """Print the JSON Schema of a journey file; editors complete and check with it while you write."""
    import msgspec

    from streams.engine.schema import journey_schema

    typer.echo(msgspec.json.format(msgspec.json.encode(journey_schema()), indent=2))

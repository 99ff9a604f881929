"""`fairway init`: a folder to begin in, outside any checkout."""

from pathlib import Path
from typing import Annotated

import typer

_NEXT = """
Next, in that folder:
  fairway dev up --detach && eval "$(fairway dev env)"
  fairway topics apply && fairway db upgrade
  fairway simulate --journeys journeys --events events.jsonl
  fairway journeys apply journeys --activate"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder; made where it is not there.")] = Path(),
) -> None:
    """Write topics.yaml, a first journey, events for it and .env.example; what is there already stays as it is."""
    from streams.clock import now
    from streams.demo import starter

    for name, is_new in starter.write(folder, now()).items():
        typer.echo(f"{'wrote' if is_new else 'kept '} {folder / name}")
    typer.echo(_NEXT)

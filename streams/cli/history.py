"""`fairway history`: activity records that the history could not hold."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from streams.cli.postgres import transact
from streams.errors import FairwayError
from streams.settings import read_settings

Place = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PARTITION:OFFSET]...", help="Which records, as the list names them; all if none."),
]

group = typer.Typer(no_args_is_help=True, help="Activity records that the history could not hold, and parked.")


@group.command("list")
def list_records(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List parked records: whose they are, and why they were put aside."""
    from streams.cli.printing import show_rows
    from streams.history.parking import list_parked

    columns = ("partition", "offset", "parkedAt", "tenantId", "customerId", "size", "reason")
    show_rows(transact(list_parked), columns, as_json=as_json, nothing="No record is parked.")


def unpark(places: Place = None) -> None:
    """Try parked records again; what is still refused stays, and is named with exit code 1."""
    chosen = [_read_place(place) for place in places or ()]
    refused = asyncio.run(_unpark(chosen))
    for sentence in refused:
        typer.echo(sentence, err=True)
    if refused:
        raise FairwayError(f"{len(refused)} records are still refused.")


group.command()(unpark)


async def _unpark(chosen: Sequence[tuple[int, int]]) -> list[str]:
    """Write parked records in order; return for each that is still refused where it lies and why."""
    from rich.console import Console
    from rich.progress import track

    from streams.database import reach
    from streams.history.parking import list_parked
    from streams.history.projector import Projector

    projector, refused, written = Projector.connect(read_settings().database_url), list[str](), 0
    async with reach(projector.engine) as engine:
        async with engine.connect() as connection:
            parked = [(one.partition, one.offset) for one in await list_parked(connection)]
        places = [place for place in parked if not chosen or place in chosen]
        refused += [f"{_write_place(place)}: no such record is parked." for place in chosen if place not in parked]
        for place in track(places, "Writing", console=Console(stderr=True), transient=True):
            sentence = await projector.unpark(*place)
            if sentence is None:
                written += 1
            else:
                refused.append(f"{_write_place(place)}: {sentence}")
    typer.echo(f"{written} records written.")
    return refused


def _read_place(text: str) -> tuple[int, int]:
    partition, _, offset = text.partition(":")
    if not (partition.isascii() and partition.isdecimal() and offset.isascii() and offset.isdecimal()):
        raise typer.BadParameter(f"'{text}' names no record; give a partition and an offset, such as 3:1204.")
    return int(partition), int(offset)


def _write_place(place: tuple[int, int]) -> str:
    return f"{place[0]}:{place[1]}"

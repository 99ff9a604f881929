"""`fairway db`: the tables in Postgres."""

import asyncio
from typing import Annotated

import typer

from streams.settings import read_settings

group = typer.Typer(no_args_is_help=True, help="The tables in Postgres.")


@group.command()
def upgrade() -> None:
    """Bring the tables up to date; does nothing where they are."""
    from streams.database import create_engine, reach, upgrade

    async def run() -> tuple[str | None, str | None]:
        async with reach(create_engine(read_settings().database_url)) as engine:
            return await upgrade(engine)

    before, after = asyncio.run(run())
    typer.echo(f"The tables are up to date ({after})." if before == after else f"The tables are now at {after}.")


@group.command()
def rebuild(
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Empty the history of customers; running workers fill it again from the activity topic."""
    from streams.database import reach
    from streams.history.projector import Projector

    if not yes:
        typer.confirm("What the activity topic no longer holds will be lost. Go on?", abort=True)
    projector = Projector.connect(read_settings().database_url)

    async def run() -> None:
        async with reach(projector.engine):
            await projector.rebuild()

    asyncio.run(run())
    typer.echo("The history is empty; running workers are filling it again.")

"""`fairway db`: the tables in Postgres."""

import asyncio

import typer

from streams.settings import read_settings

group = typer.Typer(no_args_is_help=True, help="The tables in Postgres.")


@group.callback()
def _db() -> None:
    """Keep 'upgrade' a command of its own also while it is the only one."""


@group.command()
def upgrade() -> None:
    """Bring the tables up to date; does nothing where they are."""
    from streams.database import create_engine, reach, upgrade

    async def run() -> tuple[str | None, str | None]:
        async with reach(create_engine(read_settings().database_url)) as engine:
            return await upgrade(engine)

    before, after = asyncio.run(run())
    typer.echo(f"The tables are up to date ({after})." if before == after else f"The tables are now at {after}.")

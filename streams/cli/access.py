"""`fairway access`: tokens for the API and the pages."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

Found = TypeVar("Found")
Name = Annotated[str, typer.Argument(help="Whose token it is.")]

group = typer.Typer(no_args_is_help=True, help="Tokens for the API and the pages (FAIRWAY_ACCESS=token).")


class Role(StrEnum):
    """What the bearer may do: look, with personal fields hidden; act too; or see the audit as well."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@group.command()
def grant(
    name: Name,
    tenant: Annotated[str, typer.Option(help="The tenant that it is for, or '*' for all.")],
    role: Annotated[Role, typer.Option(help="What its bearer may do.")] = Role.READ,
) -> None:
    """Make a token and print it, this once: only its hash is kept."""
    from streams.clock import now
    from streams.web.access import tokens

    typer.echo(_run(lambda connection: tokens.grant(connection, name, tenant, role, now())))


@group.command("list")
def list_tokens(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List whose tokens there are."""
    from streams.cli.printing import show_rows
    from streams.web.access import tokens

    columns = ("name", "tenantId", "role", "createdAt")
    show_rows(_run(tokens.list_tokens), columns, as_json=as_json, nothing="There are no tokens.")


@group.command()
def revoke(name: Name) -> None:
    """Take a token back; it is refused from now on."""
    from streams.web.access import tokens

    if not _run(lambda connection: tokens.revoke(connection, name)):
        raise FairwayError(f"'{name}' has no token.")
    typer.echo(f"The token of '{name}' is no longer valid.")


def _run(work: "Callable[[AsyncConnection], Awaitable[Found]]") -> Found:
    from streams.database import create_engine, reach

    async def run() -> Found:
        async with reach(create_engine(read_settings().database_url)) as engine, engine.begin() as connection:
            return await work(connection)

    return asyncio.run(run())

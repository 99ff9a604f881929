"""`fairway access`: tokens for the API and the pages."""

from enum import StrEnum
from typing import Annotated

import typer

from streams.cli.postgres import transact
from streams.errors import FairwayError

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

    typer.echo(transact(lambda connection: tokens.grant(connection, name, tenant, role, now())))


@group.command("list")
def list_tokens(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List whose tokens there are."""
    from streams.cli.printing import show_rows
    from streams.web.access import tokens

    columns = ("name", "tenantId", "role", "createdAt")
    show_rows(transact(tokens.list_tokens), columns, as_json=as_json, nothing="There are no tokens.")


@group.command()
def revoke(name: Name) -> None:
    """Take a token back; it is refused from now on."""
    from streams.web.access import tokens

    if not transact(lambda connection: tokens.revoke(connection, name)):
        raise FairwayError(f"'{name}' has no token.")
    typer.echo(f"The token of '{name}' is no longer valid.")

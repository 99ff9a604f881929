"""`fairway journeys`: author journeys and decide which of them run."""

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from models.journey import JourneyStatus
from streams.cli.postgres import Found, transact
from streams.cli.validate import Files
from streams.clock import now
from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from streams.engine.transitions import Move
    from streams.journeys.authoring import Applied
    from streams.journeys.recovery import Recovered

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option(help="Whose journey it is.")]
Name = Annotated[str, typer.Argument(metavar="JOURNEY", help="Its name or id.")]

group = typer.Typer(no_args_is_help=True, help="Author journeys and decide which of them run.")

_COLUMNS = ("tenantId", "name", "status", "version", "change")
_EVER = {what: f"{what} ever" for what in ("enrolled", "completed", "exited", "failed")}
"""What is counted since there is history, and how it is headed; pages count from midnight."""

_RECOVERED = (*_COLUMNS, "problem")


@group.command()
def apply(
    files: Files,
    activate: Annotated[bool, typer.Option("--activate", help="Let them run at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create or update journeys, all or none; a changed trigger, setting or step makes a new version."""
    from streams.journeys import authoring
    from streams.journeys.files import check_files, find_warnings, refuse_problems
    from streams.journeys.upgrades import refuse_newer

    checked = check_files(files)
    journeys = refuse_problems(checked)
    for warning in find_warnings(checked, read_settings()):
        typer.echo(str(warning), err=True)
    if activate:
        journeys = [journey.model_copy(update={"status": JourneyStatus.ACTIVE}) for journey in journeys]

    async def store(connection: "AsyncConnection") -> "list[Applied]":
        await refuse_newer(read_settings(), journeys)
        author = authoring.Author(getpass.getuser(), now())
        return [await authoring.apply(connection, journey, author) for journey in journeys]

    _show(_change(store), as_json=as_json)


@group.command("list")
def list_journeys(
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    status: Annotated[JourneyStatus | None, typer.Option(help="Only those in this status.")] = None,
    as_json: AsJson = False,
) -> None:
    """List journeys with their status, and how many were enrolled and how that ended since there is history."""
    from streams.cli.printing import show_rows
    from streams.journeys import stored

    rows = transact(lambda connection: stored.list_all(connection, tenant, status))
    for row in () if as_json else rows:
        for trouble in filter(None, (row["problem"], row["pausedBecause"])):
            typer.echo(f"fairway: warning: '{row['name']}' of '{row['tenantId']}': {trouble}", err=True)
    columns = ("tenantId", "name", "status", "version", "triggerType", *_EVER.values(), "id")
    if not as_json:
        rows = [{_EVER.get(name, name): value for name, value in row.items()} for row in rows]
    show_rows(rows, columns, as_json=as_json, nothing="There are no journeys; 'fairway journeys apply' makes some.")


@group.command()
def show(journey: Name, tenant: Tenant, as_json: AsJson = False) -> None:
    """Print a journey's newest version, as YAML that 'apply' takes, or as JSON."""
    import msgspec
    import yaml

    from streams.journeys import stored

    definition = transact(lambda connection: stored.export(connection, tenant, journey))
    if as_json:
        typer.echo(msgspec.json.encode(definition))
    else:
        typer.echo(yaml.safe_dump(definition, sort_keys=False, allow_unicode=True), nl=False)


@group.command()
def refusals(journey: Name, tenant: Tenant, as_json: AsJson = False) -> None:
    """Say how many entries a journey refused since there is history, by reason, the most frequent first."""
    from streams.cli.printing import show_rows
    from streams.history.wording import REFUSALS
    from streams.journeys import stored
    from streams.web.access.masking import Mask
    from streams.web.queries.query import Reader
    from streams.web.queries.totals import count_refusals

    async def count(connection: "AsyncConnection") -> dict[str, int]:
        row = await stored.find(connection, tenant, journey)
        return await count_refusals(Reader(connection, None, Mask()), row["id"])

    rows = [
        {"refused": number, "reason": reason, "meaning": REFUSALS.get(reason, "")}
        for reason, number in transact(count).items()
    ]
    nothing = f"'{journey}' has refused nobody."
    show_rows(rows, ("refused", "reason", "meaning"), as_json=as_json, nothing=nothing)


@group.command()
def activate(journey: Name, tenant: Tenant, as_json: AsJson = False) -> None:
    """Let a journey enrol customers."""
    _move(tenant, journey, "activate", as_json=as_json)


@group.command()
def pause(journey: Name, tenant: Tenant, as_json: AsJson = False) -> None:
    """Hold a journey: nobody enters, no wait fires, waits keep their due time."""
    _move(tenant, journey, "pause", as_json=as_json)


@group.command()
def resume(journey: Name, tenant: Tenant, as_json: AsJson = False) -> None:
    """Let a paused journey go on; what is overdue then fires, oldest first."""
    _move(tenant, journey, "resume", as_json=as_json)


@group.command()
def archive(journey: Name, tenant: Tenant, as_json: AsJson = False) -> None:
    """End a journey for good: nobody enters, and who is in it leaves."""
    _move(tenant, journey, "archive", as_json=as_json)


@group.command()
def publish(journey: Name, tenant: Tenant) -> None:
    """Send all versions of a journey to the workers once more, should the topic have lost or damaged one."""
    from streams.journeys import authoring

    async def again(connection: "AsyncConnection") -> int:
        return await authoring.republish(connection, tenant, journey, authoring.Author(getpass.getuser(), now()))

    count = _change(again)
    typer.echo(f"{count} version{'s' * (count != 1)} of '{journey}' published.")


@group.command()
def recover(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; nothing is changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring journeys back into a Postgres that was restored or made anew, as the workers have them.

    Where the definitions topic knows a later change of a journey than Postgres, Postgres takes it; all else stays.
    """
    from streams.cli.printing import show_rows
    from streams.journeys.authoring import Author
    from streams.journeys.definitions import load_catalogue
    from streams.journeys.recovery import recover as bring_back

    catalogue = asyncio.run(load_catalogue(read_settings()))

    async def change(connection: "AsyncConnection") -> "list[Recovered]":
        author = Author(getpass.getuser(), now())
        found = await bring_back(connection, catalogue.states.values(), catalogue.pending, author)
        if dry_run:
            await connection.rollback()
        return found

    found = transact(change) if dry_run else _change(change)
    show_rows(found, _RECOVERED, as_json=as_json, nothing="The definitions topic holds no journeys.")
    if refused := [one for one in found if one.change == "refused"]:
        raise FairwayError(f"{len(refused)} journeys could not be brought back: 'problem' says why.")


def _move(tenant: str, journey: str, by: "Move", *, as_json: bool) -> None:
    from streams.journeys import authoring

    async def change(connection: "AsyncConnection") -> "list[Applied]":
        return [await authoring.move(connection, tenant, journey, by, authoring.Author(getpass.getuser(), now()))]

    _show(_change(change), as_json=as_json)


def _show(applied: "list[Applied]", *, as_json: bool) -> None:
    from streams.cli.printing import show_rows

    show_rows(applied, _COLUMNS, as_json=as_json, nothing="The files hold no journeys.")


def _change(change: "Callable[[AsyncConnection], Awaitable[Found]]") -> Found:
    """Run a change in one transaction, then send what it left in the outbox."""
    from streams.database import create_engine, reach
    from streams.journeys.outbox import publish_soon

    settings = read_settings()

    async def run() -> Found:
        async with reach(create_engine(settings.database_url)) as engine:
            async with engine.begin() as connection:
                found = await change(connection)
            if trouble := await publish_soon(engine, settings):
                typer.echo(f"Stored, and sent by the next worker that can: {trouble}", err=True)
            return found

    return asyncio.run(run())

"""`fairway state`: the state of customers as the workers hold it: read, checked and repaired."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from streams.clock import now
from streams.errors import FairwayError
from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from streams.cli.moving import Plan
    from streams.kafka.topics import Topics
    from streams.partition.audit import Report

Tenant = Annotated[str, typer.Option(help="The tenant's id.")]
Customer = Annotated[str, typer.Option(help="The customer's id.")]
Partition = Annotated[int | None, typer.Option(min=0, help="Only this one. [default: all of them]")]

group = typer.Typer(no_args_is_help=True, help="The state of customers.")


@group.command()
def repair(
    tenant: Tenant,
    customer: Customer,
    discard: Annotated[
        bool, typer.Option("--discard", help="Keep nothing of the state: the customer begins anew.")
    ] = False,
    within: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="How long to wait at most.")] = 10.0,
) -> None:
    """Replace a customer's damaged state by what can be read of it; the row as it was is kept as a dead letter.

    While the state is damaged, what comes for the customer goes to the dead letters with the code 'damaged':
    replay it afterwards. Enrolments that can't be read are lost, and named.
    """
    from models.limits import find_bad_id
    from streams.control.repairs import ask
    from streams.engine.inputs import RepairState

    if fault := find_bad_id(tenant, customer):
        raise FairwayError(fault)
    settings = read_settings()
    answer = asyncio.run(ask(settings, tenant, customer, RepairState(now(), discard), within))
    if answer is None:
        raise FairwayError(f"No worker answered within {within:g} seconds; the request waits in the inbox.")
    if not answer.is_repaired:
        raise FairwayError(answer.reason)
    typer.echo(f"{answer.reason} It is dead letter {answer.partition}/{answer.offset}.")


@group.command()
def get(tenant: Tenant, customer: Customer) -> None:
    """Print a customer's row as JSON: which partition it is on, what is wrong with it, and what it says.

    It is read from the changelog, so that no worker needs to run; exit code 1 where there is no row, or a bad one.
    """
    import msgspec

    from models.limits import find_bad_id
    from streams.cli.rows import read_customer

    if fault := find_bad_id(tenant, customer):
        raise FairwayError(fault)
    row = asyncio.run(read_customer(read_settings(), tenant, customer))
    if row is None:
        raise FairwayError(f"Tenant '{tenant}' has no customer '{customer}' in the state.")
    typer.echo(msgspec.json.format(msgspec.json.encode(row), indent=2))
    if row.problem:
        raise FairwayError(f"The row can't be used. {row.problem}")


@group.command()
def dump(
    partition: Partition = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's customers.")] = None,
) -> None:
    """Print all rows, a JSON object a line: of every partition, in order of their keys, those that are bad, too.

    They are read from the changelog as it is at the start, and lie on the disk meanwhile, not in memory.
    """
    import msgspec

    from streams.cli.rows import dump as dump_rows

    stream, encode = typer.get_binary_stream("stdout"), msgspec.json.Encoder().encode

    async def write() -> None:
        settings = read_settings()
        topics, numbers = await _open(settings, partition)
        for number in numbers:
            async for row in dump_rows(settings, topics, number):
                if tenant is None or row.key.startswith(f"{tenant}:"):
                    stream.write(encode(row) + b"\n")
        stream.flush()

    asyncio.run(write())


@group.command()
def verify(
    partition: Partition = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Check each row of the changelog, and hold the stores on this machine against it; exit code 1 if one is bad.

    A row must be one that a worker can use, on its customer's partition. A store must have the same rows, and a
    mark for each enrolment and wait. Workers may run meanwhile.
    """
    import msgspec

    from streams.cli.rows import verify as verify_rows

    async def look() -> "list[Report]":
        settings, found = read_settings(), []
        topics, numbers = await _open(settings, partition)
        for number in numbers:
            found.append(await verify_rows(settings, topics, number))
            if not as_json:
                _tell(found[-1])
        return found

    reports = asyncio.run(look())
    if as_json:
        typer.echo(msgspec.json.encode(reports))
    if bad := [str(report.partition) for report in reports if not report.is_sound]:
        raise FairwayError(
            f"The state is not sound on partition {', '.join(bad)}: 'fairway state repair' mends a customer's row; "
            "a store is made anew if its folder is removed while its worker is stopped."
        )


@group.command()
def move(
    to: Annotated[str, typer.Option(metavar="APP", help="The app id that it is moved to, never used before.")],
    to_partitions: Annotated[int, typer.Option(min=1, max=10_000, help="How many partitions it has there.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; nothing is changed.")] = False,
    skip_history: Annotated[
        bool,
        typer.Option("--skip-history", help="Don't write the last activity to Postgres before, if that is away."),
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--give-up", help="Give the state back to its app id, if the move is not complete.")
    ] = False,
) -> None:
    """Move the state of FAIRWAY_APP_ID to another app id, with another number of partitions, and nothing lost.

    All workers have to be stopped; events that are written meanwhile wait. A move that was broken off is started
    again with the same options, within 12 hours, and goes on.
    """
    from streams import failpoints
    from streams.cli import moving

    settings = read_settings()
    failpoints.arm(settings.failpoint)
    if abandon:
        asyncio.run(moving.give_up(settings, to))
        typer.echo(f"The state is with '{settings.app_id}' again: start its workers.")
        return
    if dry_run:
        _tell_plan(settings, to, asyncio.run(moving.look(settings, to, to_partitions))[2])
        return
    moved = moving.run(settings, to, to_partitions, skips_history=skip_history)
    typer.echo(
        f"The move is complete: {moved.rows:,} rows went to '{to}'. Set FAIRWAY_APP_ID to '{to}', and the "
        f"partitions of its changelog in topics.yaml to {to_partitions}; then start the workers."
    )
    if moved.left_out:
        typer.echo(f"{moved.left_out:,} rows were left out: they lay where no worker could find them.", err=True)


def _tell_plan(settings: Settings, target: str, plan: "Plan") -> None:
    if plan.is_complete:
        typer.echo(f"The move to '{target}' is complete.")
        return
    typer.echo(
        f"{plan.records:,} records of '{settings.app_id}', with {plan.partitions} partitions, would be moved to "
        f"'{target}', with {plan.target_partitions}. All workers have to be stopped for it."
    )
    if plan.creates:
        typer.echo(f"Its changelog would be created, with {plan.target_partitions} partitions.")
    for topic, count in plan.grows.items():
        typer.echo(f"'{topic}' would be given partitions, up to {count}.")


def _tell(report: "Report") -> None:
    from models.printable import printable

    rows = report.rows
    said = f"{rows.bad:,} rows can't be used" if rows.bad else "all can be used"
    typer.echo(
        f"Partition {report.partition}: {rows.customers:,} customers, {rows.enrollments:,} enrolments, "
        f"{rows.waits:,} waits, {rows.internal:,} internal rows, {rows.bytes:,} bytes; {said}."
    )
    for fault in rows.faults:
        typer.echo(printable(f"  '{fault.key}': {fault.problem}"))
    for store in report.stores:
        told = (
            f"is passed over: {store.note}"
            if store.note
            else (
                f"at offset {store.offset:,}: {store.differing:,} rows differ; {store.marks:,} marks, "
                f"{store.missing:,} missing, {store.useless:,} that no row needs."
            )
        )
        typer.echo(printable(f"  Store '{store.folder}' {told}"))
        for fault in store.faults:
            typer.echo(printable(f"    '{fault.key}': {fault.problem}"))


async def _open(settings: Settings, partition: int | None) -> "tuple[Topics, Sequence[int]]":
    """Return the topics, and the partitions that are meant: all, if none is named."""
    from streams.cli.rows import open_changelog

    topics = await open_changelog(settings)
    if partition is None:
        return topics, range(topics.partitions)
    if partition >= topics.partitions:
        raise FairwayError(f"There is no partition {partition}: they are 0 to {topics.partitions - 1}.")
    return topics, [partition]

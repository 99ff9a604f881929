"""`fairway enroll` and `exit`: customers put into journeys and taken out by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.limits import find_bad_id
from streams.cli.events import run, send_all
from streams.clock import now
from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.control.manual import Outcome
    from streams.engine.inputs import Enroll, Exit

Tenant = Annotated[str, typer.Option(help="The tenant's id.")]
Journey = Annotated[str, typer.Option(help="The journey's name or id.")]
Customer = Annotated[str, typer.Option(help="The customer's id.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for what comes of it, and say so; exit code 1 if refused.")
]
Within = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="With --wait: how long at most.")]


def enroll(
    tenant: Tenant,
    journey: Journey,
    customer: Annotated[str | None, typer.Option(help="The customer's id.")] = None,
    file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Many: an id or {customerId, data} a line; - is stdin."),
    ] = None,
    data: Annotated[
        str, typer.Option(metavar="JSON", help="The trigger's data, as an event would bring it.")
    ] = "{}",
    wait: Wait = False,
    within: Within = 10.0,
) -> None:
    """Enrol a customer by hand, or many from a file, all or none; the journey's conditions are not asked."""
    from streams.engine.inputs import Enroll

    if file is not None:
        if customer is not None or wait or data != "{}":
            raise typer.BadParameter("--file goes without --customer, --data and --wait.")
        return _enroll_all(tenant, journey, file)
    if customer is None:
        raise typer.BadParameter("Name the customer by --customer, or many by --file.")
    given = _read_data(data)
    seconds = within if wait else None
    name, outcome = _control(
        tenant, journey, customer, lambda id_: Enroll(journey_id=id_, at=now(), data=given), seconds
    )
    typer.echo(_read(outcome) if outcome else f"Customer '{customer}' is on the way into '{name}'.")
    return None


def _enroll_all(tenant: str, journey: str, file: Path) -> None:
    from streams.control.enrolling import read_enrollments
    from streams.control.publishing import BadLine, OutgoingRecord, find_journey
    from streams.journeys.files import read_lines

    lines = read_lines(file)
    known = run(find_journey(read_settings(), tenant, journey))
    read = list(read_enrollments(lines, tenant, known.journey_id, now()))
    if bad := [line for line in read if isinstance(line, BadLine)]:
        raise FairwayError(f"Nobody was enrolled: '{file}', line {bad[0].number}: {bad[0].reason}")
    sent = send_all("Enrolling", [line for line in read if isinstance(line, OutgoingRecord)])
    typer.echo(f"{sent} customers are on the way into '{known.name}'.")


def exit_journey(
    tenant: Tenant, journey: Journey, customer: Customer, wait: Wait = False, within: Within = 10.0
) -> None:
    """Take a customer out of a journey by hand, with the reason 'manual'."""
    from streams.engine.inputs import Exit

    name, outcome = _control(
        tenant, journey, customer, lambda id_: Exit(journey_id=id_, at=now()), within if wait else None
    )
    typer.echo(_read(outcome) if outcome else f"Customer '{customer}' is on the way out of '{name}'.")


def _read(outcome: "Outcome") -> str:
    if not outcome.is_done:
        raise FairwayError(outcome.text)
    return outcome.text


def _control(
    tenant: str, journey: str, customer: str, write: "Callable[[str], Enroll | Exit]", seconds: float | None
) -> "tuple[str, Outcome | None]":
    """Send what `write` makes of the journey's id; return the journey's name and, after a wait, what came of it."""
    from streams.control.manual import ask, describe
    from streams.control.publishing import control, find_journey

    if fault := find_bad_id(tenant, customer):
        raise FairwayError(fault)
    settings = read_settings()

    async def work() -> "tuple[str, Outcome | None]":
        known = await find_journey(settings, tenant, journey)
        message = write(known.journey_id)
        if seconds is None:
            await control(settings, tenant, customer, message)
            return known.name, None
        answer = await ask(settings, tenant, customer, message, seconds)
        return known.name, describe(answer, message, customer, known.name, seconds)

    return run(work())


def _read_data(text: str) -> dict[str, Any]:
    from streams.engine.payload import Rejection, read_data

    data = read_data(text.encode(errors="surrogatepass"))
    if isinstance(data, Rejection):
        raise FairwayError(f"--data can't be used. {data.reason}")
    return data

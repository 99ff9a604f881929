"""`fairway publish`, `commands`, `enroll`, `exit`: what people send and read by hand."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from models.limits import find_bad_id
from streams.clock import now
from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.control.manual import Answer
    from streams.engine.inputs import Enroll, Exit

Tenant = Annotated[str, typer.Option(help="The tenant's id.")]
Journey = Annotated[str, typer.Option(help="The journey's name or id.")]
Customer = Annotated[str, typer.Option(help="The customer's id.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for what comes of it, and say so; exit code 1 if refused.")
]
Within = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="With --wait: how long at most.")]
Result = TypeVar("Result")
_TOLD = 20  # bad lines


def publish(
    events: Annotated[Path, typer.Argument(metavar="EVENTS.jsonl", help="Events, one JSON object a line.")],
    raw: Annotated[str | None, typer.Option(metavar="TOPIC", help="Send every line to TOPIC as it is.")] = None,
) -> None:
    """Put events on their topics with the right key; lines that are no event are told and left out."""
    from rich.console import Console
    from rich.progress import Progress

    from streams.control.publishing import BadLine, OutgoingRecord, read_events, send
    from streams.journeys.files import read_lines
    from streams.kafka.topics import read_topics

    settings = read_settings()
    topics = frozenset(read_topics(settings.topics_file, settings.app_id).events)
    read = list(read_events(read_lines(events), topics, raw))
    lines = [line for line in read if isinstance(line, OutgoingRecord)]
    bad = [line for line in read if isinstance(line, BadLine)]
    if bad and not lines:
        wanted = "events are JSON objects, one a line"
        raise FairwayError(f"'{events}' holds none: {wanted}, but line {bad[0].number}: {bad[0].reason}")
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Publishing", total=len(lines))
        sent = _run(send(settings, lines, lambda count: progress.advance(task, count))) if lines else 0
    typer.echo(f"{sent} events published.")
    for line in bad[:_TOLD]:
        typer.echo(f"{events}:{line.number}: {line.reason}", err=True)
    if bad:
        told = f"; the first {_TOLD} are told above" if len(bad) > _TOLD else ""
        raise FairwayError(f"{len(bad)} lines were left out{told}; send them as they are with --raw TOPIC.")


def commands(
    follow: Annotated[bool, typer.Option("--follow", help="Go on with those to come, until Ctrl-C.")] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="With --follow: begin with the oldest that is kept.")
    ] = False,
) -> None:
    """Print committed send commands, one JSON a line: those that are there, or with --follow those to come."""
    from streams.control.publishing import read_commands

    async def show() -> None:
        settings = read_settings()
        async for value in read_commands(settings, from_start=from_start or not follow, follow=follow):
            typer.echo(value)

    _run(show())


def enroll(
    tenant: Tenant,
    journey: Journey,
    customer: Customer,
    data: Annotated[
        str, typer.Option(metavar="JSON", help="The trigger's data, as an event would bring it.")
    ] = "{}",
    wait: Wait = False,
    within: Within = 10.0,
) -> None:
    """Enrol a customer by hand; the journey's conditions are not asked."""
    from streams.engine.inputs import Enroll

    given = _read_data(data)
    name, answer = _control(
        tenant,
        journey,
        customer,
        lambda id_: Enroll(journey_id=id_, at=now(), data=given),
        within if wait else None,
    )
    if answer is None:
        typer.echo(f"Customer '{customer}' is on the way into '{name}'.")
    else:
        typer.echo(_tell_entry(customer, name, answer, within))


def exit_journey(
    tenant: Tenant, journey: Journey, customer: Customer, wait: Wait = False, within: Within = 10.0
) -> None:
    """Take a customer out of a journey by hand, with the reason 'manual'."""
    from streams.engine.inputs import Exit

    name, answer = _control(
        tenant, journey, customer, lambda id_: Exit(journey_id=id_, at=now()), within if wait else None
    )
    if answer is None:
        typer.echo(f"Customer '{customer}' is on the way out of '{name}'.")
    else:
        typer.echo(_tell_exit(customer, name, answer, within))


def _control(
    tenant: str, journey: str, customer: str, write: "Callable[[str], Enroll | Exit]", seconds: float | None
) -> "tuple[str, Answer | None]":
    """Send what `write` makes of the journey's id; return the journey's name and, after a wait, the answer."""
    from streams.control.manual import ask
    from streams.control.publishing import control, find_journey

    if fault := find_bad_id(tenant, customer):
        raise FairwayError(fault)
    settings = read_settings()

    async def run() -> "tuple[str, Answer | None]":
        known = await find_journey(settings, tenant, journey)
        message = write(known.journey_id)
        if seconds is None:
            await control(settings, tenant, customer, message)
            return known.name, None
        return known.name, await ask(settings, tenant, customer, message, seconds)

    return _run(run())


def _tell_entry(customer: str, journey: str, answer: "Answer", seconds: float) -> str:
    from streams.engine.entries import EnrollmentRefused
    from streams.history.wording import describe_refusal

    for entry in answer.entries:
        if isinstance(entry, EnrollmentRefused):
            why = describe_refusal(entry)
            raise FairwayError(f"Customer '{customer}' did not enter '{journey}': {why}.")
    if not answer.entries:
        raise _tell_silence(answer, seconds)
    return f"Customer '{customer}' has entered '{journey}'."


def _tell_exit(customer: str, journey: str, answer: "Answer", seconds: float) -> str:
    if not answer.is_taken:
        raise _tell_silence(answer, seconds)
    if not answer.entries:
        raise FairwayError(f"Customer '{customer}' was not in '{journey}'.")
    return f"Customer '{customer}' has left '{journey}'."


def _tell_silence(answer: "Answer", seconds: float) -> FairwayError:
    if answer.is_taken:
        return FairwayError(f"A worker took it up, but wrote down nothing of it within {seconds:g} seconds.")
    return FairwayError(f"No worker took it up within {seconds:g} seconds; it is done as soon as one does.")


def _read_data(text: str) -> dict[str, Any]:
    from streams.engine.payload import Rejection, read_data

    data = read_data(text.encode(errors="surrogatepass"))
    if isinstance(data, Rejection):
        raise FairwayError(f"--data can't be used. {data.reason}")
    return data


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit from None

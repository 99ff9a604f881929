"""`fairway publish` and `commands`: events in and send commands out, by hand."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.control.publishing import OutgoingRecord

Result = TypeVar("Result")
_TOLD = 20  # bad lines


def publish(
    events: Annotated[Path, typer.Argument(metavar="EVENTS.jsonl", help="Events, one JSON object a line.")],
    raw: Annotated[str | None, typer.Option(metavar="TOPIC", help="Send every line to TOPIC as it is.")] = None,
) -> None:
    """Put events on their topics with the right key; lines that are no event are told and left out."""
    from streams.control.publishing import BadLine, OutgoingRecord, read_events
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
    sent = send_all("Publishing", lines) if lines else 0
    typer.echo(f"{sent} event{'s' * (sent != 1)} published.")
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

    run(show())


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what the work comes to; Ctrl-C ends it."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise typer.Exit from None


def send_all(what: str, records: "list[OutgoingRecord]") -> int:
    """Send records, with a progress bar on a terminal; return how many they were."""
    from rich.console import Console
    from rich.progress import Progress

    from streams.control.publishing import send

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=len(records))
        return run(send(read_settings(), records, lambda count: progress.advance(task, count)))

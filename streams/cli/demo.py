"""`fairway demo`: see it work, from nothing."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.settings import Settings, read_settings

if TYPE_CHECKING:
    from streams.demo.tally import Summary


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop everything when the sample is done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as a last line of JSON.")] = False,
    day: Annotated[float, typer.Option(min=0.5, help="Seconds that a day of a wait lasts here.")] = 2.0,
) -> None:
    """Start Kafka, Postgres and a worker, play a golf club's events, and show the commands as they come."""
    try:
        _end_alike()
        _start(day, leave=leave, as_json=as_json)
    except (KeyboardInterrupt, asyncio.CancelledError):
        typer.echo("Stopped.")


def _end_alike() -> None:
    """Make SIGTERM do what Ctrl-C does, at every moment, also where a shell had Ctrl-C ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _start(day: float, *, leave: bool, as_json: bool) -> None:
    from streams.demo.starter import find_topics
    from streams.dev import servers

    settings = read_settings()
    ours = not servers.are_running(settings.data_dir)
    typer.echo("Starting Kafka and Postgres …")
    try:
        found = servers.start(settings.data_dir)
        typer.echo(str(found))
        given: dict[str, Any] = {"brokers": found.brokers, "database_url": found.database_url}
        given["kafka_security_protocol"] = "PLAINTEXT"  # whatever another Kafka wants
        given["topics_file"] = find_topics(settings)
        asyncio.run(_perform(settings.model_copy(update=given), day, leave=leave, as_json=as_json))
    finally:
        if ours:
            servers.stop(settings.data_dir)


async def _perform(settings: Settings, day: float, *, leave: bool, as_json: bool) -> None:
    from streams.demo.demo import Demo
    from streams.demo.stage import check_worker, find_port, make_journeys, run_worker
    from streams.kafka import provision
    from streams.kafka.topics import read_topics

    topics = read_topics(settings.topics_file, settings.app_id)
    journeys = _shorten_examples(settings.data_dir, day)
    log = journeys.with_name("worker.log")
    await provision.apply(settings, topics)
    async with run_worker(settings, log) as worker:
        await make_journeys(settings, journeys)
        typer.echo(f"Topics, tables and the journeys of '{journeys}' are there; the worker's log is '{log}'.")
        played = Demo(settings, topics.partitions, lambda: check_worker(worker, log), _show)
        await played.play()
        summary = played.tally.summarize()
        _print_table(summary)
        if not leave:
            if port := find_port(worker):
                typer.echo(f"Look at it: http://127.0.0.1:{port}")
            typer.echo("The worker goes on until Ctrl-C.")
            await worker.wait()
    if as_json:
        _print_json(summary)


def _shorten_examples(data_dir: Path, day: float) -> Path:
    from streams.demo.examples import EXAMPLES, shorten

    folder = data_dir / "demo" / "journeys"
    shorten(EXAMPLES, day, folder)
    return folder


def _show(command: Mapping[str, Any]) -> None:
    variants = " ".join(command["variants"].values())
    words = (command["issuedAt"][11:19], f"{command['channel']:<5}", f"{command['templateId']:<22}")
    typer.echo("  ".join((*words, command["customerId"], f"{command['journeyName']} {variants}")).rstrip())


def _print_table(summary: "Summary") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="What the sample did", show_header=False)
    table.add_row("events", str(summary.events))
    table.add_row("entered", str(summary.entered))
    for goal, number in sorted(summary.goals.items()):
        table.add_row(f"goal: {goal}", str(number))
    table.add_row("waits that moved with their tee time", str(summary.moved))
    for reason, number in sorted(summary.refused_by_reason.items()):
        table.add_row(f"refused: {reason}", str(number))
    table.add_section()
    for sent in summary.commands_by_template:
        table.add_row(f"{sent.channel} {sent.template} {sent.variants}".rstrip(), str(sent.count))
    table.add_row("commands", str(summary.commands))
    table.add_row("of them twice", str(summary.duplicate_commands))
    table.add_section()
    for code, number in sorted(summary.dead_letters_by_code.items()):
        table.add_row(f"dead letters: {code}", str(number))
    table.add_row("event to command, median", f"{summary.latency_ms.p50} ms")
    table.add_row("event to command, 99 of 100", f"{summary.latency_ms.p99} ms")
    Console().print(table)


def _print_json(summary: "Summary") -> None:
    import msgspec

    typer.echo(msgspec.json.encode(summary))

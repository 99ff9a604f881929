"""The command line `fairway`: each module here holds one group of commands."""

import asyncio
import logging
import sys
from typing import Annotated

import typer

from streams.cli import (
    access,
    controls,
    db,
    dead_letters,
    demo,
    dev,
    difference,
    doctor,
    events,
    export,
    history,
    init,
    journeys,
    people,
    schemas,
    simulate,
    state,
    topics,
    validate,
    worker,
)
from streams.errors import FairwayError
from streams.settings import find_unknown, read_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(access.group, name="access")
app.add_typer(db.group, name="db")
app.add_typer(dead_letters.group, name="dead-letters")
app.add_typer(dev.group, name="dev")
db.group.command()(history.unpark)
app.add_typer(history.group, name="history")
journeys.group.command()(difference.diff)
journeys.group.command()(validate.validate)
journeys.group.command()(validate.schema)
app.add_typer(journeys.group, name="journeys")
app.add_typer(state.group, name="state")
topics.group.command()(export.export)
app.add_typer(people.customers, name="customers")
app.add_typer(people.enrollments, name="enrollments")
app.add_typer(people.waits, name="waits")
app.add_typer(topics.group, name="topics")
app.command()(doctor.doctor)
app.command()(schemas.schemas)
app.command()(init.init)
app.command()(demo.demo)
app.command()(simulate.simulate)
app.command()(worker.worker)
app.command()(events.publish)
app.command()(events.commands)
app.command()(controls.enroll)
app.command("exit")(controls.exit_journey)


def _print_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"fairway {version('fairway-journeys')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
]


@app.callback()
def _take_options(context: typer.Context, version: Version = False) -> None:
    """Marketing journeys on Kafka."""
    if context.invoked_subcommand != "worker":  # which says so in its log
        for sentence in find_unknown():
            typer.echo(f"fairway: warning: {sentence}", err=True)


def main() -> None:
    """Run the command line; an error that the user can mend is one sentence on stderr and exit code 1."""
    from streams.logs.setup import set_up

    set_up(_log_format(), aiokafka=logging.CRITICAL)  # what it warns of, the sentence says
    try:
        app()
    except FairwayError as error:
        sentence = error
    except Exception as error:
        if not (explained := _explain(error)):
            raise
        sentence = explained
    else:
        return
    _tell(sentence)
    sys.exit(1)


def _tell(error: FairwayError) -> None:
    if sys.argv[1:2] == ["worker"] and _log_format() == "json":  # whose every line is for programs
        from structlog import get_logger

        get_logger().error(str(error))
    else:
        sys.stderr.write(f"fairway: {error}\n")


def _log_format() -> str:
    try:
        return read_settings().log_format
    except FairwayError:
        return "text"  # whoever needs the settings says what is wrong with them


def _explain(error: Exception) -> FairwayError | None:
    """Return what to say of an error of Kafka's; None for one that is ours, which is to be seen whole."""
    from aiokafka.errors import KafkaError

    from streams.kafka.clients import explain

    return asyncio.run(explain(read_settings(), error)) if isinstance(error, KafkaError) else None

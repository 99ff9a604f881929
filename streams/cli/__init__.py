"""The command line `fairway`: each module here holds one group of commands."""

import sys
from typing import Annotated

import typer

from streams.cli import access, db, demo, dev, events, init, journeys, simulate, topics, validate, worker
from streams.errors import FairwayError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(access.group, name="access")
app.add_typer(db.group, name="db")
app.add_typer(dev.group, name="dev")
journeys.group.command()(validate.validate)
journeys.group.command()(validate.schema)
app.add_typer(journeys.group, name="journeys")
app.add_typer(topics.group, name="topics")
app.command()(init.init)
app.command()(demo.demo)
app.command()(simulate.simulate)
app.command()(worker.worker)
app.command()(events.publish)
app.command()(events.commands)
app.command()(events.enroll)
app.command("exit")(events.exit_journey)


def _print_version(*, asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"fairway {version('fairway-journeys')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
]


@app.callback()
def _take_options(version: Version = False) -> None:
    """Marketing journeys on Kafka."""


def main() -> None:
    """Run the command line; an error that the user can mend is one sentence on stderr and exit code 1."""
    try:
        app()
    except FairwayError as error:
        sys.stderr.write(f"fairway: {error}\n")
        sys.exit(1)

"""The command line `fairway`: each module here holds one group of commands."""

import sys

import typer

from streams.cli import access, db, demo, dev, events, journeys, simulate, topics, validate, worker
from streams.errors import FairwayError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Marketing journeys on Kafka.",
)
app.add_typer(access.group, name="access")
app.add_typer(db.group, name="db")
app.add_typer(dev.group, name="dev")
journeys.group.command()(validate.validate)
journeys.group.command()(validate.schema)
app.add_typer(journeys.group, name="journeys")
app.add_typer(topics.group, name="topics")
app.command()(demo.demo)
app.command()(simulate.simulate)
app.command()(worker.worker)
app.command()(events.publish)
app.command()(events.commands)
app.command()(events.enroll)
app.command("exit")(events.exit_journey)


def main() -> None:
    """Run the command line; an error that the user can mend is one sentence on stderr and exit code 1."""
    try:
        app()
    except FairwayError as error:
        sys.stderr.write(f"fairway: {error}\n")
        sys.exit(1)

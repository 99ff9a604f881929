"""`fairway dev`: a real Kafka and a real Postgres on this machine."""

import signal
from typing import Annotated

import typer

from streams.settings import read_settings

_ENDS = {signal.SIGINT, signal.SIGTERM}

group = typer.Typer(no_args_is_help=True, help="A real Kafka and a real Postgres on this machine.")


@group.command()
def up(
    detach: Annotated[
        bool, typer.Option("--detach", help="Return once both answer; 'dev down' ends them.")
    ] = False,
    docker: Annotated[bool, typer.Option("--docker", help="Run Kafka in Docker, in place of Java.")] = False,
    java: Annotated[
        str, typer.Option(help="Run Kafka by this Java (17 or later), in place of the wheel's.", metavar="PROGRAM")
    ] = "",
) -> None:
    """Start Kafka and Postgres, or find them running; their data stays under the data folder."""
    from streams.dev import servers

    data_dir = read_settings().data_dir
    found = servers.start(data_dir, docker=docker, java_program=java)
    typer.echo(str(found))
    if not detach:
        typer.echo("Ctrl-C ends both.")
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
        signal.sigwait(_ENDS)
        servers.stop(data_dir)


@group.command()
def down() -> None:
    """End what 'dev up' started; the data stays."""
    from streams.dev import servers

    ended = servers.stop(read_settings().data_dir)
    typer.echo("Kafka and Postgres have ended." if ended else "Nothing was running.")


@group.command()
def env() -> None:
    """Print the settings that lead to the running servers: eval "$(fairway dev env)".

    With them goes the list of topics: the folder's topics.yaml, else the one that the demo uses.
    """
    from shlex import quote

    from streams.demo.starter import find_topics
    from streams.dev import servers

    settings = read_settings()
    variables = servers.find(settings.data_dir).variables()
    variables["FAIRWAY_TOPICS_FILE"] = str(find_topics(settings).absolute())
    for name, value in variables.items():
        typer.echo(f"export {name}={quote(value)}")

"""`fairway topics`: compare topics.yaml with the broker, create, alter or grow."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.kafka.provision import Difference

AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON list.")]

group = typer.Typer(no_args_is_help=True, help="Compare topics.yaml with the broker, create or alter topics.")


@group.command("plan")
def plan_topics(as_json: AsJson = False) -> None:
    """Show what 'topics apply' would do; nothing is changed."""
    from streams.kafka import provision
    from streams.kafka.topics import read_topics

    settings = read_settings()
    wanted = read_topics(settings.topics_file, settings.app_id, settings.topics_profile)
    _show(asyncio.run(provision.plan(settings, wanted)), as_json=as_json)


@group.command("apply")
def apply_topics(as_json: AsJson = False) -> None:
    """Create missing topics, alter configs, add partitions; nothing is deleted or shrunk, nor the state grown."""
    from streams.kafka import provision
    from streams.kafka.topics import read_topics

    settings = read_settings()
    wanted = read_topics(settings.topics_file, settings.app_id, settings.topics_profile)
    _show(asyncio.run(provision.apply(settings, wanted)), as_json=as_json)


def _show(differences: "tuple[Difference, ...]", *, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.encode(differences))
    else:
        for difference in differences:
            typer.echo(f"{difference.action:<7} {difference.topic}: {difference.text}")
    refused = [difference.topic for difference in differences if difference.action == "refuse"]
    if refused:
        are_left = "1 difference is" if len(refused) == 1 else f"{len(refused)} differences are"
        raise FairwayError(f"{are_left} left for you to settle; see 'refuse' above.")
    if not differences and not as_json:
        typer.echo("The broker's topics are as the file says.")

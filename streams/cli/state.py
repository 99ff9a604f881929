"""`fairway state`: the state of customers as the workers hold it."""

import asyncio
from typing import Annotated

import typer

from streams.clock import now
from streams.errors import FairwayError
from streams.settings import read_settings

group = typer.Typer(no_args_is_help=True, help="The state of customers.")


@group.callback()
def _state() -> None:
    """Let a single command be a command of the group all the same."""


@group.command()
def repair(
    tenant: Annotated[str, typer.Option(help="The tenant's id.")],
    customer: Annotated[str, typer.Option(help="The customer's id.")],
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

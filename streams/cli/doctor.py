"""`fairway doctor`: what is well with a deployment, what is not, and what to do."""

import asyncio
from typing import Annotated

import typer

from streams.kafka.roles import Role
from streams.settings import read_settings

_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "problem": ("✗", "red")}


def doctor(
    role: Annotated[
        Role, typer.Option(help="Whose rights in Kafka: worker, author, producer, sender or operator.")
    ] = Role.WORKER,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Look at Kafka, Postgres, the workers and this machine; exit code 1 if there is a problem."""
    import msgspec
    from rich.console import Console
    from rich.text import Text

    from models.printable import printable
    from streams.doctor.examine import examine

    findings = asyncio.run(examine(read_settings(), role))
    if as_json:
        typer.echo(msgspec.json.encode(findings))
    else:
        console = Console(highlight=False, soft_wrap=True)
        for finding in findings:
            sign, style = _SIGNS[finding.state]
            console.print(Text.assemble((f"{sign} {finding.check:<13}", style), printable(finding.text)))
            if finding.todo:
                console.print(Text(f"{'':<15}→ {printable(finding.todo)}"))
    raise typer.Exit(1 if any(finding.state == "problem" for finding in findings) else 0)

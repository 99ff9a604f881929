"""`fairway schemas`: what others build on, for their own tools."""

from typing import Annotated

import typer

from streams.errors import FairwayError


def schemas(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One of them; all if left out.")] = "",
) -> None:
    """Print the JSON Schema (2020-12) of every message and of journey files, or of one of them."""
    import msgspec

    from streams.engine.message_schemas import message_schemas
    from streams.engine.schema import journey_schema

    found = message_schemas() | {"journey": journey_schema()}
    if name and name not in found:
        raise FairwayError(f"There is no schema '{name}': choose one of {', '.join(sorted(found))}.")
    typer.echo(msgspec.json.format(msgspec.json.encode(found[name] if name else found), indent=2))

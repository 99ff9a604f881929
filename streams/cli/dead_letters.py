"""`fairway dead-letters`: records that could not be used, what became of each, and what is done about them."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from streams.clock import now
from streams.errors import FairwayError
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.cli.letters import Choice, Letters
    from streams.web.queries.letter_states import Move
    from streams.web.sources.dead_letters import Letter

Result = TypeVar("Result")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Code = Annotated[str, typer.Option(help="Only those with this code.")]
Topic = Annotated[str, typer.Option(help="Only those that came from this topic.")]
Tenant = Annotated[str | None, typer.Option(help="Only those whose value, or key, names this tenant.")]
Customer = Annotated[str, typer.Option(help="Only those whose value, or key, names this customer.")]
Since = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Only newer ones: a date, a date-time, today or yesterday (from 00:00 UTC on), or how long ago,"
        " such as '1 day'.",
    ),
]
Limit = Annotated[int, typer.Option(min=1, max=1_000_000, help="How many at most: the newest.")]
Place = Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="Which one, as the list names it.")]
Places = Annotated[
    list[str] | None, typer.Argument(metavar="[PARTITION:OFFSET]...", help="Which ones, as the list names them.")
]
Every = Annotated[bool, typer.Option("--all", help="All open ones.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only list which they are, and check a new value; nothing is done.")
]

_MOST = 1_000_000
_COLUMNS = ("place", "at", "state", "code", "topic", "key", "reason")
_COUNTED = ("letters", "code", "state", "newest", "reason")
_NONE = "There is no such dead letter."

group = typer.Typer(no_args_is_help=True, help="Records that could not be used, and what is done about them.")


@group.command("list")
def list_letters(
    state: Annotated[str, typer.Option(help="open, replayed, resolved, discarded, or all.")] = "open",
    code: Code = "", topic: Topic = "", tenant: Tenant = None, customer: Customer = "", since: Since = None,
    limit: Limit = 50, as_json: AsJson = False,
) -> None:  # fmt: skip
    """List dead letters, newest first: where each lies, what became of it, and why it could not be used."""
    choice = _choose(state, code, topic, tenant, customer, since, limit)
    _show(_list(choice, ()), as_json=as_json)


@group.command("count")
def count_letters(
    state: Annotated[str, typer.Option(help="open, replayed, resolved, discarded, or all.")] = "all",
    code: Code = "", topic: Topic = "", tenant: Tenant = None, customer: Customer = "", since: Since = None,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Count dead letters by code, reason and state, most first: how many, and when the newest came.

    Reasons that differ in numbers or in whom they name alone are counted as one, with … in place of these.
    """
    from streams.cli.letters import count_by_reason
    from streams.cli.printing import show_rows

    choice = _choose(state, code, topic, tenant, customer, since, _MOST)
    rows, left_out = _run(lambda letters: count_by_reason(letters, choice))
    show_rows(rows, _COUNTED, as_json=as_json, nothing=_NONE)
    if left_out and not as_json:
        typer.echo(f"And {left_out:,} more, of other reasons: narrow it by --code, --topic, --since or --customer.")


@group.command()
def show(
    place: Place,
    value: Annotated[bool, typer.Option("--value", help="Print its value alone, byte for byte.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one dead letter: why, what became of it, where it came from, its headers and its value."""
    import msgspec

    from streams.cli.letters import read_position
    from streams.cli.printing import write_yaml

    async def find(letters: "Letters") -> "tuple[Letter, dict[str, Any]]":
        (found,) = await letters.find([read_position(place)])
        return found, _describe(found, letters)

    letter, row = _run(find)
    if value:
        typer.get_binary_stream("stdout").write(letter.record.value or b"")
    elif as_json:
        typer.echo(msgspec.json.encode(row))
    else:
        headers = {name: (content or b"").decode(errors="replace") for name, content in letter.record.headers}
        typer.echo(write_yaml([row | {"headers": headers}]), nl=False)


@group.command()
def replay(
    places: Places = None, every: Every = False, code: Code = "", topic: Topic = "", tenant: Tenant = None,
    customer: Customer = "", since: Since = None, limit: Limit = _MOST, dry_run: DryRun = False,
    value: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Send this in place of the value, mended; - is stdin.")
    ] = None,
) -> None:  # fmt: skip
    """Send dead letters once more to the topics that they came from; they are open no more.

    What is still wrong comes back as a new dead letter. An event that was used after all is told by its id, and
    does nothing.
    """
    from streams.journeys.files import read_bytes

    if value is not None and len(places or ()) != 1:
        raise typer.BadParameter("--value goes with one dead letter, named by its place.")
    mended = None if value is None else read_bytes(value, f"'{value}'")
    choice = _choose("open", code, topic, tenant, customer, since, limit)
    _move("replay", places, choice, every=every, dry_run=dry_run, mended=mended)


def _make_command(move: "Move", text: str) -> Callable[..., None]:
    def command(
        places: Places = None, every: Every = False, code: Code = "", topic: Topic = "", tenant: Tenant = None,
        customer: Customer = "", since: Since = None, limit: Limit = _MOST, dry_run: DryRun = False,
    ) -> None:  # fmt: skip
        choice = _choose("open", code, topic, tenant, customer, since, limit)
        _move(move, places, choice, every=every, dry_run=dry_run)

    command.__doc__ = text
    return command


group.command("discard")(_make_command("discard", "Call dead letters of no use; nothing is sent."))
group.command("resolve")(_make_command("resolve", "Call dead letters dealt with in another way; nothing is sent."))


@group.command()
def reopen(places: Annotated[list[str], typer.Argument(metavar="PARTITION:OFFSET...", help="Which ones.")]) -> None:
    """Let dead letters that were replayed, resolved or discarded be open again."""
    _move("reopen", places, _choose("all", "", "", None, "", None, 1), every=False, dry_run=False)


def _move(
    move: "Move", places: Sequence[str] | None, choice: "Choice", *, every: bool, dry_run: bool,
    mended: bytes | None = None,
) -> None:  # fmt: skip
    from streams.cli.letters import read_position
    from streams.web.queries.letter_states import DONE

    is_narrow = any((choice.code, choice.topic, choice.tenant, choice.customer, choice.since))
    if bool(places) == (every or is_narrow):
        raise typer.BadParameter("Say which: by their places, or by options, or all open ones by --all.")
    positions = [read_position(place) for place in places or ()]
    if dry_run:
        return _foretell(move, choice, positions, mended)
    moved, left = _run(lambda letters: letters.move(move, choice, positions, mended))
    typer.echo(f"{_count(moved)} {DONE[move]}.")
    if left:
        were, they = ("was", "it") if left == 1 else ("were", "they")
        raise FairwayError(f"{left:,} {were} not: the topic that {they} came from is none that events are sent to.")
    return None


def _count(records: int) -> str:
    from streams.health.wording import count_of

    return f"{count_of(records, 'record')} {'was' if records == 1 else 'were'}"


def _foretell(move: "Move", choice: "Choice", positions: Sequence[tuple[int, int]], mended: bytes | None) -> None:
    """Show with which dead letters it would be done, and what the worker would say of a mended value."""
    from streams.cli.letters import foretell

    _show(_list(choice, positions), as_json=False)
    if mended is not None:
        typer.echo(_run(lambda letters: foretell(letters, positions[0], mended)))
    done = "sent" if move == "replay" else "done"
    typer.echo(f"Nothing was {done}: this is what '{move}' would do.")


def _choose(
    state: str, code: str, topic: str, tenant: str | None, customer: str, since: str | None, limit: int
) -> "Choice":
    from streams.cli.letters import Choice, read_since, read_state

    moment = None if since is None else read_since(since, now())
    return Choice(read_state(state), code, topic, tenant, customer, moment, limit)


def _list(choice: "Choice", positions: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    async def gather(letters: "Letters") -> list[dict[str, Any]]:
        return [_describe(one, letters) async for page in letters.pages(choice, positions) for one in page]

    return _run(gather)


def _describe(letter: "Letter", letters: "Letters") -> dict[str, Any]:
    """Return a dead letter as the API has it."""
    from streams.web.api.dead_letters import describe_letter

    return describe_letter(letter, letters.states).model_dump(mode="json", by_alias=True)


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    from streams.cli.printing import show_rows

    if not as_json:
        rows = [row | {"place": f"{row['partition']}:{row['offset']}", "at": row["at"][:19]} for row in rows]
    show_rows(rows, _COLUMNS, as_json=as_json, nothing=_NONE)


def _run(work: "Callable[[Letters], Awaitable[Result]]") -> Result:
    from streams.cli.letters import with_letters

    return asyncio.run(with_letters(read_settings(), work))

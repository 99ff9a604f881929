"""`fairway customers`, `enrollments`, `waits`: where people stand and what happened to them, by Postgres."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from streams.cli.postgres import Found, transact
from streams.clock import now
from streams.errors import FairwayError

if TYPE_CHECKING:
    from streams.history.wording import Description
    from streams.web.queries.query import Reader, Row

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Tenant = Annotated[str, typer.Option(help="Whose it is.")]
Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer's id.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")]

customers = typer.Typer(no_args_is_help=True, help="Who a customer is, and what happened to them.")
enrollments = typer.Typer(no_args_is_help=True, help="Who is, or was, in a journey.")
waits = typer.Typer(no_args_is_help=True, help="Who waits, and until when.")

_TIMES = "Newest first. The time is that of the cause: when the event occurred, or the wait was over."

_ENROLLMENT = ("id", "customerId", "status", "version", "currentStepId", "enrolledAt", "waitingUntil", "exitReason")
_WAIT = ("waitingUntil", "tenantId", "customerId", "journey", "currentStepId", "id")


@customers.command("show")
def show_customer(customer: Customer, tenant: Tenant, as_json: AsJson = False) -> None:
    """Show a customer's attributes, what they want to receive, and their enrolments."""
    import yaml

    from streams.web.queries import history

    async def ask(reader: "Reader") -> dict[str, Any]:
        row = await history.find_customer(reader, tenant, customer)
        if row is None:
            raise FairwayError(_tell_nothing(tenant, customer))
        found = await history.list_customer_enrollments(reader, tenant, customer)
        return _plain(row) | {"enrollments": [_short(one, _ENROLLMENT) for one in found]}

    found = _ask(ask)
    _print_json(found) if as_json else typer.echo(
        yaml.safe_dump(found, sort_keys=False, allow_unicode=True), nl=False
    )


@customers.command("timeline")
def show_timeline(customer: Customer, tenant: Tenant, limit: Limit = 50, as_json: AsJson = False) -> None:
    """Tell what happened to a customer, newest first: in words, or with --json the records themselves."""
    from models.printable import printable
    from streams.web.pages.timeline import describe_records
    from streams.web.queries import history, journeys

    async def ask(reader: "Reader") -> "tuple[list[Row], Names]":
        rows = await _gather(
            lambda cursor, count: history.list_activity(reader, tenant, customer, cursor=cursor, limit=count), limit
        )
        if not rows and await history.find_customer(reader, tenant, customer) is None:
            raise FairwayError(_tell_nothing(tenant, customer))
        told = (entry for record in describe_records(rows) for entry in record.entries)
        mentioned = {one.journey_id for one in told if one.journey_id}
        return rows, Names(
            await journeys.name_journeys(reader, mentioned), await journeys.name_templates(reader, mentioned)
        )

    rows, names = _ask(ask)
    if as_json:
        _print_json([_short(row, ("at", "activityId", "cause", "entries")) for row in rows])
        return
    typer.echo(_TIMES if rows else "Nothing that happened to this customer is kept.")
    for record in describe_records(rows):
        typer.echo(f"{record.at:%Y-%m-%d %H:%M:%S} UTC  {printable(record.cause)}")
        for entry in record.entries:
            moment = f" {entry.moment:%Y-%m-%d %H:%M:%S} UTC" if entry.moment else ""
            typer.echo(f"  {printable(names.prefix(entry) + entry.text)}{moment}")
            for line in _tell_rules(entry.rules, "    "):
                typer.echo(printable(line))


class Names(NamedTuple):
    """The names of journeys by id, and the templates of their steps by journey and step id."""

    journeys: Mapping[str, str]
    templates: Mapping[tuple[str, str], str]

    def prefix(self, entry: "Description") -> str:
        """Return what an entry is about: its journey, and its step with what it sends."""
        template = self.templates.get((entry.journey_id, entry.step_id))
        step = f"step {entry.step_id}" if entry.step_id else ""
        if template is not None:
            step += f" (template {template})"
        told = ", ".join(filter(None, (self.journeys.get(entry.journey_id), step)))
        return f"{told}: " if told else ""


def _tell_nothing(tenant: str, customer: str) -> str:
    """Return that there is no record of a customer, and what else may have become of their events."""
    from shlex import quote

    return (
        f"Nothing is recorded of customer '{customer}' of '{tenant}'. Check both ids. An event that no journey and "
        "no profile needed leaves no trace here; one that could not be used is a dead letter: "
        f"fairway dead-letters list --state all --customer {quote(customer)}"
    )


def _tell_rules(rules: Sequence[Mapping[str, Any]], margin: str) -> Iterator[str]:
    """Yield a line for each rule: whether it holds, what it asks, and what was seen."""
    from streams.web.pages.formats import brief

    for rule in rules:
        sign = "yes" if rule["matched"] else "no"
        if "rules" in rule:
            of = "all" if rule["combinator"] == "AND" else "any"
            yield f"{margin}{sign}: {'not ' if rule.get('not') else ''}{of} of"
            yield from _tell_rules(rule["rules"], f"{margin}  ")
        else:
            value = "" if rule.get("value") is None else f" {brief(rule['value'])}"
            yield f"{margin}{sign}: {rule['field']} {rule['operator']}{value}, saw {brief(rule.get('seen'))}"


@enrollments.command("list")
def list_enrollments(
    journey: Annotated[str, typer.Argument(metavar="JOURNEY", help="Its name or id.")],
    tenant: Tenant,
    status: Annotated[str | None, typer.Option(help="ACTIVE, COMPLETED, EXITED or FAILED.")] = None,
    step: Annotated[str | None, typer.Option(help="Only those who are in this step now.")] = None,
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List a journey's enrolments, newest first."""
    from streams.cli.printing import show_rows
    from streams.journeys import stored
    from streams.web.queries import history

    if status is not None and status.upper() not in history.STATUSES:
        raise FairwayError(f"'{status}' is no status of an enrolment: choose one of {', '.join(history.STATUSES)}.")
    wanted = history.Filter(status.upper() if status else None, step, customer)

    async def ask(reader: "Reader") -> "list[Row]":
        row = await stored.find(reader.connection, tenant, journey)
        return await _gather(
            lambda cursor, count: history.list_enrollments(
                reader, {"tenant_id": row["tenant_id"], "id": str(row["id"])}, wanted, cursor=cursor, limit=count
            ),
            limit,
        )

    rows = [_short(row, _ENROLLMENT) for row in _ask(ask)]
    show_rows(rows, _ENROLLMENT, as_json=as_json, nothing="There is no such enrolment.")


@waits.command("list")
def list_waits(
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose time is past.")] = False,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's.")] = None,
    journey: Annotated[str | None, typer.Option(help="Only those in this journey: its name or id.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List who waits for a moment, the first due first."""
    from streams.cli.printing import show_rows
    from streams.web.queries import journeys, totals

    async def ask(reader: "Reader") -> list[dict[str, Any]]:
        found = await totals.list_waits(reader, None, now() if overdue else None, journey=journey, limit=limit)
        names = await journeys.name_journeys(reader, {row["journey_id"] for row in found})
        return [_short({**row, "journey": names.get(row["journey_id"], "")}, _WAIT) for row in found]

    nothing = "No wait is overdue: all is on time." if overdue else "Nobody waits."
    show_rows(_ask(ask, tenant), _WAIT, as_json=as_json, nothing=nothing)


async def _gather(ask: Callable[[str | None, int], Awaitable[Any]], limit: int) -> "list[Row]":
    """Return rows of as many pages as it takes."""
    rows: list[Row] = []
    cursor = None
    while True:
        page = await ask(cursor, limit - len(rows))
        rows += page.rows
        cursor = page.next
        if cursor is None or len(rows) >= limit:
            return rows


def _ask(ask: "Callable[[Reader], Awaitable[Found]]", tenant: str | None = None) -> Found:
    """Ask Postgres as one who may see everything, of one tenant or of all."""
    from streams.web.access.masking import Mask
    from streams.web.queries.query import Reader

    tenants = None if tenant is None else frozenset({tenant})
    return transact(lambda connection: ask(Reader(connection, tenants, Mask())))


def _short(row: "Row", names: Sequence[str]) -> dict[str, Any]:
    plain = _plain(row)
    return {name: plain.get(name) for name in names}


def _plain(row: "Row") -> dict[str, Any]:
    """Return a row as JSON has it, its names in camelCase."""
    import msgspec
    from pydantic.alias_generators import to_camel

    found: dict[str, Any] = msgspec.to_builtins({to_camel(name): value for name, value in row.items()})
    return found


def _print_json(found: Any) -> None:
    import msgspec

    typer.echo(msgspec.json.encode(found))

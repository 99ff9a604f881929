"""`fairway simulate`: try journeys on a virtual clock before they are live."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.moment import read_instant

if TYPE_CHECKING:
    from models.rates import Rates
    from streams.simulation.simulation import Output

_CHUNK = 64 * 1024  # bytes


def simulate(
    journeys: Annotated[Path, typer.Option(help="A journey file, or a folder of them.")],
    events: Annotated[Path, typer.Option(help="Events and controls, one JSON object a line.")],
    customers: Annotated[Path | None, typer.Option(help="Customers known before, one JSON object a line.")] = None,
    until: Annotated[str | None, typer.Option(help="Stop the clock here: ISO 8601 with an offset.")] = None,
    max_sends: Annotated[
        str,
        typer.Option(
            metavar="RATES",
            help="Hold the commands beyond these rates, as FAIRWAY_MAX_SENDS does: EMAIL=100/minute.",
        ),
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Tell in words what happened to whom, and why.")
    ] = False,
    chart: Annotated[
        Path | None, typer.Option(help="Also draw the customers in each step over time (SVG).")
    ] = None,
) -> None:
    """Run journeys against events without Kafka or a database; print what would be written, one JSON a line."""
    import gc

    from streams.journeys.files import read_journeys, read_lines
    from streams.simulation.lines import parse_lines
    from streams.simulation.scenario import load_journeys, read_customers
    from streams.simulation.simulation import Simulation

    gc.disable()  # nothing made here is cyclic, and collecting took a third of the time
    stop, rates = _read_moment(until), _read_rates(max_sends)
    authored = read_journeys([journeys])
    known = read_customers(read_lines(customers)) if customers else []
    simulation = Simulation(load_journeys(authored), known, rates)
    outputs = simulation.run(parse_lines(read_lines(events), authored), stop)
    names = {journey.id: journey.name for journey in authored}
    if chart:
        outputs = _draw(outputs, names, chart)
    _tell(outputs, names) if explain else _print(outputs)


def _print(outputs: Iterable["Output"]) -> None:
    import msgspec

    encode = msgspec.json.Encoder().encode
    stream = typer.get_binary_stream("stdout")
    lines = bytearray()
    for output in outputs:
        lines += encode(output) + b"\n"
        if len(lines) > _CHUNK:  # of our own, for with PYTHONUNBUFFERED every write is a call of the system
            stream.write(lines)
            lines.clear()
    stream.write(lines)
    stream.flush()


def _tell(outputs: Iterable["Output"], names: dict[str, str]) -> None:
    from streams.simulation.account import explain

    for line in explain(outputs, names):
        typer.echo(line)


def _draw(outputs: Iterable["Output"], names: dict[str, str], chart: Path) -> Iterator["Output"]:
    from streams.simulation.chart import draw, find_moves

    kept = list(outputs)
    draw(find_moves(kept, names), chart)
    return iter(kept)


def _read_rates(text: str) -> "Rates":
    from models.rates import read_rates

    try:
        return read_rates(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None


def _read_moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = read_instant(text)
    if moment is None:
        raise typer.BadParameter(f"'{text}' is no date-time with an offset, such as 2026-11-23T10:00:00Z.")
    return moment

"""What the pure engine makes of the events: the commands and rows that every run must come to."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from models.customer import Customer
from models.ids import customer_key
from models.journey import Journey
from models.messages import Event
from streams.kafka.topics import COMMANDS
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Line, Simulation

_RUN_OUT = timedelta(hours=1)  # longer than any wait that is to fire, shorter than any that is not
_MARK = 8


class Foretold(NamedTuple):
    commands: set[str]
    rows: dict[bytes, Any]


def foretell(events: Iterable[Event], journeys: Iterable[Journey]) -> Foretold:
    """Let the engine handle the events, on its own and at once."""
    lines = [Line(event.occurred_at, number, event) for number, event in enumerate(events)]
    until = max(line.at for line in lines) + _RUN_OUT
    simulation = Simulation(load_journeys(journeys))
    commands = {out.fields["commandId"] for out in simulation.run(lines, until) if out.topic == COMMANDS}
    rows = {customer_key(row.tenant_id, row.customer_id): view(row) for row in simulation.customers.values()}
    return Foretold(commands, rows)


def view(row: Customer) -> Any:
    """Return what is the same of a row whenever and in whatever order things happened."""
    recent = sorted(row.recent[at : at + _MARK] for at in range(0, len(row.recent), _MARK))
    enrollments = {
        id_: (at.journey_id, at.version, at.step, at.key, at.entry, at.visits, at.skipped, at.variants, at.data)
        for id_, at in row.enrollments.items()
    }
    history = {id_: {key: entry.count for key, entry in keys.items()} for id_, keys in row.history.items()}
    return (
        row.tenant_id, row.customer_id, row.profile, enrollments, sorted(row.candidates), history, recent,
        row.merging, row.deferred,
    )  # fmt: skip

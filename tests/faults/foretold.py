"""What the pure engine makes of the events: the commands and rows that every run must come to."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from models.customer import Customer, Memory, Sent
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


def foretell(arrivals: Iterable[tuple[datetime, Event]], journeys: Iterable[Journey]) -> Foretold:
    """Let the engine handle events that come at these times, on its own and at once."""
    lines = [Line(at, number, event) for number, (at, event) in enumerate(arrivals)]
    until = max(line.at for line in lines) + _RUN_OUT
    simulation = Simulation(load_journeys(journeys))
    commands = {out.fields["commandId"] for out in simulation.run(lines, until) if out.topic == COMMANDS}
    rows = {customer_key(row.tenant_id, row.customer_id): view(row) for row in simulation.customers.values()}
    return Foretold(commands, rows)


def view(row: Customer) -> Any:
    """Return what is the same of a row whenever and in whatever order things happened."""
    recent = sorted(row.recent[at : at + _MARK] for at in range(0, len(row.recent), _MARK))
    enrollments = {
        id_: (
            at.journey_id, at.version, at.step, at.key, at.entry, at.visits, at.skipped, at.variants, at.data,
            _view_memory(at.memory or Memory()),
        )
        for id_, at in row.enrollments.items()
    }  # fmt: skip
    watched = sorted((one.id, one.key, one.event_id, _view_sent(one.sent), one.is_void) for one in row.watched)
    history = {id_: {key: entry.count for key, entry in keys.items()} for id_, keys in row.history.items()}
    return (
        row.tenant_id, row.customer_id, row.profile, enrollments, sorted(row.candidates), history, recent,
        row.merging, row.deferred, watched,
    )  # fmt: skip


def _view_memory(memory: Memory) -> Any:
    """Return what an enrolment remembers, but for the times of what is not an event."""
    events = {step: {place: one.event_id for place, one in heard.items()} for step, heard in memory.events.items()}
    return sorted(memory.since), events, memory.kept, memory.followed, _view_sent(memory.sent), memory.goal


def _view_sent(sent: Iterable[Sent]) -> list[tuple[str, int]]:
    return [(one.step, one.visit) for one in sent]

"""What tests of simulations are made of: lines of input, a run, and what came of it."""

import json
from datetime import datetime
from typing import Any

from models.journey import Journey
from models.rates import read_rates
from streams.engine.reading import split_lines
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys, read_customers
from streams.simulation.simulation import Output, Simulation
from tests.engine.build import NOON


def line(number: int, customer: str, at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    return {
        "eventId": f"e-{number}",
        "eventType": "teetime.booked",
        "tenantId": "pinehurst",
        "customerId": customer,
        "occurredAt": at.isoformat(),
        **fields,
    }


def control(word: str, at: datetime = NOON, **fields: Any) -> dict[str, Any]:
    return {"control": word, "at": at.isoformat(), "tenantId": "pinehurst", "journey": "Welcome", **fields}


def run(
    authored: list[Journey], *lines: Any, until: datetime | None = None, customers: str = "", max_sends: str = ""
) -> list[Output]:
    raw = b"\n".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in lines)
    known = read_customers(split_lines(customers.encode()))
    simulation = Simulation(load_journeys(authored), known, read_rates(max_sends))
    return list(simulation.run(parse_lines(split_lines(raw), authored), until))


def sent(outputs: list[Output]) -> list[tuple[str, datetime]]:
    return [(o.fields["customerId"], o.at) for o in outputs if o.topic == "fairway.commands"]


def refusals(outputs: list[Output]) -> list[str]:
    entries = [entry for o in outputs if o.topic == "fairway.activity" for entry in o.fields["entries"]]
    return [entry["reason"] for entry in entries if entry["type"] == "enrollment.refused"]

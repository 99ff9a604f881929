"""The account of a simulation: a line stays a line, whatever stands in names and ids."""

import json

from streams.simulation.account import explain
from streams.simulation.lines import parse_lines
from streams.simulation.scenario import load_journeys
from streams.simulation.simulation import Simulation
from tests.engine.build import ask, journey, send

BAD = "a\nFORGED  line\x1b[2J\u202e"


def test_no_name_id_or_value_ends_a_line_or_steers_the_terminal() -> None:
    asked = ask("ask\r", {"field": BAD, "operator": "equals", "value": BAD}, nextStepNoId="end")
    one = journey(asked, send("mail\x07"), name=f"Welcome{BAD}")
    event = {
        "eventId": "e-1", "eventType": "teetime.booked", "tenantId": "pinehurst", "customerId": BAD,
        "occurredAt": "2026-11-23T12:00:00Z", "data": {BAD: BAD},
    }  # fmt: skip
    lines = parse_lines([json.dumps(event).encode()], [one])
    account = list(explain(Simulation(load_journeys([one])).run(lines), {one.id: one.name}))
    assert account[0] == r"pinehurst:a\nFORGED  line\x1b[2J\u202e"
    assert all(line.isprintable() for line in account)
    assert not any(line.strip().startswith("FORGED") for line in account)

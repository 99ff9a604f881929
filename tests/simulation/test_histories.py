"""Recorded histories, replayed byte for byte: what a change to the engine changes shows here.

A deliberate change records them anew: FAIRWAY_RECORD=1 pytest tests/simulation/test_histories.py
"""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app

HISTORIES = sorted(Path("tests/histories").iterdir())


def simulate(history: Path, *options: str) -> bytes:
    given = ["--journeys", history / "journeys.yaml", "--events", history / "events.jsonl"]
    if (history / "customers.jsonl").exists():
        given += ["--customers", history / "customers.jsonl"]
    result = CliRunner().invoke(app, ["simulate", *map(str, given), *options], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout_bytes


@pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)
@pytest.mark.parametrize(("name", "options"), [("expected.jsonl", ()), ("expected.txt", ("--explain",))])
def test_a_history_replays_byte_for_byte(history: Path, name: str, options: tuple[str, ...]) -> None:
    happened = simulate(history, *options)
    expected = history / name
    if os.environ.get("FAIRWAY_RECORD"):
        expected.write_bytes(happened)
    assert happened == expected.read_bytes()

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


def test_the_chart_shows_each_step_that_held_a_customer(tmp_path: Path) -> None:
    simulate(HISTORIES[0], "--chart", str(tmp_path / "chart.svg"))
    chart = (tmp_path / "chart.svg").read_text()
    assert "Welcome / three-days" in chart


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--journeys", "nowhere.yaml", "--events", "nowhere.jsonl"], 1, "can't be read"),
        (["--journeys", "tests/histories/golf-club/journeys.yaml", "--events", "nowhere.jsonl"], 1,
         "'nowhere.jsonl' can't be read: No such file or directory."),
        (["--journeys", "tests/histories/golf-club/journeys.yaml", "--events", "x", "--until", "soon"], 2,
         "'soon' is no date-time with an offset"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_said_in_a_sentence(options: list[str], code: int, sentence: str) -> None:
    result = CliRunner().invoke(app, ["simulate", *options])
    told = str(result.exception) if code == 1 else result.stderr
    assert result.exit_code == 1 or result.exit_code == code
    assert sentence in told.replace("\n│ ", " ")

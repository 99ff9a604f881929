"""`fairway simulate`: what it prints and draws, and what it says of what it can't read."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app

GOLF = Path("tests/histories/golf-club")


def simulate(*options: object) -> Result:
    given = ["--journeys", GOLF / "journeys.yaml", "--events", GOLF / "events.jsonl", *options]
    return CliRunner().invoke(app, ["simulate", *map(str, given)])


def test_events_may_come_by_standard_input() -> None:
    given = (GOLF / "events.jsonl").read_bytes()
    piped = CliRunner().invoke(app, ["simulate", "--journeys", str(GOLF / "journeys.yaml"), "--events", "-"], given)
    assert piped.stdout_bytes == simulate().stdout_bytes != b""


def test_the_chart_shows_each_step_that_held_a_customer(tmp_path: Path) -> None:
    assert simulate("--chart", tmp_path / "chart.svg").exit_code == 0
    assert "Welcome / three-days" in (tmp_path / "chart.svg").read_text()


def test_a_chart_that_can_t_be_written_is_told(tmp_path: Path) -> None:
    file = tmp_path / "none" / "chart.svg"
    assert str(simulate("--chart", file).exception) == f"'{file}' can't be written: No such file or directory."


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        (["--journeys", "nowhere.yaml", "--events", "nowhere.jsonl"], 1, "can't be read"),
        (["--journeys", "tests/histories/golf-club/journeys.yaml", "--events", "nowhere.jsonl"], 1,
         "'nowhere.jsonl' can't be read: No such file or directory."),
        (["--journeys", "tests/histories/golf-club/journeys.yaml", "--events", "x", "--max-sends", "EMAIL"], 2,
         "'EMAIL' is none of the form"),
        (["--journeys", "tests/histories/golf-club/journeys.yaml", "--events", "x", "--until", "soon"], 2,
         "'soon' is no date-time with an offset"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_said_in_a_sentence(options: list[str], code: int, sentence: str) -> None:
    result = CliRunner().invoke(app, ["simulate", *options])
    told = str(result.exception) if code == 1 else result.stderr
    assert result.exit_code == 1 or result.exit_code == code
    assert sentence in told.replace("\n│ ", " ")

"""R31 to R43 by `fairway simulate`: two hundred small stories, and all that is told of each."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.cli import app
from tests.simulation.cases import Case, Clock, make_journeys, make_lines, read_cases, tell

CASES = list(read_cases())
CLOCK = Clock(datetime(2026, 11, 23, 12, tzinfo=UTC))


def test_there_are_cases_of_every_rule() -> None:
    assert len(CASES) > 200
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_comes_out_as_the_table_says(case: Case, tmp_path: Path) -> None:
    journeys, events = tmp_path / "journeys.yaml", tmp_path / "events.jsonl"
    authored = make_journeys(case, "pinehurst")
    journeys.write_text(
        json.dumps([one.model_dump(mode="json", by_alias=True, exclude_unset=True) for one in authored])
    )
    events.write_text("\n".join(json.dumps(line) for _, line in make_lines(case, "pinehurst", CLOCK)))
    done = CliRunner().invoke(app, ["simulate", "--journeys", str(journeys), "--events", str(events)])
    assert done.exit_code == 0, done.exception
    outputs = [json.loads(line) for line in done.stdout.splitlines()]
    activity = [output["value"] for output in outputs if output["topic"] == "fairway.activity"]
    assert [told for one in activity for told in tell(one, CLOCK)] == case.told
    results = [entry.get("result", {}) for one in activity for entry in one["entries"]]
    sent = [result["messageId"] for result in results if result.get("sent")]
    commands = [output["value"]["commandId"] for output in outputs if output["topic"] == "fairway.commands"]
    assert sorted(commands) == sorted(sent)
    assert len(set(sent)) == len(sent)

"""`fairway journeys validate` and `schema`."""

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from streams.cli import app
from tests.journeys.build import BAD, GOOD


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["journeys", *map(str, arguments)])


def test_problems_can_be_had_as_json(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("EMAIL", ""))
    result = run("validate", "--json", file)
    assert result.exit_code == 1
    assert json.loads(result.output) == [
        {
            "file": str(file),
            "step": "mail",
            "text": "'config.channel' is missing: how to send, such as EMAIL, SMS or PUSH.",
            "level": "error",
        }
    ]
    file.write_text(GOOD)
    assert json.loads(run("validate", "--json", file).output) == []


def test_a_dash_is_standard_input() -> None:
    bad = CliRunner().invoke(app, ["journeys", "validate", "-"], input=BAD.replace("timezone: Mars", ""))
    assert bad.output == "-:mail: 'config.channel' is missing: how to send, such as EMAIL, SMS or PUSH.\n"
    good = CliRunner().invoke(app, ["journeys", "validate", "-"], input="\ufeff" + GOOD)
    assert good.output == "1 journey, no problems.\n"


def test_a_name_that_nobody_knows_is_a_warning_and_an_error_if_one_asks(tmp_path: Path) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_text(GOOD.replace("scl.member.created", "scl.member.create").replace("EMAIL", "EMIAL"))
    told = [
        f"{file}: warning: 'triggerType' is 'scl.member.create', which is no event topic of topics.yaml; "
        "did you mean 'scl.member.created'?",
        f"{file}:mail: warning: 'config.channel' is 'EMIAL', which FAIRWAY_CHANNELS lacks; did you mean 'EMAIL'?",
    ]
    result = run("validate", file)
    assert (result.exit_code, result.output.splitlines()) == (0, told)
    assert run("validate", "--strict", file).exit_code == 1
    assert [found["level"] for found in json.loads(run("validate", "--json", file).output)] == ["warning"] * 2
    file.write_text(GOOD)
    assert run("validate", "--strict", file).exit_code == 0


def test_the_schema_is_printed_as_json() -> None:
    assert json.loads(run("schema").output)["title"] == "Fairway journey file"

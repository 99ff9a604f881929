import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.journeys.files import ProblemsError, read_journeys

GOOD = """\
tenantId: pinehurst
name: Welcome
triggerType: scl.member.created
steps:
  - {id: start, type: TRIGGER}
  - {id: mail, type: SEND, config: {channel: EMAIL, templateId: hello}}
"""
BAD = GOOD.replace("EMAIL", "").replace("name: Welcome", "name: Bad\ntimezone: Mars")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["journeys", *map(str, arguments)])


def test_good_files_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_text(GOOD)
    assert (run("validate", file).exit_code, run("validate", file).output) == (0, "1 journey, no problems.\n")
    assert run("validate", file, file).output == "1 journey, no problems.\n"  # the same file twice is one
    (tmp_path / "other.json").write_text("\ufeff" + json.dumps(yaml.safe_load(GOOD) | {"name": "Other"}))
    (tmp_path / "note.txt").write_text("not looked at")
    assert run("validate", tmp_path).output == "2 journeys, no problems.\n"


def test_all_problems_of_all_files_are_told_with_file_and_step(tmp_path: Path) -> None:
    good, bad, torn = tmp_path / "a.yaml", tmp_path / "b.yml", tmp_path / "c.json"
    good.write_text(GOOD)
    bad.write_text(f"{BAD}---\n{GOOD}")
    torn.write_text("{")
    (tmp_path / "d.yaml").write_bytes(b"\xff")
    expected = [
        f"{bad}: Journey 'Bad': 'timezone' is 'Mars', which is not a time zone; write for example Europe/London.",
        f"{bad}:mail: Journey 'Bad': 'config.channel' is missing: how to send, as EMAIL, SMS or PUSH.",
        f"{torn}: The file is not JSON: line 1, Expecting property name enclosed in double quotes.",
        f"{tmp_path / 'd.yaml'}: The file is not UTF-8 text.",
        f"{tmp_path / 'none'}: The file can't be read: No such file or directory.",
        f"{bad}: Tenant 'pinehurst' has another journey named 'Welcome'; give each its own.",
    ]
    result = run("validate", tmp_path, tmp_path / "none")
    assert result.exit_code == 1
    assert result.output.splitlines() == expected
    with pytest.raises(ProblemsError) as error:
        read_journeys([tmp_path, tmp_path / "none"])
    assert str(error.value).splitlines() == expected


def test_problems_can_be_had_as_json(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("EMAIL", ""))
    result = run("validate", "--json", file)
    assert result.exit_code == 1
    assert json.loads(result.output) == [
        {
            "file": str(file),
            "step": "mail",
            "text": "'config.channel' is missing: how to send, as EMAIL, SMS or PUSH.",
        }
    ]
    file.write_text(GOOD)
    assert json.loads(run("validate", "--json", file).output) == []


def test_a_folder_without_journeys_is_told(tmp_path: Path) -> None:
    result = run("validate", tmp_path)
    assert result.exit_code == 1
    assert str(result.exception) == f"The folder '{tmp_path}' holds no file that ends in .yaml, .yml or .json."


def test_the_schema_is_printed_as_json() -> None:
    assert json.loads(run("schema").output)["title"] == "Fairway journey file"

"""Journey files and folders, and the lines of other files: what is read, and what is said of what can't be."""

import io
import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.errors import FairwayError
from streams.journeys.files import (
    ProblemsError,
    check_files,
    find_files,
    find_warnings,
    read_journeys,
    read_lines,
)
from streams.settings import Settings
from tests.journeys.build import BAD, GOOD


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
        f"{bad}:mail: Journey 'Bad': 'config.channel' is missing: how to send, such as EMAIL, SMS or PUSH.",
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


def test_a_folder_without_journeys_is_told(tmp_path: Path) -> None:
    result = run("validate", tmp_path)
    assert result.exit_code == 1
    assert str(result.exception) == f"The folder '{tmp_path}' holds no file that ends in .yaml, .yml or .json."


def test_hidden_files_of_a_folder_are_left_out_and_the_case_of_an_ending_means_nothing(tmp_path: Path) -> None:
    (tmp_path / "welcome.YAML").write_text(GOOD)
    (tmp_path / "other.Json").write_text(json.dumps(yaml.safe_load(GOOD) | {"name": "Other"}))
    for hidden in (".draft.yaml", "._welcome.YAML"):
        (tmp_path / hidden).write_bytes(b"\xff")
    assert run("validate", tmp_path).output == "2 journeys, no problems.\n"
    assert run("validate", tmp_path / ".draft.yaml").exit_code == 1


def test_a_folder_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)  # as root, every folder may be read
    with pytest.raises(FairwayError, match=f"^The folder '{tmp_path}' can't be read: Permission denied.$"):
        list(find_files([tmp_path]))


def test_lines_are_read_from_a_file_or_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\xef\xbb\xbfa\nb\n")
    assert read_lines(file) == [b"a", b"b", b""]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"c")))
    assert read_lines(Path("-")) == [b"c"]
    with pytest.raises(FairwayError, match=r"^'nowhere' can't be read: No such file or directory\.$"):
        read_lines(Path("nowhere"))
    file.write_bytes("a".encode("utf-16"))
    with pytest.raises(FairwayError, match=f"^'{file}' is UTF-16 text; save it as UTF-8.$"):
        read_lines(file)


def test_what_only_a_tag_or_a_long_number_makes_of_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    for text in ("a: !!timestamp x", "a: " + "9" * 5000, '{"a": ' + "9" * 5000 + "}", '{"a":' * 3000):
        file.write_text(text)
        result = run("validate", file)
        assert (result.exit_code, result.exception.__class__) == (1, SystemExit)
        assert result.output.startswith(f"{file}: The ")


def test_without_a_topics_file_no_event_type_is_looked_up(tmp_path: Path) -> None:
    file = tmp_path / "welcome.yaml"
    file.write_text(GOOD.replace("scl.member.created", "anything"))
    settings = Settings(topics_file=tmp_path / "none.yaml", channels="Email, SMS")
    assert find_warnings(check_files([file]), settings) == []

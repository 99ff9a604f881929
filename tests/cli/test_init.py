"""`fairway init` says what it wrote, what it kept, and what comes next."""

from pathlib import Path

from typer.testing import CliRunner

from streams.cli import app


def test_init_tells_what_it_wrote_and_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("mine")
    done = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert f"wrote {tmp_path / 'topics.yaml'}" in lines
    assert f"kept  {tmp_path / 'events.jsonl'}" in lines
    assert "fairway dev up --detach" in done.stdout
    assert (tmp_path / "events.jsonl").read_text() == "mine"


def test_the_version_is_the_package_s() -> None:
    from importlib.metadata import version

    assert CliRunner().invoke(app, ["--version"]).stdout == f"fairway {version('fairway-journeys')}\n"

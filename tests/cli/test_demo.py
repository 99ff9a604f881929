"""`fairway demo` takes the topics of the folder, and its own where there are none."""

from pathlib import Path

import pytest

from streams.cli import demo
from streams.demo.starter import TOPICS, find_topics
from streams.demo.tally import CommandCount, Latency, Summary
from streams.settings import Settings

SUMMARY = Summary(
    events=3, entered=2, goals={"paid": 1}, moved=2, refused=1, refused_by_reason={"conditions": 1}, commands=2,
    commands_by_template=(CommandCount("EMAIL", "hello", "ab=B", 2),), duplicate_commands=0, dead_letters=1,
    dead_letters_by_code={"not-json": 1}, latency_ms=Latency(12.5, None), finished=True,
)  # fmt: skip


def test_a_folder_without_topics_gets_those_that_fairway_brings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_topics(Settings()) == TOPICS
    Path("topics.yaml").touch()
    assert find_topics(Settings()) == Path("topics.yaml")


def test_topics_that_were_asked_for_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FAIRWAY_TOPICS_FILE", "mine.yaml")
    assert find_topics(Settings()) == Path("mine.yaml")


def test_the_table_shows_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    demo._print_table(SUMMARY)
    lines = capsys.readouterr().out.splitlines()
    rows = [tuple(cell.strip() for cell in line.strip("│ ").split("│")) for line in lines]
    figures = {
        "events": "3", "entered": "2", "refused: conditions": "1", "EMAIL hello ab=B": "2", "commands": "2",
        "of them twice": "0", "goal: paid": "1",
        "waits that moved with their tee time": "2",
        "dead letters: not-json": "1", "event to command, median": "12.5 ms",
    }  # fmt: skip
    assert set(figures.items()) <= set(rows)


def test_a_command_is_shown_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    demo._show({
        "variants": {"ab": "B"}, "issuedAt": "2026-11-23T10:00:00Z", "channel": "SMS", "templateId": "hello",
        "customerId": "c-7", "journeyName": "Welcome",
    })  # fmt: skip
    assert capsys.readouterr().out == f"10:00:00  SMS    {'hello':<22}  c-7  Welcome B\n"

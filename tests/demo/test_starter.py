"""A new folder holds what a first journey needs, in the project's own words, and nothing of it is written over."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from streams.demo import starter
from streams.errors import FairwayError
from streams.journeys.files import check_files
from streams.kafka.topics import read_topics
from streams.settings import Settings

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
NAMES = ["topics.yaml", "journeys/broke-80.yaml", "events.jsonl", ".env.example"]


def test_what_is_written_can_be_used_as_it_is(tmp_path: Path) -> None:
    assert starter.write(tmp_path, NOW) == dict.fromkeys(NAMES, True)
    assert (tmp_path / "topics.yaml").read_text() == Path("topics.yaml").read_text()
    assert not check_files([tmp_path / "journeys"]).problems
    events = [msgspec.json.decode(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    assert {event["eventType"] for event in events} <= set(read_topics(tmp_path / "topics.yaml", "app").events)
    assert {event["occurredAt"] for event in events} == {"2026-11-23T10:00:00Z"}


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text("mine")
    assert starter.write(tmp_path, NOW) == dict.fromkeys(NAMES, True) | {"topics.yaml": False}
    assert starter.write(tmp_path, NOW) == dict.fromkeys(NAMES, False)
    assert (tmp_path / "topics.yaml").read_text() == "mine"


def test_every_setting_that_people_set_is_listed_with_its_default(tmp_path: Path) -> None:
    starter.write(tmp_path, NOW)
    lines = (tmp_path / ".env.example").read_text().splitlines()
    listed = {line[9:].partition("=")[0].lower() for line in lines if line.startswith("#FAIRWAY_")}
    assert listed == set(Settings.model_fields) - {"failpoint"}
    assert "#FAIRWAY_COMMIT_INTERVAL_MS=50" in lines


def test_the_list_read_as_settings_changes_nothing(tmp_path: Path) -> None:
    starter.write(tmp_path, NOW)
    taken = (tmp_path / ".env.example").read_text().replace("#FAIRWAY_", "FAIRWAY_")
    (tmp_path / ".env").write_text("".join(line for line in taken.splitlines(keepends=True) if "=\n" not in line))
    assert Settings(_env_file=tmp_path / ".env") == Settings(_env_file=None)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FairwayError, match=r"^'.*file.*' cannot be written: "):
        starter.write(tmp_path / "file", NOW)

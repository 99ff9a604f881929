"""What a new folder begins with: topics, a first journey with its events, and the settings to choose from."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from textwrap import fill

import msgspec

from streams.errors import FairwayError
from streams.settings import Settings

FILES = Path(__file__).with_name("files")
"""The project's topics.yaml and examples: links in a checkout, copies in a wheel."""

TOPICS = FILES / "topics.yaml"

_FOR_TESTS = ("failpoint",)


def find_topics(settings: Settings) -> Path:
    """Return the topics file that was asked for, or is here, else the one that Fairway brings."""
    is_default = "topics_file" not in settings.model_fields_set and not settings.topics_file.exists()
    return TOPICS if is_default else settings.topics_file


def write(folder: Path, now: datetime) -> dict[str, bool]:
    """Write each file that is not there yet; return their names, and whether each is new.

    Raises FairwayError where the folder can't be written.
    """
    try:
        return {name: _write_new(folder / name, content) for name, content in _make_files(now)}
    except OSError as error:
        raise FairwayError(f"'{error.filename}' cannot be written: {error.strerror}.") from None


def _make_files(now: datetime) -> Iterator[tuple[str, str]]:
    yield "topics.yaml", TOPICS.read_text()
    yield "journeys/broke-80.yaml", (FILES / "first" / "broke-80.yaml").read_text()
    yield "events.jsonl", _date((FILES / "first" / "events.jsonl").read_bytes(), now)
    yield ".env.example", _list_settings()


def _date(lines: bytes, now: datetime) -> str:
    """Return the events as if they had just happened."""
    events = [msgspec.json.decode(line) for line in lines.splitlines()]
    return "".join(msgspec.json.encode(event | {"occurredAt": now}).decode() + "\n" for event in events)


def _list_settings() -> str:
    """Return every setting as a comment, with what it means and its default."""
    lines = ["# Copy this to .env, and take the # from what you set. The environment comes before .env.\n"]
    for name, field in Settings.model_fields.items():
        if name not in _FOR_TESTS:
            default = "" if field.default is None else str(field.default)
            meaning = fill(field.description or "", 100, initial_indent="\n# ", subsequent_indent="# ")
            lines.append(f"{meaning}\n#FAIRWAY_{name.upper()}={default}\n")
    return "".join(lines)


def _write_new(file: Path, content: str) -> bool:
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x") as output:
            output.write(content)
    except FileExistsError:
        return False
    return True

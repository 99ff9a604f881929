"""Journey files and folders of them: read, checked as a whole, and held against the events of topics.yaml."""

import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from models.journey import Journey
from models.printable import printable
from streams.engine.check import check, find_dates_as_text, find_twins, find_unknown
from streams.engine.check.shape import show
from streams.engine.reading import read_journeys as read_text
from streams.engine.reading import split_lines
from streams.errors import FairwayError
from streams.kafka.topics import read_topics
from streams.settings import Settings

STANDARD_INPUT = Path("-")
_KINDS = {".yaml", ".yml", ".json"}


class FileProblem(msgspec.Struct, frozen=True, rename="camel"):
    """What is wrong with a file, and with which of its steps (None: the whole journey or file).

    A warning is of what may be right all the same.
    """

    file: str
    step: str | None
    text: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.step}" if self.step else self.file
        return printable(f"{where}: {'' if self.level == 'error' else 'warning: '}{self.text}")


class CheckedFiles(msgspec.Struct, frozen=True):
    """The journeys that are good, the file that each is from, and all that is wrong."""

    journeys: list[Journey]
    sources: list[str]
    problems: list[FileProblem]


class ProblemsError(FairwayError):
    """Everything that is wrong with the files given, one sentence a line."""


def read_journeys(paths: Iterable[Path]) -> list[Journey]:
    """Return all journeys of all files and folders; raises ProblemsError with all that is wrong."""
    return refuse_problems(check_files(paths))


def refuse_problems(checked: CheckedFiles) -> list[Journey]:
    """Return the journeys; raises ProblemsError with all that is wrong."""
    if checked.problems:
        raise ProblemsError("\n".join(map(str, checked.problems)))
    return checked.journeys


def check_files(paths: Iterable[Path]) -> CheckedFiles:
    """Return the journeys of all files and folders that are good, and all that is wrong with the others."""
    found = CheckedFiles([], [], [])
    for file in dict.fromkeys(find_files(paths)):
        _check_file(file, found)
    for position, twin in find_twins(found.journeys):
        found.problems.append(FileProblem(found.sources[position], twin.step, twin.text))
    return found


def _check_file(file: Path, found: CheckedFiles) -> None:
    try:
        authored = read_documents(file)
    except FairwayError as error:
        found.problems.append(FileProblem(str(file), None, str(error)))
        return
    for raw in authored:
        journey, wrong = check(raw)
        if journey:
            found.journeys.append(journey)
            found.sources.append(str(file))
        named = f"Journey {show(raw.get('name'))}: " if len(authored) > 1 and isinstance(raw, dict) else ""
        found.problems.extend(FileProblem(str(file), problem.step, named + problem.text) for problem in wrong)


def find_warnings(checked: CheckedFiles, settings: Settings) -> list[FileProblem]:
    """Return what may be wrong in good journeys.

    That is names that neither topics.yaml, where there is one, nor FAIRWAY_CHANNELS knows, and dates that are
    compared as text.
    """
    is_there = settings.topics_file.exists()
    events = read_topics(settings.topics_file, settings.app_id).events if is_there else None
    return [
        FileProblem(file, step, text, "warning")
        for journey, file in zip(checked.journeys, checked.sources, strict=True)
        for step, text in (*find_unknown(journey, events, settings.known_channels), *find_dates_as_text(journey))
    ]


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files given, and of folders the YAML and JSON files in them, by name, but for hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = sorted(file for file in _list(path) if file.suffix.lower() in _KINDS and file.name[0] != ".")
        if not files:
            raise FairwayError(f"The folder '{path}' holds no file that ends in .yaml, .yml or .json.")
        yield from files


def _list(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError as error:
        raise FairwayError(f"The folder '{folder}' can't be read: {error.strerror}.") from None


def read_documents(file: Path) -> list[Any]:
    """Return the journeys of a file as plain data; raises FairwayError."""
    try:
        return read_text(read_bytes(file).decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise FairwayError("The file is not UTF-8 text.") from None


def read_bytes(file: Path, name: str = "The file") -> bytes:
    """Return what a file holds, or standard input where it is named "-"; raises FairwayError about `name`."""
    try:
        content = sys.stdin.buffer.read() if file == STANDARD_INPUT else file.read_bytes()
    except OSError as error:
        raise FairwayError(f"{name} can't be read: {error.strerror}.") from None
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise FairwayError(f"{name} is UTF-16 text; save it as UTF-8.")
    return content


def read_lines(file: Path) -> list[bytes]:
    """Return the lines of a file, or of standard input; raises FairwayError that names the file."""
    return split_lines(read_bytes(file, f"'{file}'"))

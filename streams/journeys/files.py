"""Journey files and folders of them: read, and checked as a whole."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from models.journey import Journey
from streams.engine.check import check, find_twins
from streams.engine.check.shape import show
from streams.engine.reading import read_journeys as read_text
from streams.errors import FairwayError

_KINDS = {".yaml", ".yml", ".json"}


class FileProblem(msgspec.Struct, frozen=True, rename="camel"):
    """What is wrong with a file, and with which of its steps (None: the whole journey or file)."""

    file: str
    step: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.step}: {self.text}" if self.step else f"{self.file}: {self.text}"


class ProblemsError(FairwayError):
    """Everything that is wrong with the files given, one sentence a line."""


def read_journeys(paths: Iterable[Path]) -> list[Journey]:
    """Return all journeys of all files and folders; raises ProblemsError with all that is wrong."""
    journeys, problems = check_files(paths)
    if problems:
        raise ProblemsError("\n".join(map(str, problems)))
    return journeys


def check_files(paths: Iterable[Path]) -> tuple[list[Journey], list[FileProblem]]:
    """Return the journeys of all files and folders that are good, and all that is wrong with the others."""
    found: list[tuple[str, Journey]] = []
    problems: list[FileProblem] = []
    for file in dict.fromkeys(find_files(paths)):
        try:
            authored = read_documents(file)
        except FairwayError as error:
            problems.append(FileProblem(str(file), None, str(error)))
            continue
        for raw in authored:
            journey, wrong = check(raw)
            found += [(str(file), journey)] if journey else []
            named = f"Journey {show(raw.get('name'))}: " if len(authored) > 1 and isinstance(raw, dict) else ""
            problems += [FileProblem(str(file), problem.step, named + problem.text) for problem in wrong]
    journeys = [journey for _, journey in found]
    for position, twin in find_twins(journeys):
        problems.append(FileProblem(found[position][0], twin.step, twin.text))
    return journeys, problems


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files given, and of folders the YAML and JSON files in them, by name."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        files = sorted(file for file in path.iterdir() if file.suffix in _KINDS)
        if not files:
            raise FairwayError(f"The folder '{path}' holds no file that ends in .yaml, .yml or .json.")
        yield from files


def read_documents(file: Path) -> list[Any]:
    """Return the journeys of a file as plain data; raises FairwayError."""
    try:
        return read_text(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise FairwayError("The file is not UTF-8 text.") from None
    except OSError as error:
        raise FairwayError(f"The file can't be read: {error.strerror}.") from None

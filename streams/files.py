"""Journey files: YAML or JSON, one journey, a list of them, or several documents."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from models.journey import Journey
from streams.errors import FairwayError

_KINDS = {".yaml", ".yml", ".json"}


class ProblemsError(FairwayError):
    """Everything that is wrong with the files given, one sentence a line."""


def read_journeys(paths: Iterable[Path]) -> list[Journey]:
    """Return all journeys of all files and folders; raises ProblemsError with all that is wrong."""
    journeys, problems = [], []
    for file in find_files(paths):
        for raw in read_documents(file):
            try:
                journeys.append(Journey.model_validate(raw))
            except ValidationError as error:
                problems += [f"{file}: {_explain(dict(problem))}" for problem in error.errors()]
    if problems:
        raise ProblemsError("\n".join(problems))
    return journeys


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files given, and of folders the YAML and JSON files in them, by name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.iterdir() if file.suffix in _KINDS)
        else:
            yield path


def read_documents(file: Path) -> list[Any]:
    """Return the journeys of a file as plain data; raises FairwayError for a file that is neither YAML nor JSON."""
    try:
        documents = list(yaml.safe_load_all(file.read_text()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FairwayError(f"'{file}' cannot be read: {error}.") from None
    found: list[Any] = []
    for document in documents:
        found += document if isinstance(document, list) else [] if document is None else [document]
    return found


def _explain(problem: dict[str, Any]) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])

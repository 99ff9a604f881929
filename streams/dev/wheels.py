"""What the extra `local` brings, each from its wheel: Java, Postgres, and the way to a Maven registry."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from streams.errors import FairwayError


def folder(package: str) -> Path:
    """Return where a package lies, without importing it; raises FairwayError with what to install."""
    found = find_spec(package)
    if found is None or found.origin is None:
        raise _missing(package)
    return Path(found.origin).parent


def load(module: str) -> ModuleType:
    """Import a module; raises FairwayError with what to install."""
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise _missing(module) from None


def _missing(name: str) -> FairwayError:
    return FairwayError(
        f"Servers of its own need '{name.partition('.')[0]}', which is not installed: run pip install "
        "'fairway-journeys[local]', or name servers that run in FAIRWAY_BROKERS and FAIRWAY_DATABASE_URL."
    )

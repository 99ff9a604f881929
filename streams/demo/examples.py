"""The example journeys, and the demo's switch that makes a day of their waits last some seconds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from models.duration import add, parse_offset
from streams.demo.starter import FILES
from streams.journeys.files import find_files, read_documents

EXAMPLES = FILES / "journeys"
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def shorten(folder: Path, day: float, into: Path) -> None:
    """Write the journeys of a folder with waits and offsets in which a day lasts `day` seconds, at least 1 each."""
    into.mkdir(parents=True, exist_ok=True)
    for file in find_files([folder]):
        journeys = read_documents(file)
        for config in (step.get("config", {}) for journey in journeys for step in journey["steps"]):
            until = config.get("until")
            for holder, name in ((config, "duration"), (until if isinstance(until, dict) else {}, "offset")):
                if name in holder:
                    holder[name] = _shorten(holder[name], day)
        (into / file.name).write_text(yaml.safe_dump(journeys, sort_keys=False, allow_unicode=True))


def _shorten(text: str, day: float) -> str:
    length = add(_SOME_DAY, parse_offset(text), ZoneInfo("UTC")) - _SOME_DAY
    seconds = max(1, round(abs(length) / timedelta(days=1) * day))
    return f"{'-' if length < timedelta() else ''}{seconds} seconds"

"""Whether plain data can travel and be stored: as JSON, through Kafka, in Postgres."""

import re
from math import isfinite
from typing import Any

from streams.engine.check.shape import show

_DEEPEST, _MOST, _LARGEST_INT = 64, 100_000, 2**63
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def find_unstorable(journey: dict[Any, Any]) -> str | None:
    """Return a sentence where plain data holds what JSON, Kafka or Postgres can't; stops at bombs of aliases."""
    ahead: list[tuple[Any, int]] = [(journey, 0)]
    for _ in range(_MOST):
        if not ahead:
            return None
        value, depth = ahead.pop()
        if depth > _DEEPEST:
            return f"It is nested too deeply; {_DEEPEST} levels are allowed."
        if fault := _find_fault(value):
            return fault
        if isinstance(value, dict):
            ahead += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            ahead += [(part, depth + 1) for part in value]
    return f"It holds more than {_MOST} values."


def _find_fault(value: Any) -> str | None:
    match value:
        case None | bool():
            return None
        case dict():
            names = [name for name in value if not isinstance(name, str)]
            return (
                f"{show(names[0])} is used as a name, but names are text; put quotes around it." if names else None
            )
        case list():
            return None
        case str():
            return "A text holds characters that can't be stored." if _UNSTORABLE.search(value) else None
        case int():
            return None if abs(value) < _LARGEST_INT else f"{value} is too large a number."
        case float():
            return None if isfinite(value) else f"{value} is not a finite number."
        case _:
            return f"{value} is neither text, number, list nor mapping; put quotes around it."

"""Whether plain data can travel and be stored: as JSON, through Kafka, in Postgres."""

import re
from math import isfinite
from typing import Any

from streams.engine.check.shape import show, write

_DEEPEST, _MOST, _LARGEST_INT = 64, 100_000, 2**63
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def find_unstorable(journey: dict[Any, Any]) -> str | None:
    """Return a sentence where plain data holds what JSON, Kafka or Postgres can't; stops at bombs of aliases."""
    ahead: list[tuple[Any, tuple[int | str, ...]]] = [(journey, ())]
    for _ in range(_MOST):
        if not ahead:
            return None
        value, path = ahead.pop()
        if len(path) > _DEEPEST:
            return f"It is nested too deeply; {_DEEPEST} levels are allowed."
        if fault := _find_fault(value):
            return f"'{write(path)}' {fault}" if path else f"A journey {fault}"
        if isinstance(value, dict):
            ahead += [(part, (*path, name)) for name, part in value.items()]
        elif isinstance(value, list):
            ahead += [(part, (*path, position)) for position, part in enumerate(value)]
    return f"It holds more than {_MOST} values."


def _find_fault(value: Any) -> str | None:
    """Return how a sentence about a value goes on, if something is wrong with it or with a name in it."""
    match value:
        case None | bool() | list():
            return None
        case dict():
            return _find_wrong_name(value)
        case str():
            found = _UNSTORABLE.search(value)
            return (
                f"holds the character U+{ord(found[0]):04X}, which can't be stored; remove it." if found else None
            )
        case int():
            return None if abs(value) < _LARGEST_INT else "is too large a number; put quotes around it."
        case float():
            return None if isfinite(value) else f"is {value}, which is not a finite number; write one such as 1.5."
        case _:
            return f"is {value}, neither text, number, list nor mapping; put quotes around it."


def _find_wrong_name(fields: dict[Any, Any]) -> str | None:
    for name in fields:
        if not isinstance(name, str):
            return f"has the name {show(name)}, but names are text; put quotes around it."
        if _UNSTORABLE.search(name):
            return "has a name with characters that can't be stored; remove them."
    return None

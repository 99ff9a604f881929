"""Dotted paths into JSON: one reader and one writer, for conditions, keys, UPDATE steps and history (R8, R23).

A part of a path is a key of an object or an index of a list, from 0. A key that itself holds dots is found before
the path is taken apart, but only as the whole path.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from models.limits import DEPTH

Find = Callable[[Mapping[str, Any]], Any]
_INDEX_DIGITS = 9  # a list has fewer elements, and a number of 5,000 digits could not even be read


class PathError(ValueError):
    """A path that leads into what is neither object nor list; the message is a sentence."""


@lru_cache(maxsize=4096)
def compile_path(path: str) -> Find:
    """Return the look-up of a path; what it finds is None where there is nothing."""
    parts = [(part, _read_index(part)) for part in path.split(".")]

    def find(values: Mapping[str, Any]) -> Any:
        found: Any = values.get(path)
        if found is not None:
            return found
        found = values
        for key, index in parts:
            if isinstance(found, dict):
                found = found.get(key)
            elif isinstance(found, list) and index is not None and index < len(found):
                found = found[index]
            else:
                return None
        return found

    return find


def _read_index(part: str) -> int | None:
    """Return the index that a part of a path is, if it is one: digits of ASCII, as many as an index may have."""
    return int(part) if part.isascii() and part.isdigit() and len(part) <= _INDEX_DIGITS else None


def put_attribute(values: Mapping[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return a copy in which this key, whatever stands in its name, has the value; None removes it."""
    kept = {key: item for key, item in values.items() if key != name}
    return kept if value is None else {**values, name: value}


def put(values: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy in which `compile_path` finds the value; None removes what is found. Raises PathError."""
    if value is None:
        return _remove(values, path)
    if values.get(path) is not None:
        return put_attribute(values, path, value)
    parts = path.split(".")
    if len(parts) > DEPTH:
        raise PathError(f"'{path[:80]}…' can't be changed: it has {len(parts)} parts, but {DEPTH} are allowed.")
    changed: dict[str, Any] = _put(dict(values), parts, value, path)
    return changed


def _remove(values: Mapping[str, Any], path: str) -> dict[str, Any]:
    left = put_attribute(values, path, None)
    if compile_path(path)(left) is None:
        return left
    removed: dict[str, Any] = _put(left, path.split("."), None, path)
    return removed


def _put(container: Any, path: Sequence[str], value: Any, whole: str) -> Any:
    part, *rest = path
    if isinstance(container, list) and (index := _read_index(part)) is not None and index < len(container):
        inner = _put(container[index], rest, value, whole) if rest else value
        return [*container[:index], inner, *container[index + 1 :]]
    if container is not None and not isinstance(container, dict):
        raise PathError(f"'{whole}' can't be changed: '{part}' would lie inside {describe(container)}.")
    fields = dict(container or {})
    inner = _put(fields.get(part), rest, value, whole) if rest else value
    if inner is None or (rest and value is None and not inner):
        fields.pop(part, None)
    else:
        fields[part] = inner
    return fields


def describe(value: Any) -> str:
    """Return what a value is, for a sentence."""
    match value:
        case bool():
            return f"{value}".lower()
        case str():
            return f"the text '{value[:40]}'"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case _:
            return "a group of fields"

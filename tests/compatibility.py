"""What a change of a JSON Schema takes from those who build on it."""

from collections.abc import Iterator
from typing import Any, Literal

Schema = dict[str, Any]
Direction = Literal["in", "out"]
_UPPER, _LOWER = ("maxLength", "maxItems", "maximum"), ("minLength", "minItems", "minimum")


def find_breaks(old: Schema, new: Schema, direction: Direction) -> list[str]:
    """Return a sentence for each thing that worked by the old schema and does not by the new one.

    What comes `in` is written by others: all that was allowed must stay so. What goes `out` is read by others: all
    that they could rely on must stay so; new fields, entries and results are theirs to ignore.
    """
    return list(_compare(_Root(old, new), old, new, direction, "$"))


class _Root:
    def __init__(self, old: Schema, new: Schema) -> None:
        self.parts = (old.get("$defs", {}), new.get("$defs", {}))
        self.seen: set[tuple[str, str]] = set()

    def resolve(self, schema: Schema, side: int) -> Schema:
        if "$ref" not in schema:
            return schema
        part: Schema = self.parts[side][schema["$ref"].rpartition("/")[2]]
        return part


def _compare(root: _Root, old: Schema, new: Schema, direction: Direction, at: str) -> Iterator[str]:
    pair = (old.get("$ref", ""), new.get("$ref", ""))
    if all(pair):
        if pair in root.seen:
            return
        root.seen.add(pair)
    old, new = root.resolve(old, 0), root.resolve(new, 1)
    yield from _compare_choices(root, old, new, direction, at)
    yield from _compare_values(old, new, direction, at)
    yield from _compare_fields(root, old, new, direction, at)
    if isinstance(old.get("items"), dict) and isinstance(new.get("items"), dict):
        yield from _compare(root, old["items"], new["items"], direction, f"{at}[]")


def _choices(schema: Schema) -> list[Schema]:
    found: list[Schema] = schema.get("anyOf") or schema.get("oneOf") or []
    return found


def _label(root: _Root, schema: Schema, side: int) -> str:
    """Return what tells a choice from the others: its part's name, or its types."""
    return str(schema["$ref"]) if "$ref" in schema else str(schema.get("enum", schema.get("type", "anything")))


def _compare_choices(root: _Root, old: Schema, new: Schema, direction: Direction, at: str) -> Iterator[str]:
    old_by = {_label(root, one, 0): one for one in _choices(old)}
    new_by = {_label(root, one, 1): one for one in _choices(new)}
    if old_by and new_by:
        for label in old_by.keys() & new_by.keys():
            yield from _compare(root, old_by[label], new_by[label], direction, at)
        if direction == "in":
            yield from (f"{at}: {label} is not taken any more." for label in sorted(old_by.keys() - new_by.keys()))
        elif added := [one for one in new_by.keys() - old_by.keys() if "$ref" not in new_by[one]]:
            yield from (f"{at}: may be {label} now." for label in sorted(added))


def _compare_values(old: Schema, new: Schema, direction: Direction, at: str) -> Iterator[str]:
    if old.get("type") != new.get("type"):
        yield f"{at}: is {new.get('type', 'a choice')}, and was {old.get('type', 'a choice')}."
    before, after = set(map(str, old.get("enum", ()))), set(map(str, new.get("enum", ())))
    if direction == "in":
        if "enum" in new and (gone := before - after if before else {"anything else"}):
            yield f"{at}: {', '.join(sorted(gone))} is not taken any more."
        for name in (*_UPPER, *_LOWER):
            sign = 1 if name in _UPPER else -1
            if name in new and (name not in old or sign * new[name] < sign * old[name]):
                yield f"{at}: {name} is {new[name]}, and was {old.get(name, 'not set')}."
        if new.get("pattern") != old.get("pattern") and "pattern" in new:
            yield f"{at}: has another pattern."
    elif old.get("format") != new.get("format"):
        yield f"{at}: has another format."


def _compare_fields(root: _Root, old: Schema, new: Schema, direction: Direction, at: str) -> Iterator[str]:
    fields, now = old.get("properties", {}), new.get("properties", {})
    for name in sorted(fields.keys() - now.keys()):
        yield f"{at}.{name}: is gone."
    for name in sorted(fields.keys() & now.keys()):
        yield from _compare(root, fields[name], now[name], direction, f"{at}.{name}")
    before, after = set(old.get("required", ())), set(new.get("required", ()))
    if direction == "in":
        yield from (f"{at}.{name}: is required now." for name in sorted(after - before))
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{at}: takes no other fields any more."
    else:
        yield from (f"{at}.{name}: may be left out now." for name in sorted((before - after) & now.keys()))

"""Personal fields: what of a person's data those see who may only look. The one place where it is hidden.

A field is hidden by its name, in capitals or not, also as a part of a path ("contact.email"), with all that lies
below it; where a rule, a change or an update names the field beside the values that it saw; in sentences that name
it; and where its value stands once more in the same data.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

MASK = "•••"
SENTENCE = f"{MASK} (it names a personal field)"

_PREFIXES = ("event.data.", "event.", "trigger.", "customer.")
_SEEN = frozenset({"before", "after", "seen", "value"})  # beside `field`: what a rule or a change saw of it
_OWN = frozenset({"entries", "result", "cause", "evaluatedRules", "rules", "changes", "updates", "wait"})
_AUTHORED = frozenset({"definition", "config", "trigger_config"})  # journeys tell of nobody
_SENTENCES = frozenset({"detail", "error", "note"})
_COPIES = frozenset({"enrollment_key", "enrollmentKey", "key", "eventId", "timezone"})  # are taken from data
_LEAST, _QUOTED = 3, 40  # characters: shorter values stand everywhere by chance; sentences quote so many

Path = tuple[str, ...]


class Mask:
    """Hides the values of these fields; without any it hides nothing."""

    def __init__(self, fields: Iterable[str] = ()) -> None:
        self._fields = frozenset(filter(None, map(_read_path, fields)))

    def row(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a row of Postgres; our own columns stay, however fields are named."""
        if not self._fields:
            return row
        found: dict[str, Any] = _Copy(self._fields, row).own(row)
        return found

    def data(self, value: Any) -> Any:
        """Return a copy of plain data whose names are not ours."""
        return _Copy(self._fields, value).foreign(value, ()) if self._fields else value

    def customer(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a row of the customers table."""
        if not self._fields:
            return dict(state)
        copy = _Copy(self._fields, state)
        plain: dict[str, Any] = copy.own(state)
        for name in ("enrollments", "candidates"):
            if name in state:
                plain[name] = {id_: copy.own(one) for id_, one in state[name].items()}
        return plain

    def record(self, raw: bytes | None) -> bytes | None:
        """Return a copy of a record's key or value; what is no JSON is hidden as a whole."""
        if raw is None or not self._fields:
            return raw
        try:
            value = msgspec.json.decode(raw)
            if (
                isinstance(value, dict) and "data_base64" in value
            ):  # a CloudEvent's data, which nobody looks into here
                value["data_base64"] = MASK
            return msgspec.json.encode(self.data(value))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return MASK.encode()

    def sentence(self, text: str) -> str:
        """Return a sentence, or that it tells of a personal field."""
        return _Copy(self._fields, None).sentence(text) if self._fields else text

    @property
    def hides(self) -> bool:
        """Say whether anything is hidden."""
        return bool(self._fields)


def _read_path(field: str) -> Path:
    """Return the names that a field's path is made of; what it is looked up in and places in lists left out."""
    name = field.strip()
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return _split(name)


def _split(name: str) -> Path:
    return tuple(part for part in name.casefold().split(".") if part and not part.isdecimal())


class _Copy:
    """Copies one piece of data without what is personal in it."""

    def __init__(self, fields: frozenset[Path], whole: Any) -> None:
        self._fields = fields
        self._values = sorted(set(self._find(whole, ())), key=len, reverse=True)

    def own(self, value: Any) -> Any:
        """Return a copy of data whose names are ours; what we took over from elsewhere has names of its own."""
        if isinstance(value, list | tuple):
            return [self.own(item) for item in value]
        if not isinstance(value, Mapping):
            return value
        seen = self._see(value)
        return {name: seen[name] if name in seen else self._copy_own(name, item) for name, item in value.items()}

    def _copy_own(self, name: str, item: Any) -> Any:
        if name in _AUTHORED or item is None:
            return item
        if name in _SENTENCES and isinstance(item, str):
            return self.sentence(item)
        if name in _COPIES and isinstance(item, str):
            return MASK if self._is_personal(_split(name)) else self._scrub(item)
        if name in _OWN:
            return self.own(item)
        return self.foreign(item, ()) if isinstance(item, Mapping | list | tuple) else item

    def foreign(self, value: Any, path: Path) -> Any:
        """Return a copy of data at a path whose names are not ours."""
        if isinstance(value, list | tuple):
            return [self.foreign(item, path) for item in value]
        if isinstance(value, str):
            return self._scrub(value)
        if not isinstance(value, Mapping):
            return value
        seen = self._see(value)
        copy = {}
        for name, item in value.items():
            below = (*path, *_split(str(name)))
            if name in seen:
                copy[name] = seen[name]
            elif item is not None and self._is_personal(below):
                copy[name] = MASK
            else:
                copy[self._scrub(str(name))] = self.foreign(item, below)
        return copy

    def _see(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return copies of what stands beside `field` or `valueField`, if the record is such a one."""
        paths = [_split(named) for name in ("field", "valueField") if isinstance(named := record.get(name), str)]
        if not paths:
            return {}
        hidden = any(map(self._is_personal, paths))
        seen = {name: record[name] for name in _SEEN & record.keys()}
        return {
            name: item if item is None else MASK if hidden else self.foreign(item, paths[0])
            for name, item in seen.items()
        }

    def sentence(self, text: str) -> str:
        """Return a sentence; one that names a personal field may tell its value in any way."""
        words = text.casefold()
        for field in self._fields:
            if all(re.search(rf"(?<!\w){re.escape(part)}(?!\w)", words) for part in field):
                return SENTENCE
        return self._scrub(text)

    def _scrub(self, text: str) -> str:
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def _is_personal(self, path: Path) -> bool:
        """Say whether a path leads to a personal field or below one."""
        ends = range(1, len(path) + 1)
        return any(path[start:end] in self._fields for end in ends for start in range(end))

    def _find(self, value: Any, path: Path) -> Iterator[str]:
        """Yield the values of personal fields, as they would stand in a text."""
        if isinstance(value, Mapping):
            field = value.get("field")
            for name, item in value.items():
                named = _split(field) if name in _SEEN and isinstance(field, str) else _split(str(name))
                yield from self._find(item, path + named)
        elif isinstance(value, list | tuple):
            for item in value:
                yield from self._find(item, path)
        elif isinstance(value, str | int | float) and not isinstance(value, bool) and self._is_personal(path):
            text = str(value)
            yield from {part for part in (text, text[:_QUOTED]) if len(part) >= _LEAST}

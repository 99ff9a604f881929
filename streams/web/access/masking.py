"""Personal fields: what of a person's data those see who may only look."""

from collections.abc import Iterable
from typing import Any

import msgspec

from streams.web.access.visitor import Visitor
from streams.web.pages.site import Site
from streams.web.queries.query import Row

MASK = "•••"
_FROM_OUTSIDE = ("attributes", "trigger_data")  # columns whose JSON has names that are not ours


def mask(value: Any, fields: Iterable[str]) -> Any:
    """Return a copy in which the values of personal fields are hidden, wherever they stand.

    A field is hidden by its name in an object, and where a rule, a change or an update says `field` beside the
    values that it saw: there by any part of its path, for what is personal is so in all its parts.
    """
    names = frozenset(fields)
    return _mask(value, names) if names else value


def _mask(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_mask(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    of_field = not names.isdisjoint(str(value.get("field", "")).split("."))
    hidden = names | {"before", "after", "seen", "value"} if of_field else names
    return {
        name: MASK if name in hidden and item is not None else _mask(item, names) for name, item in value.items()
    }


def show(site: Site, visitor: Visitor, value: Any) -> Any:
    """Return a value as this visitor may see it."""
    return value if visitor.sees_personal else mask(value, site.settings.personal)


def show_row(site: Site, visitor: Visitor, row: Row) -> Any:
    """Return a row of Postgres as this visitor may see it; our own columns stay, however fields are named."""
    if visitor.sees_personal:
        return dict(row)
    names = site.settings.personal
    return {
        column: mask(value, names) if column in _FROM_OUTSIDE else _mask_below(value, names)
        for column, value in row.items()
    }


def _mask_below(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_mask_below(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: mask(item, names) if isinstance(item, dict | list) else item for name, item in value.items()}


def show_record(site: Site, visitor: Visitor, raw: bytes | None) -> bytes | None:
    """Return a record's bytes as this visitor may see them; what is no JSON is hidden from a reader."""
    if raw is None or visitor.sees_personal or not site.settings.personal:
        return raw
    try:
        return msgspec.json.encode(show(site, visitor, msgspec.json.decode(raw)))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return MASK.encode()

"""The table of settings, from the fields of Settings."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from streams.settings import _ALLOWED as ALLOWED
from streams.settings import Settings
from tests.reference.tables import code, table


def variable(name: str) -> str:
    return f"FAIRWAY_{name.upper()}"


def render() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else field.default
        rows.append([code(variable(name)), code(default), _allowed(name, field), str(field.description)])
    return table(["variable", "default", "allowed", "meaning"], rows)


def _allowed(name: str, field: Any) -> str:
    kinds = (field.annotation, *get_args(field.annotation))
    choices = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]
    if choices:
        return ", ".join(map(code, choices))
    if name in ALLOWED:
        return ALLOWED[name]
    if int not in kinds:
        return "a path" if Path in kinds else ""
    ends = {end: getattr(limit, end) for limit in field.metadata for end in ("ge", "le") if hasattr(limit, end)}
    return f"{ends['ge']} to {ends['le']}" if "le" in ends else f"{ends['ge']} or more"

"""Sentences for what does not have the shape of a journey: pydantic's errors in words that say what to do."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from models.rules import ALIASES, Operator
from streams.engine.schema import DESCRIPTIONS

# What may stand under a name, where that is not said by the type of the step.
_PARTS = {
    "steps": ("Step",), "triggerConfig": ("JourneyTrigger",), "conditions": ("Rule", "Group"),
    "rules": ("Rule", "Group"), "until": ("UntilField", "UntilTime"), "ifLate": ("Lateness",),
    "variants": ("Variant",), "updates": ("Update",), "exits": ("EventExit", "RulesExit"), "goal": ("Goal",),
    "events": ("WaitListener",), "follow": ("Follow",),
}  # fmt: skip

# How pydantic names the members of unions, and what may stand in each.
_TAGS = {
    "rule": "Rule", "group": "Group", "moment": "", "time": "UntilTime", "field": "UntilField",
    "event-exit": "EventExit", "rules-exit": "RulesExit",
}  # fmt: skip

_LONGEST = 64  # characters of a name that is compared with all others

_SENTENCES = {
    "string_type": "'{where}' is {seen}, but must be text; put quotes around it.",
    "string_too_short": "'{where}' is empty.",
    "string_too_long": "'{where}' is {seen}, but must have at most {max_length} characters.",
    "int_type": "'{where}' is {seen}, but must be a whole number.",
    "int_parsing": "'{where}' is {seen}, but must be a whole number.",
    "int_from_float": "'{where}' is {seen}, but must be a whole number.",
    "int_parsing_size": "'{where}' is {seen}, which is too large for a whole number.",
    "greater_than_equal": "'{where}' is {seen}, but must be at least {ge}.",
    "less_than_equal": "'{where}' is {seen}, but must be at most {le}.",
    "float_type": "'{where}' is {seen}, but must be a number.",
    "float_parsing": "'{where}' is {seen}, but must be a number.",
    "bool_type": "'{where}' is {seen}, but must be true or false.",
    "bool_parsing": "'{where}' is {seen}, but must be true or false.",
    "tuple_type": "'{where}' is {seen}, but must be a list.",
    "too_short": "'{where}' is empty; it needs at least one entry.",
    "too_long": "'{where}' has {actual_length} entries; {max_length} are allowed.",
    "model_type": "'{where}' is {seen}, but must hold names and values.",
    "value_error": "'{where}': {error}.",
}
_OTHER = "'{where}' is {seen}, which can't be used here."
_PATTERNS = {
    "tenantId": "'tenantId' is {seen}, but must hold no colon and no control characters.",
    "id": "'id' is {seen}, but must be a UUID in lower case; or leave it out.",
}


def describe(errors: Iterable[ErrorDetails], raw: Any, model: str) -> list[str]:
    """Return one sentence an error; `raw` was to be a model of this name ("Journey" or "Step")."""
    kept = (error for error in errors if not (error["type"] == "too_short" and error["input"]))
    return [_tell(error, raw, model) for error in kept]  # a list is also "too short" when a part of it is wrong


def _tell(error: ErrorDetails, raw: Any, model: str) -> str:
    kind, seen, location = error["type"], error["input"], error["loc"]
    path = _find_path(location[:-1] if kind == "model_type" and location[-1] in _TAGS else location, raw)
    where, name, names = write(path), str(path[-1]), _names_at(path, raw, model)
    if kind == "missing" or (seen is None and name in names):
        return f"'{where}' is missing: {names[name]}."
    if kind == "model_type" and name == "until":  # one of three forms
        return f"'{where}' is {show(seen)}, but must be {names[name]}."
    if kind == "extra_forbidden":
        member = _TAGS.get(str(location[-2])) if len(location) > 1 else None
        others = set(DESCRIPTIONS[member] if member else names) - {name}
        return f"'{where}' is not known here; {_suggest(name, sorted(others))}"
    if kind in ("enum", "literal_error"):
        expected = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        known = [*Operator, *ALIASES] if name == "operator" else expected
        return f"'{where}' is {show(seen)}, which is not known; {_suggest(seen, known)}"
    template = _PATTERNS[where] if kind == "string_pattern_mismatch" else _SENTENCES.get(kind, _OTHER)
    return template.format(where=where, seen=show(seen), **error.get("ctx", {}))


def _find_path(location: Sequence[int | str], raw: Any) -> list[int | str]:
    """Leave out what pydantic adds to a path for the member of a union that it chose."""
    path: list[int | str] = []
    for part in location[:-1]:
        inner = _look_inside(raw, part)
        if isinstance(inner, dict | list) or (isinstance(raw, list) and isinstance(part, int)):
            path.append(part)
            raw = inner
    return [*path, location[-1]]


def _look_inside(raw: Any, part: int | str) -> Any:
    if isinstance(raw, list) and isinstance(part, int):
        return raw[part] if part < len(raw) else None
    return raw.get(part) if isinstance(raw, dict) else None


def write(path: Sequence[int | str]) -> str:
    """Return a path for a sentence, as config.rules#1.value: lists count from 1."""
    text = "".join(f"#{part + 1}" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _names_at(path: Sequence[int | str], raw: Any, model: str) -> dict[str, str]:
    """Return the names that may stand where a path ends, with what they mean; none in a list of plain values."""
    names = [part for part in path[:-1] if isinstance(part, str)]
    if names == ["goal", "events"]:
        models: tuple[str, ...] = ("Listener",)
    elif names == ["config"]:
        models = _config_models(raw["type"])
    else:
        models = _PARTS.get(names[-1], ()) if names else (model,)
    return {name: meaning for model in models for name, meaning in DESCRIPTIONS[model].items()}


def _config_models(step_type: str) -> tuple[str, ...]:
    config = f"{step_type.capitalize()}Config"
    return (config, "Update") if step_type == "UPDATE" else (config,)


def suggest(name: object, known: Iterable[str]) -> str | None:
    """Return what a mistyped name may have meant; a long one is none that was mistyped."""
    if len(str(name)) > _LONGEST:
        return None
    by_lower = {text.lower(): text for text in known}
    close = get_close_matches(str(name).lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def _suggest(name: object, known: Sequence[str]) -> str:
    meant = suggest(name, known)
    return f"did you mean '{meant}'?" if meant else f"use one of: {', '.join(known)}." if known else "remove it."


def show(value: Any) -> str:
    """Return a value for a sentence: text in quotes, cut off where it is long."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'" if len(value) <= 80 else f"'{value[:80]}…'"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return str(value)

"""The fields of every message, from the structs that are read and written."""

import re
import types
from datetime import datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, UNSET, UnsetType

from streams.engine import effects, entries, inputs, results, subscriptions
from streams.engine.decoding import _ALLOWED as ALLOWED
from streams.engine.decoding import _Wire as Wire
from streams.engine.descriptions import find_description
from tests.reference.tables import code, table

STRUCTS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "command": (effects.SendCommand,),
    "profile update": (effects.ProfileUpdate, results.Change),
    "activity": (effects.Activity, effects.Cause),
    "entries": (*(kind for kind in get_args(entries.Entry)), entries.LastSend, subscriptions.Ignored),
    "results": (
        results.SendResult, results.WaitResult, results.ConditionResult, results.SplitResult, results.UpdateResult,
    ),
    "controls": (inputs.Enroll, inputs.Exit),
}  # fmt: skip
_TYPES = ("SEND", "WAIT", "CONDITION", "SPLIT", "UPDATE")
_TITLES = {
    results.Change: "An item of `updates` or `changes`",
    effects.Cause: "**`cause`**",
    entries.LastSend: "**`lastSend`**",
    subscriptions.Ignored: "An item of `ignored`",
    **{getattr(results, f"{kind.capitalize()}Result"): f"**{kind}**" for kind in _TYPES},
}
_find_names = re.compile(r"(?<=`)[a-z]+(?:_[a-z]+)+(?=`)").sub
_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false", datetime: "date-time"}
_KINDS |= {dict: "object", Any: "any value", types.NoneType: "null"}


def render_event() -> str:
    """Return the fields of an event, as a producer writes it."""
    rows = []
    for field in msgspec.structs.fields(Wire):
        name = field.encode_name
        need = "required" if field.default is NODEFAULT else "optional"
        rows.append([code(name), need, ALLOWED[name].removeprefix("must be "), _describe_field("KnownEvent", name)])
    return table(["field", "", "must be", "meaning"], rows)


def render(name: str) -> str:
    """Return the tables of some structs; what all entries share stands before them, once."""
    shared = [_describe_shared()] if name == "entries" else []
    return "\n\n".join([*shared, *(_describe(struct) for struct in STRUCTS[name])])


def _describe_shared() -> str:
    of_enrollment, of_step = entries.OfEnrollment, entries.OfStep
    lines = [
        "Every entry of an enrolment has, beside its `type`:", _tabulate(of_enrollment),
        "Every entry of a step has these, too:", _tabulate(of_step, without=of_enrollment),
    ]  # fmt: skip
    return "\n\n".join(lines)


def _describe(struct: type[msgspec.Struct]) -> str:
    sentence = _find_names(lambda found: _camel(found[0]), (struct.__doc__ or "").partition("\n\n")[0])
    shared = next((base for base in (entries.OfStep, entries.OfEnrollment) if issubclass(struct, base)), None)
    told = [_TITLES[struct] + ": " + sentence.replace("\n", " ")] if struct in _TITLES else []
    if tag := struct.__struct_config__.tag:
        told = [f"**`{tag}`**: " + sentence.replace("\n", " ")]
    fields = _tabulate(struct, without=shared)
    return "\n\n".join([*told, fields])


def _tabulate(struct: type[msgspec.Struct], without: type[msgspec.Struct] | None = None) -> str:
    left_out = without.__struct_encode_fields__ if without else ()
    rows = [
        [code(field.encode_name), _type(field), _describe_field(struct.__name__, field.encode_name)]
        for field in msgspec.structs.fields(struct)
        if field.encode_name not in left_out
    ]
    return table(["field", "type", "meaning"], rows)


def _describe_field(struct: str, field: str) -> str:
    found = find_description(struct, field)
    assert found is not None, f"streams/engine/descriptions.py says nothing of {struct}.{field}"
    return found


def _camel(text: str) -> str:
    first, *rest = text.split("_")
    return first + "".join(map(str.capitalize, rest))


def _type(field: Any) -> str:
    kind = _name(field.type)
    return f"{kind}, or missing" if field.default is UNSET or _may_be_left_out(field) else kind


def _may_be_left_out(field: Any) -> bool:
    return field.name in ("ignored", "deleted", "source", "journey_id") and field.default is not NODEFAULT


def _name(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Annotated:
        return _name(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        parts = [part for part in get_args(kind) if part is not UnsetType]
        structs = [part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)]
        return "object" if len(structs) > 1 else " or ".join(map(_name, parts))
    if origin is Literal:
        return _KINDS[type(get_args(kind)[0])]
    if origin is dict:
        return "object"
    if origin is not None:  # a list, a tuple, a sequence
        inner = _name(get_args(kind)[0])
        return f"list of {inner}s" if inner in ("text", "object") else f"list of {inner}"
    return "object" if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else _KINDS[kind]

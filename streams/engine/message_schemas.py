"""The JSON Schemas of messages, made of the structs that are read and written."""

from inspect import cleandoc
from typing import Any, get_args

import msgspec
from msgspec import NODEFAULT

from models import limits
from streams.engine.decoding import KnownEvent
from streams.engine.descriptions import find_description
from streams.engine.effects import Activity, ProfileUpdate, SendCommand
from streams.engine.entries import OtherEntry, StepCompleted
from streams.engine.inputs import InboxMessage
from streams.engine.results import Result, UnknownResult

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_AT = "#/$defs/{name}"


def message_schemas() -> dict[str, Schema]:
    """Return the schema of each kind of message that travels on topics of events, internal and outbound ones."""
    return {
        "event": _event(),
        "inbox": make_schema(InboxMessage, "What travels by fairway.inbox"),
        "send-command": make_schema(SendCommand, "A record of fairway.commands"),
        "profile-update": make_schema(ProfileUpdate, "A record of fairway.profile-updates"),
        "activity": _activity("A record of fairway.activity"),
    }


def make_schema(struct: Any, title: str) -> Schema:
    """Return the JSON Schema of a struct, or of a tagged union of them."""
    (schema,), parts = msgspec.json.schema_components([struct], ref_template=_AT)
    _describe(parts)
    return {"$schema": _DIALECT, **schema, "title": title, "$defs": parts}


def _describe(parts: dict[str, Any]) -> None:
    """Let each field say what it means; of structs, older Pythons keep how their docstrings are indented."""
    for told in (part for part in parts.values() if "description" in part):
        told["description"] = cleandoc(told["description"])
    for struct, part in parts.items():
        for name, field in part.get("properties", {}).items():
            if meaning := find_description(struct, name):
                field["description"] = meaning


def _event() -> Schema:
    """Return the schema of an event as a producer writes it, whose unknown fields are kept."""
    schema = make_schema(KnownEvent, "An event, on a topic with role: events")
    event: Schema = schema["$defs"].pop("KnownEvent") | {"description": "Unknown fields are kept."}
    del event["additionalProperties"], schema["$ref"]
    fields = event["properties"]
    fields["tenantId"]["pattern"], fields["customerId"]["pattern"] = limits.TENANT_PATTERN, limits.CUSTOMER_PATTERN
    return event | schema


def _activity(title: str) -> Schema:
    """Return the schema of an activity record; msgspec knows no unions that are told apart by their fields."""
    entries = (_open(StepCompleted, "result"), *get_args(OtherEntry))
    results = tuple(shape for shape in get_args(Result) if shape is not UnknownResult)
    found, parts = msgspec.json.schema_components(
        [_open(Activity, "entries"), *entries, *results], ref_template=_AT
    )
    activity, of_entries, of_results = found[0], found[1 : 1 + len(entries)], found[1 + len(entries) :]
    parts["StepCompleted"]["properties"]["result"] = {"anyOf": list(of_results)}
    parts["Activity"]["properties"]["entries"] = {"type": "array", "items": {"anyOf": list(of_entries)}}
    _describe(parts)
    return {"$schema": _DIALECT, "title": title, **activity, "$defs": parts}


def _open(struct: type[msgspec.Struct], name: str) -> type[msgspec.Struct]:
    """Return the like of a struct that takes anything in one of its fields."""
    fields = [
        (field.name, Any if field.name == name else field.type)
        if field.default is NODEFAULT
        else (field.name, field.type, field.default)
        for field in msgspec.structs.fields(struct)
    ]
    config = struct.__struct_config__
    return msgspec.defstruct(
        struct.__name__, fields, rename="camel", tag=config.tag, tag_field=config.tag_field,
        namespace={"__doc__": struct.__doc__},
    )  # fmt: skip

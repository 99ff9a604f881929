"""The settings of journeys and steps, from the JSON Schema of a journey file."""

from typing import Any

from streams.engine.schema import journey_schema
from tests.reference.tables import code, table

_KINDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_PARTS = {
    "Condition": "rule or group", "Rule": "rule", "Group": "group", "Listener": "listener",
    "WaitListener": "listener", "Follow": "listener", "EventExit": "exit", "RulesExit": "exit", "Goal": "goal",
    "Variant": "variant", "Update": "update", "UntilField": "field", "UntilTime": "time of day",
    "Lateness": "`{after, then}`", "JourneyTrigger": "`{conditions}`",
}  # fmt: skip
_DURATION, _PATH = "[duration](semantics.md#values)", "[path](conditions.md#where-a-field-is-looked-up)"
_NAMED = {
    **dict.fromkeys(("duration", "reentryAfter", "after", "within", "expiresAfter", "offset"), _DURATION),
    **dict.fromkeys(("field", "valueField", "enrollmentKey"), _PATH),
    "timezone": "time zone", "steps": "list of steps", "type": "one of the seven types",
    "weekdays": "list of `MON`, `TUE`, `WED`, `THU`, `FRI`, `SAT`, `SUN`",
    "until": "date-time, field or time of day",
}  # fmt: skip


def render(model: str) -> str:
    """Return the settings of a part of a journey file."""
    parts = journey_schema()["$defs"]
    schema = parts["SendStep" if model == "Step" else model]
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    required = schema.get("required", [])
    rows = [
        [code(name), _NAMED.get(name) or _type(field, parts), _default(name, field, required), field["description"]]
        for name, field in schema["properties"].items()
    ]
    return table(["setting", "type", "default", "meaning"], rows)


def _default(name: str, field: dict[str, Any], required: list[str]) -> str:
    if name in required:
        return "required"
    default = field.get("default")
    if default in (None, "", []) or name in ("stepNumber", "id", "config", "triggerConfig"):
        return ""
    return code(str(default).lower() if isinstance(default, bool) else default)


def _type(field: dict[str, Any], parts: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        if "enum" in parts[name]:
            return "an [operator](conditions.md#operators)" if name == "Operator" else _choices(parts[name]["enum"])
        return _PARTS.get(name, "settings")
    if "const" in field:
        return "one of the types"
    if "enum" in field:
        return _choices(field["enum"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            found = [_type(one, parts) for one in field[union] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(part for one in found for part in one.split(" or ") if part))
    if field.get("type") == "array":
        inner = _type(field["items"], parts)
        return f"list of {inner}" if inner.startswith("`") else f"list of {inner.replace(' or ', 's or ')}s"
    return _KINDS.get(field.get("type", ""), "any value")


def _choices(values: list[str]) -> str:
    return ", ".join(map(code, values))

"""What travels on the topics, as AsyncAPI 3.0: for catalogues, and for programs that write clients.

It tells producers and senders what is theirs. The topics between workers (inbox, definitions, changelog) are left
out: nobody else writes or reads them.
"""

from typing import Any, NamedTuple

from streams.engine.message_schemas import Schema, message_schemas
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, PROFILE_UPDATES, Topic, Topics

_BINDING = "0.5.0"  # of Kafka's bindings in AsyncAPI
_TEXT = {"type": "string"}
_KEY = {"type": "string", "description": "tenantId:customerId in UTF-8; the partition is murmur2 of it."}
_AT = "2026-11-23T10:00:00Z"


class _Kind(NamedTuple):
    """A kind of message: its title, its schema's name, its headers and an example."""

    title: str
    schema: str
    headers: dict[str, str]
    required: tuple[str, ...]
    example: dict[str, Any]
    key: dict[str, str] = _KEY


_TRACE = {"traceparent": "W3C trace context."}
_EVENT = _Kind(
    "Event",
    "event",
    _TRACE,
    (),
    {
        "eventId": "booking-9", "tenantId": "pinehurst", "customerId": "c-7", "occurredAt": _AT,
        "data": {"teeTimeId": "t-9", "players": 4},
    },
)  # fmt: skip
_PLACE: dict[str, Any] = {
    "tenantId": "pinehurst", "clubId": None, "customerId": "c-7",
    "journeyId": "0b5e8a3e-58a6-5b1c-9a38-6f6f4f6a3b11", "journeyVersion": 1,
    "enrollmentId": "5f0a3a52-6f49-5c76-8b53-0f5c1f5f2d10", "stepId": "step-2", "stepNumber": 2, "visit": 1,
}  # fmt: skip
_COMMAND = _Kind(
    "Send command",
    "send-command",
    {"command-id": "The commandId.", "tenant-id": "The tenantId.", "channel": "The channel."} | _TRACE,
    ("command-id", "tenant-id", "channel"),
    _PLACE | {
        "commandId": "7d5b6c0e-9c55-5f0e-a4f9-0f8a1f7b3c22", "channel": "EMAIL", "templateId": "welcome",
        "journeyName": "Welcome", "variants": {}, "data": {"teeTimeId": "t-9"}, "issuedAt": _AT, "notAfter": None,
    },
)  # fmt: skip
_UPDATE = _Kind(
    "Profile update",
    "profile-update",
    _TRACE,
    (),
    _PLACE | {"updates": [{"field": "visits", "before": 1, "after": 2}], "updatedAt": _AT},
)
_ACTIVITY = _Kind(
    "Activity",
    "activity",
    {},
    (),
    {
        "activityId": "6f0d2f9a-9a0e-5a51-8f38-3b1d7f8a4e33", "at": _AT, "tenantId": "pinehurst", "clubId": None,
        "customerId": "c-7", "cause": {"kind": "wait"}, "entries": [],
    },
)  # fmt: skip
_DLQ = {
    "dlq.code": "What is wrong, in one word.",
    "dlq.reason": "What is wrong, in a sentence.",
    "dlq.at": "When it was put aside.",
    "dlq.topic": "The topic that it came by.",
    "dlq.partition": "The partition that it came by.",
    "dlq.offset": "Its offset there.",
    "dlq.timestamp": "The time of the record, in milliseconds since 1970.",
    "dlq.truncated": "How long the value was, if it was too long to be kept whole.",
}
_DEAD_LETTER = _Kind(
    "Dead letter",
    "dead-letter",
    _DLQ,
    ("dlq.code", "dlq.reason", "dlq.at"),
    {},
    {"type": "string", "description": "The key as it came."},
)
_OUTBOUND = {
    COMMANDS: _COMMAND,
    PROFILE_UPDATES: _UPDATE,
    ACTIVITY: _ACTIVITY,
    DEAD_LETTERS: _DEAD_LETTER,
}
_KINDS = {kind.schema: kind for kind in (_EVENT, *_OUTBOUND.values())}


def asyncapi_document(topics: Topics, version: str) -> dict[str, Any]:
    """Return the document of these topics; `version` is Fairway's."""
    shown = [topic for topic in topics.all if topic.role == "events" or topic.name in _OUTBOUND]
    schemas = _schemas()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fairway",
            "version": version,
            "description": "Marketing journeys: events come in on Kafka, send commands go out on Kafka.",
        },
        "defaultContentType": "application/json",
        "channels": {_name(topic): _channel(topic) for topic in shown},
        "operations": {f"{_action(topic)}-{_name(topic)}": _operation(topic) for topic in shown},
        "components": {
            "messages": {name: _message(kind) for name, kind in _KINDS.items()},
            "schemas": schemas,
        },
    }


def _name(topic: Topic) -> str:
    return topic.name.replace(".", "-")


def _kind(topic: Topic) -> _Kind:
    return _OUTBOUND.get(topic.name, _EVENT)


def _action(topic: Topic) -> str:
    """Return what Fairway does: it receives events and sends the rest."""
    return "receive" if topic.role == "events" else "send"


def _channel(topic: Topic) -> dict[str, Any]:
    kind = _kind(topic)
    bindings: dict[str, Any] = {"topic": topic.name, "partitions": topic.partitions, "bindingVersion": _BINDING}
    if topic.replication > 0:
        bindings["replicas"] = topic.replication
    if configs := _configuration(topic.configs):
        bindings["topicConfiguration"] = configs
    return {
        "address": topic.name,
        "description": topic.description,
        "messages": {kind.schema: {"$ref": f"#/components/messages/{kind.schema}"}},
        "bindings": {"kafka": bindings},
    }


def _configuration(configs: dict[str, str]) -> dict[str, Any]:
    """Return those configs that AsyncAPI has a place for."""
    found: dict[str, Any] = {}
    if "cleanup.policy" in configs:
        found["cleanup.policy"] = configs["cleanup.policy"].split(",")
    for name in ("retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes"):
        if name in configs:
            found[name] = int(configs[name])
    return found


def _operation(topic: Topic) -> dict[str, Any]:
    channel, kind = f"#/channels/{_name(topic)}", _kind(topic)
    return {
        "action": _action(topic),
        "channel": {"$ref": channel},
        "summary": topic.description,
        "messages": [{"$ref": f"{channel}/messages/{kind.schema}"}],
    }


def _message(kind: _Kind) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": kind.schema,
        "title": kind.title,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{kind.schema}"},
        "bindings": {"kafka": {"key": kind.key, "bindingVersion": _BINDING}},
    }
    if kind.headers:
        properties = {name: _TEXT | {"description": text} for name, text in kind.headers.items()}
        message["headers"] = {"type": "object", "properties": properties, "required": list(kind.required)}
    if kind.example:
        headers = {"headers": {name: f"<{name}>" for name in kind.required}} if kind.required else {}
        message["examples"] = [{"name": kind.schema, "payload": kind.example} | headers]
    return message


def _schemas() -> dict[str, Schema]:
    """Return the schemas of all messages and of their parts, each with a name of its own."""
    found: dict[str, Schema] = {"dead-letter": {"description": "The value as it came, which may be no JSON."}}
    for name, schema in message_schemas().items():
        if name in _KINDS:
            whole = _move(schema)
            found |= whole.pop("$defs")
            found[name] = {key: value for key, value in whole.items() if key != "$schema"}
    return found


def _move(schema: Any) -> Any:
    """Return a schema whose parts are found among the components."""
    if isinstance(schema, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _move(value)
            for key, value in schema.items()
            if key != "discriminator"  # JSON Schema's own words say as much
        }
    return [_move(item) for item in schema] if isinstance(schema, list) else schema

"""The contracts that others build on are written down in docs, and break only where the changelog says so."""

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from streams.cli.printing import write_yaml
from streams.engine.message_schemas import message_schemas
from streams.engine.schema import journey_schema
from streams.kafka.export.asyncapi import asyncapi_document
from streams.kafka.export.strimzi import strimzi_resources
from streams.kafka.topics import read_topics
from tests.compatibility import Direction, Schema, find_breaks

FOLDER = Path("docs/schemas")
SCHEMAS = message_schemas() | {"journey": journey_schema()}
DIRECTIONS: dict[str, Direction] = {
    "event": "in", "inbox": "in", "journey": "in",
    "send-command": "out", "profile-update": "out", "activity": "out",
}  # fmt: skip
TOPICS = read_topics(Path("topics.yaml"), "fairway")
VERSION = "unreleased"  # what stands in docs is that of the branch


def unreleased() -> str:
    return Path("CHANGELOG.md").read_text().partition("## Unreleased")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_as_docs_have_it_and_breaks_only_with_a_note(name: str) -> None:
    """A change writes it anew, if it breaks nothing or the changelog says `breaks <name>`: FAIRWAY_RECORD=1."""
    file, schema = FOLDER / f"{name}.json", SCHEMAS[name]
    if file.exists():
        breaks = find_breaks(msgspec.json.decode(file.read_bytes()), schema, DIRECTIONS[name])
        assert not breaks or f"breaks {name}" in unreleased(), breaks
    keep(file, msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n")


@pytest.mark.parametrize(
    ("name", "documents"),
    [("asyncapi", [asyncapi_document(TOPICS, VERSION)]), ("strimzi", strimzi_resources(TOPICS, "kafka"))],
)
def test_an_export_is_as_docs_have_it(name: str, documents: list[dict[str, Any]]) -> None:
    keep(Path(f"docs/{name}.yaml"), write_yaml(documents))


def keep(file: Path, text: str) -> None:
    if os.environ.get("FAIRWAY_RECORD"):
        file.write_text(text)
    assert file.read_text() == text, "write it anew with FAIRWAY_RECORD=1 pytest tests/test_contracts.py"


def shape(**fields: Any) -> Schema:
    return {"type": "object", "properties": fields, "required": list(fields)}


TEXT = {"type": "string"}
OLD = shape(a=TEXT)


@pytest.mark.parametrize(
    ("old", "new", "breaks_in", "breaks_out"),
    [
        (OLD, OLD, False, False),
        (OLD, shape(), True, True),
        (OLD, OLD | {"required": []}, False, True),
        (OLD, shape(a=TEXT, b=TEXT), True, False),
        (OLD, shape(a=TEXT, b=TEXT) | {"required": ["a"]}, False, False),
        (OLD, shape(a={"type": "integer"}), True, True),
        (OLD, shape(a=TEXT | {"maxLength": 5}), True, False),
        (shape(a=TEXT | {"maxLength": 5}), shape(a=TEXT | {"maxLength": 6}), False, False),
        (shape(a=TEXT | {"minLength": 5}), shape(a=TEXT | {"minLength": 6}), True, False),
        (OLD, shape(a=TEXT | {"enum": ["x"]}), True, False),
        (shape(a={"enum": ["x", "y"]}), shape(a={"enum": ["x"]}), True, False),
        (shape(a={"enum": ["x"]}), shape(a={"enum": ["x", "y"]}), False, False),
        (OLD, shape(a=TEXT | {"format": "date-time"}), False, True),
        (OLD, OLD | {"additionalProperties": False}, True, False),
        (shape(a={"anyOf": [TEXT, {"type": "null"}]}), shape(a={"anyOf": [TEXT]}), True, False),
        (shape(a={"anyOf": [TEXT]}), shape(a={"anyOf": [TEXT, {"type": "null"}]}), False, True),
        (shape(a={"items": TEXT}), shape(a={"items": {"type": "integer"}}), True, True),
        (OLD, shape(a=TEXT | {"pattern": "^x"}), True, False),
    ],
)  # fmt: skip
def test_a_change_breaks_what_others_write_or_read(
    old: Schema, new: Schema, breaks_in: bool, breaks_out: bool
) -> None:
    assert bool(find_breaks(old, new, "in")) == breaks_in
    assert bool(find_breaks(old, new, "out")) == breaks_out


def test_a_part_that_holds_itself_is_compared_once() -> None:
    tree = {"$ref": "#/$defs/T", "$defs": {"T": shape(more={"items": {"$ref": "#/$defs/T"}})}}
    assert find_breaks(tree, tree, "in") == []
    other = {"$ref": "#/$defs/T", "$defs": {"T": shape(more=TEXT)}}
    assert find_breaks(tree, other, "in") != []


def test_the_documents_are_yaml_without_anchors() -> None:
    text = Path("docs/asyncapi.yaml").read_text()
    assert yaml.safe_load(text)["asyncapi"] == "3.0.0"
    assert "&id" not in text

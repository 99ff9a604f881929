"""AsyncAPI: every reference leads somewhere, the examples are real, and the specification's own schema takes it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from streams.engine.decoding import decode
from streams.engine.message_schemas import message_schemas
from streams.kafka.export.asyncapi import asyncapi_document
from streams.kafka.topics import read_topics
from tests.partition.model import make_router
from tests.small import command

TOPICS = read_topics(Path("topics.yaml"), "fairway")
DOCUMENT = asyncapi_document(TOPICS, "1.2.3")
MESSAGES = DOCUMENT["components"]["messages"]
SPECS = "@asyncapi/specs@6.11.1"


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for item in node for found in references(item)] if isinstance(node, list) else []


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


def test_producers_see_their_topics_and_senders_theirs_and_nobody_what_is_between_workers() -> None:
    channels = {channel["address"] for channel in DOCUMENT["channels"].values()}
    outbound = {"fairway.commands", "fairway.profile-updates", "fairway.activity", "fairway.dead-letters"}
    assert channels == {*TOPICS.events, *outbound}
    actions = {name: operation["action"] for name, operation in DOCUMENT["operations"].items()}
    assert actions["receive-teetime-booked"] == "receive"
    assert actions["send-fairway-commands"] == "send"


@pytest.mark.parametrize("name", ["event", "send-command", "profile-update", "activity"])
def test_each_example_is_a_message_of_its_kind(name: str) -> None:
    for example in MESSAGES[name]["examples"]:
        assert [
            error.message for error in Draft202012Validator(message_schemas()[name]).iter_errors(example["payload"])
        ] == []


def test_the_example_of_an_event_is_taken() -> None:
    (example,) = MESSAGES["event"]["examples"]
    assert decode(msgspec.json.encode(example["payload"]), (), "teetime.booked").event_id == "booking-9"


def test_the_headers_of_a_command_are_those_that_are_written() -> None:
    *_, headers = make_router(0, 1).route(b"t:c", command("e-1", "t", "c"))
    assert {name for name, _ in headers} == set(MESSAGES["send-command"]["headers"]["required"])
    assert set(MESSAGES["send-command"]["headers"]["properties"]) - {name for name, _ in headers} == {"traceparent"}


@pytest.mark.registry
def test_the_specification_s_schema_takes_it(tmp_path: Path) -> None:
    if shutil.which("npm") is None:
        pytest.skip("not on this machine: npm")
    install = ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--no-save", SPECS]
    done = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    file = tmp_path / "node_modules/@asyncapi/specs/schemas/3.0.0-without-$id.json"
    checker = Draft7Validator(msgspec.json.decode(file.read_bytes()))
    assert [f"{error.json_path}: {error.message[:200]}" for error in checker.iter_errors(DOCUMENT)] == []
    assert list(checker.iter_errors(DOCUMENT | {"channels": {"x": {"address": 5}}}))

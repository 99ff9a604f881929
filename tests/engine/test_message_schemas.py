"""The schemas that are published: real messages pass them, and what is no message does not."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streams.engine.decoding import Rejection, decode
from streams.engine.entries import Entry
from streams.engine.message_schemas import message_schemas
from streams.engine.results import Result, UnknownResult

SCHEMAS = message_schemas()
HISTORY = Path("tests/histories/golf-club")
WRITTEN = [msgspec.json.decode(line) for line in (HISTORY / "expected.jsonl").read_bytes().splitlines()]
NAMES = {"fairway.commands": "send-command", "fairway.profile-updates": "profile-update",
         "fairway.activity": "activity"}  # fmt: skip


def problems(name: str, value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMAS[name]).iter_errors(value)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize(("topic", "name"), NAMES.items())
def test_what_a_history_wrote_passes_and_passes_no_more_with_a_field_of_another_type(topic: str, name: str) -> None:
    written = [output["value"] for output in WRITTEN if output["topic"] == topic]
    assert written
    assert [problem for value in written for problem in problems(name, value)] == []
    for field in written[0].keys() - {"data", "variants"}:
        assert problems(name, written[0] | {field: {"no": "such"}})


def test_every_kind_of_entry_and_result_has_its_place() -> None:
    parts = SCHEMAS["activity"]["$defs"]
    assert {kind.__name__ for kind in get_args(Entry)} <= set(parts)
    assert {shape.__name__ for shape in get_args(Result) if shape is not UnknownResult} <= set(parts)
    known = {each["$ref"] for each in parts["Activity"]["properties"]["entries"]["items"]["anyOf"]}
    assert known == {f"#/$defs/{kind.__name__}" for kind in get_args(Entry)}


def test_a_moment_is_told_as_one() -> None:
    issued = SCHEMAS["send-command"]["$defs"]["SendCommand"]["properties"]["issuedAt"]
    completed = SCHEMAS["activity"]["$defs"]["StepCompleted"]["properties"]["completedAt"]
    assert issued == {"type": "string", "format": "date-time", "description": "the time of the step"}
    assert completed == {"type": "string", "format": "date-time", "description": "when it was done"}


@pytest.mark.parametrize("name", ["event", "send-command", "profile-update", "activity"])
def test_every_field_that_others_read_says_what_it_means(name: str) -> None:
    parts = [SCHEMAS[name], *SCHEMAS[name]["$defs"].values()]
    fields = [(part["title"], key, field) for part in parts for key, field in part.get("properties", {}).items()]
    assert fields
    assert [(title, key) for title, key, field in fields if "description" not in field] == []


EVENT = {"eventId": "e-1", "tenantId": "pinehurst", "customerId": "c-7", "occurredAt": "2026-11-23T10:00:00Z"}
ODD = st.sampled_from(
    [None, "", "x", "a:b", "x" * 101, "x" * 300, "\n", 5, [], {}, {"a": 1}, "2026-11-23T10:00:00Z"]
)


@given(st.dictionaries(st.sampled_from([*EVENT, "eventType", "clubId", "data", "other"]), ODD, max_size=3))
def test_what_the_schema_of_events_refuses_is_a_dead_letter(changes: dict[str, Any]) -> None:
    event = EVENT | changes
    if problems("event", event):
        assert isinstance(decode(msgspec.json.encode(event), (), "teetime.booked"), Rejection)


@pytest.mark.parametrize("lacking", EVENT)
def test_an_event_needs_its_four_fields_and_may_have_others(lacking: str) -> None:
    assert problems("event", EVENT | {"whatever": 1, "data": {"a": [1]}, "clubId": None}) == []
    assert problems("event", {name: value for name, value in EVENT.items() if name != lacking})


def test_an_inbox_message_is_of_a_kind_that_is_known() -> None:
    assert problems("inbox", {"kind": "enroll", "journeyId": "j", "at": "2026-11-23T10:00:00Z"}) == []
    assert problems("inbox", {"kind": "enroll", "at": "2026-11-23T10:00:00Z"})
    assert problems("inbox", {"kind": "else"})
    assert SCHEMAS["inbox"]["title"] == "What travels by fairway.inbox"

"""The JSON Schema that editors use: it takes what validate takes, and each field is described."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from models import journey, listeners, rules, steps
from streams.engine.reading import read_journeys
from streams.engine.schema import DESCRIPTIONS, journey_schema
from tests.engine.build import EXAMPLES, ask, problems, raw, rule, send, wait

MODELS = vars(journey) | vars(rules) | vars(steps) | vars(listeners)


def split(variants: Any, **more: Any) -> dict[str, Any]:
    return {"id": "split", "type": "SPLIT", "config": {"variants": variants} | more}


def takes(journeys: Any) -> bool:
    return bool(Draft202012Validator(journey_schema()).is_valid(journeys))


def test_the_schema_is_one_and_takes_the_examples() -> None:
    Draft202012Validator.check_schema(journey_schema())
    for file in EXAMPLES:
        for authored in read_journeys(file.read_text()):
            Draft202012Validator(journey_schema()).validate(authored)


def test_the_schema_says_what_it_is_for() -> None:
    journey = {"$ref": "#/$defs/Journey"}
    assert {name: value for name, value in journey_schema().items() if name != "$defs"} == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fairway journey file",
        "anyOf": [journey, {"type": "array", "items": journey}],
    }


@pytest.mark.parametrize(
    "step",
    [
        split(["A", "B"], weights=[1, 2]),
        split(["A"], weights=[0.5]),
        split([{"name": "A", "weight": 2}]),
        {"id": "u", "type": "UPDATE", "config": {"field": "a", "value": 1}},
        {"id": "u", "type": "UPDATE", "config": {"updates": [{"field": "a", "value": 1}]}},
        ask("ask", rule(">=", 1)),
        wait(until={"time": "09:00"}),
    ],
)
def test_the_schema_takes_all_forms(step: Any) -> None:
    assert problems(raw(step)) == []
    assert takes(raw(step))
    assert takes([raw(step), raw()])


@pytest.mark.parametrize(
    "step",
    [
        send(config={"x": 1}),
        split(["A"], weights=[0]),
        split(["A"], weights=["x"]),
        split(["A"], weights=5),
        split([]),
        split([""]),
        split([5]),
        split("A"),
        {"id": "u", "type": "UPDATE", "config": {"feild": "a"}},
        ask("ask", rule("eqals")),
        wait(ifPast="x"),
        5,
    ],
)
def test_the_schema_refuses_what_validate_refuses(step: Any) -> None:
    assert problems(raw(step))
    assert not takes(raw(step))
    assert not takes([raw(), raw(step)])


def test_every_field_of_a_journey_file_is_described() -> None:
    parts = journey_schema()["$defs"]
    parts["UpdateConfig"] = parts["UpdateConfig"]["anyOf"][0]
    for part, fields in DESCRIPTIONS.items():
        model: type[BaseModel] = MODELS["SendStep" if part == "Step" else part]
        aliases = {field.alias or name for name, field in model.model_fields.items()}
        assert aliases == set(fields) - {"weights"}
        described = parts["SendStep" if part == "Step" else part].get("properties", {})
        assert {name: field["description"] for name, field in described.items()} == fields

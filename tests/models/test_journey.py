"""A journey as authored: short forms, defaults, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from models.ids import journey_id
from models.journey import Journey, SplitStep, UpdateStep

BARE = {
    "tenantId": "pinehurst",
    "name": "Welcome",
    "triggerType": "a",
    "steps": [{"type": "TRIGGER"}, {"type": "END"}],
}


def read(**fields: Any) -> Journey:
    return Journey.model_validate(BARE | fields)


def test_null_is_as_good_as_missing() -> None:
    assert read(timezone=None, triggerConfig=None, allowReentry=None, clubId=None, version=None) == read()


def test_steps_get_numbers_and_names_by_position() -> None:
    assert [(step.step_number, step.id) for step in read().steps] == [(1, "step-1"), (2, "step-2")]


def test_steps_are_put_in_order_of_their_numbers() -> None:
    steps = [{"type": "TRIGGER"}, {"type": "END", "stepNumber": 9}, {"type": "UPDATE", "id": "u", "stepNumber": 5,
             "config": {"field": "a", "value": 1}}]  # fmt: skip
    assert [step.id for step in read(steps=steps).steps] == ["step-1", "u", "step-9"]


def test_the_id_is_the_name_s_unless_given() -> None:
    own = "bd4f4d7d-8708-5cdf-a262-b2db342b9766"
    assert read().id == journey_id("pinehurst", "Welcome")
    assert read(id=own).id == own
    assert Journey.model_validate(read()) == read()


@pytest.mark.parametrize(
    "fields", [{"name": None}, {"tenantId": 5}, {"tenantId": "a:b"}, {"id": "x"}, {"steps": []}]
)
def test_a_journey_without_name_tenant_or_steps_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(**fields)


def split(config: Any) -> SplitStep:
    step = read(steps=[{"type": "TRIGGER"}, {"type": "SPLIT", "config": config}]).steps[1]
    assert isinstance(step, SplitStep)
    return step


def test_a_split_may_be_names_and_weights() -> None:
    long = split({"variants": [{"name": "A", "weight": 1}, {"name": "B", "weight": 2}]})
    assert split({"variants": ["A", "B"], "weights": [1, 2]}) == long
    assert [variant.weight for variant in split({"variants": ["A", "B"]}).config.variants] == [1, 1]


@pytest.mark.parametrize("config", [{"variants": ["A"], "weights": [1, 2]}, {"variants": ["A"], "weights": 1},
                                    {"variants": ["A", 5]}, {"variants": 5}, 5])  # fmt: skip
def test_a_split_that_does_not_add_up_is_refused(config: Any) -> None:
    with pytest.raises(ValidationError):
        split(config)


def test_an_update_may_be_a_single_field() -> None:
    steps = [{"type": "TRIGGER"}, {"type": "UPDATE", "config": {"field": "a", "value": 1}}]
    step = read(steps=steps).steps[1]
    assert isinstance(step, UpdateStep)
    assert [(one.field, one.operation, one.value) for one in step.config.updates] == [("a", "set", 1)]

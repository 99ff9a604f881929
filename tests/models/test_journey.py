"""A journey as authored: ids and numbers that it gets, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from models.ids import journey_id
from models.journey import Journey

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

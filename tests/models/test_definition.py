"""What all authored parts share: names in camelCase, no unknown ones, null as good as missing."""

from typing import Any

import pytest
from pydantic import ValidationError

from models.definition import Definition


class Part(Definition):
    some_name: int = 1
    value: Any = 2


def test_names_are_camel_case_in_files_and_snake_case_in_code() -> None:
    assert Part.model_validate({"someName": 5}) == Part(some_name=5)
    assert Part(some_name=5).model_dump(by_alias=True) == {"someName": 5, "value": 2}


def test_R9_null_is_as_good_as_missing_but_for_a_value() -> None:
    assert Part.model_validate({"someName": None, "value": None}) == Part(some_name=1, value=None)


@pytest.mark.parametrize("given", [{"other": 1}, {"someName": "x"}, {"someName": float("nan")}, 5, None])
def test_what_it_does_not_know_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        Part.model_validate(given)


def test_a_part_can_t_be_changed() -> None:
    with pytest.raises(ValidationError):
        Part().some_name = 2

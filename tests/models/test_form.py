"""Forms: what a part needs is the highest of what it, and the parts of it, set."""

from typing import Annotated, Any

import pytest

from models.definition import Definition
from models.form import FORM, RELEASES, Since, form_of, tell_newer
from models.journey import Journey
from models.rules import Rule


class Inner(Definition):
    old: int = 1
    new: Annotated[int, Since(3)] = 1
    rule: Rule | None = None


class Outer(Definition):
    value: Any = None
    inner: tuple[Inner, ...] = ()
    newer: Annotated[str | None, Since(2)] = None


@pytest.mark.parametrize(
    ("part", "form"),
    [
        ({}, 1),
        ({"value": {"newer": 5}, "inner": [{"old": 2, "rule": {"field": "a", "operator": "isNull"}}]}, 1),
        ({"newer": "x"}, 2),
        ({"newer": None}, 1),
        ({"inner": [{"old": 2}, {"new": 1}]}, 3),
        ({"newer": "x", "inner": [{"new": 1}]}, 3),
    ],
)
def test_R66_a_part_needs_the_form_of_the_newest_field_that_it_sets(part: dict[str, Any], form: int) -> None:
    assert form_of(Outer.model_validate(part)) == form


def test_every_form_up_to_this_one_says_which_release_first_knew_it() -> None:
    assert set(RELEASES) == set(range(1, FORM + 1))


def test_a_journey_of_the_first_form_needs_no_other() -> None:
    bare = {"tenantId": "t", "name": "n", "triggerType": "a", "steps": [{"type": "TRIGGER"}, {"type": "END"}]}
    assert form_of(Journey.model_validate(bare)) == 1


def test_what_is_newer_is_told_with_the_release_that_reads_it() -> None:
    assert tell_newer("Journey 'X' version 4", 9, "1.3") == "Journey 'X' version 4 needs Fairway 1.3 or later."
    assert tell_newer("It", 9, None) == f"It needs a newer Fairway (form 9; this one knows {FORM})."

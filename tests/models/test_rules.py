"""Rules as authored: the names of operators, and groups that nest."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from models.rules import ALIASES, Condition, Group, Operator, Rule

READ: TypeAdapter[Rule | Group] = TypeAdapter(Condition)


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_R10_an_alias_is_as_good_as_the_operator(alias: str, name: str) -> None:
    assert READ.validate_python({"field": "a", "operator": alias}) == Rule(field="a", operator=Operator(name))


def test_R13_what_holds_rules_is_a_group_and_a_group_may_stand_in_a_group() -> None:
    inner = {"not": True, "rules": [{"field": "a", "operator": "isNull"}]}
    group = READ.validate_python({"combinator": "OR", "rules": [inner, {"field": "b", "operator": "isTrue"}]})
    assert isinstance(group, Group)
    assert [type(rule) for rule in group.rules] == [Group, Rule]
    assert READ.validate_python(group) == group


@pytest.mark.parametrize("rule", [{"field": "", "operator": "isNull"}, {"field": "a"}, {"operator": "isNull"}, 5,
                                  {"field": "a", "operator": 5}, {"rules": [], "combinator": "XOR"}])  # fmt: skip
def test_what_is_no_rule_is_refused(rule: Any) -> None:
    with pytest.raises(ValidationError):
        READ.validate_python(rule)

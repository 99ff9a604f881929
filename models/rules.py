"""Rules that an event, a customer or an enrolment must satisfy, as authored (R8 to R14)."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, field_validator

from models.definition import Definition


class Operator(StrEnum):
    """The comparisons of R10."""

    EQUALS = "equals"
    NOT_EQUALS = "notEquals"
    GREATER_THAN = "greaterThan"
    GREATER_THAN_OR_EQUAL = "greaterThanOrEqual"
    LESS_THAN = "lessThan"
    LESS_THAN_OR_EQUAL = "lessThanOrEqual"
    BETWEEN = "between"
    NOT_BETWEEN = "notBetween"
    IN = "in"
    NOT_IN = "notIn"
    CONTAINS = "contains"
    NOT_CONTAINS = "notContains"
    CONTAINS_ANY = "containsAny"
    CONTAINS_ALL = "containsAll"
    STARTS_WITH = "startsWith"
    NOT_STARTS_WITH = "notStartsWith"
    ENDS_WITH = "endsWith"
    NOT_ENDS_WITH = "notEndsWith"
    MATCHES = "matches"
    NOT_MATCHES = "notMatches"
    IS_NULL = "isNull"
    IS_NOT_NULL = "isNotNull"
    IS_EMPTY = "isEmpty"
    IS_NOT_EMPTY = "isNotEmpty"
    IS_TRUE = "isTrue"
    IS_FALSE = "isFalse"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_LAST = "withinLast"
    NOT_WITHIN_LAST = "notWithinLast"
    WITHIN_NEXT = "withinNext"
    NOT_WITHIN_NEXT = "notWithinNext"


ALIASES = {
    "=": "equals", "==": "equals", "eq": "equals",
    "!=": "notEquals", "neq": "notEquals", "ne": "notEquals",
    ">": "greaterThan", "gt": "greaterThan",
    ">=": "greaterThanOrEqual", "gte": "greaterThanOrEqual",
    "<": "lessThan", "lt": "lessThan",
    "<=": "lessThanOrEqual", "lte": "lessThanOrEqual",
    "exists": "isNotNull", "notExists": "isNull", "nin": "notIn",
}  # fmt: skip


class Rule(Definition):
    """One comparison of a field with a value, or with another field (R8 to R13)."""

    field: str = Field(min_length=1)
    operator: Operator
    value: Any = None
    value_field: str | None = None
    ignore_case: bool = False

    @field_validator("operator", mode="before")
    @classmethod
    def _read_alias(cls, operator: object) -> object:
        return ALIASES.get(operator, operator) if isinstance(operator, str) else operator


class Combinator(StrEnum):
    """How the rules of a group are joined."""

    AND = "AND"
    OR = "OR"


class Group(Definition):
    """Rules joined by AND or OR, and perhaps negated (R13)."""

    combinator: Combinator = Combinator.AND
    rules: tuple["Condition", ...]
    negated: bool = Field(default=False, alias="not")


def _kind_of_condition(condition: object) -> str:
    is_group = "rules" in condition if isinstance(condition, dict) else isinstance(condition, Group)
    return "group" if is_group else "rule"


Condition = Annotated[
    Annotated[Rule, Tag("rule")] | Annotated[Group, Tag("group")], Discriminator(_kind_of_condition)
]

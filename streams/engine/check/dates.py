"""Rules that compare dates letter by letter: what holds of one way to write a moment does not of another."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Any

from models.journey import Journey
from models.moment import read_moment
from models.rules import Condition, Group, Operator
from streams.engine.check.parts import find_conditions
from streams.engine.comparisons import NEGATED

Found = tuple[str | None, str]  # the step's id, a sentence
_ORDERED = (
    Operator.GREATER_THAN, Operator.GREATER_THAN_OR_EQUAL, Operator.LESS_THAN, Operator.LESS_THAN_OR_EQUAL,
    Operator.BETWEEN,
)  # fmt: skip


def find_dates_as_text(journey: Journey) -> Iterator[Found]:
    """Yield a sentence for each rule that orders dates as texts are ordered."""
    for step_id, where, conditions in find_conditions(journey):
        yield from _find(step_id, where, conditions)


def _find(step: str | None, where: str, conditions: Sequence[Condition]) -> Iterator[Found]:
    for number, condition in enumerate(conditions, start=1):
        here = f"{where}#{number}"
        if isinstance(condition, Group):
            yield from _find(step, f"{here}.rules", condition.rules)
        elif NEGATED.get(condition.operator, condition.operator) in _ORDERED and _holds_date(condition.value):
            name = condition.operator.value
            yield step, f"'{here}': {name} compares dates letter by letter; use before, after or withinLast."


def _holds_date(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return any(read_moment(one, UTC) is not None for one in values)

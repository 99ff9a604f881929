"""Whether rules hold for everybody whom the trigger lets in: then an exit lets nobody in at all."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from models.rules import Combinator, Condition, Group, Rule
from streams.engine.comparisons import NEGATED

_PREFIXES = ("customer.", "trigger.", "event.")


def name_rules(conditions: Sequence[Condition]) -> frozenset[str]:
    """Return rules that all hold, as texts that are the same for the same rule.

    Those of bare fields are left out: what such a field names depends on where it stands.
    """
    return frozenset(_name(rule) for rule in _flatten(conditions) if rule.field.startswith(_PREFIXES))


def _flatten(conditions: Sequence[Condition]) -> Iterator[Rule]:
    for condition in conditions:
        if isinstance(condition, Rule):
            yield condition
        elif not condition.negated and (condition.combinator == Combinator.AND or len(condition.rules) == 1):
            yield from _flatten(condition.rules)


def _name(rule: Rule, operator: Any = None) -> str:
    parts = [rule.field, str(operator or rule.operator), rule.value, rule.value_field, rule.ignore_case]
    return msgspec.json.encode(parts).decode()


def hold_always(conditions: Sequence[Condition], combinator: Combinator, known: frozenset[str]) -> bool:
    """Say whether conditions hold wherever the known rules do; some that always hold may not be found."""
    parts = [_holds_always(condition, known) for condition in conditions]
    if combinator == Combinator.AND:
        return bool(parts) and all(parts)
    return any(parts) or _has_complements(conditions)


def _holds_always(condition: Condition, known: frozenset[str]) -> bool:
    if isinstance(condition, Group):
        return not condition.negated and hold_always(condition.rules, condition.combinator, known)
    return _name(condition) in known


def _has_complements(conditions: Sequence[Condition]) -> bool:
    rules = [condition for condition in conditions if isinstance(condition, Rule)]
    names = {_name(rule) for rule in rules}
    return any(_name(rule, NEGATED[rule.operator]) in names for rule in rules if rule.operator in NEGATED)

"""Whether conditions hold (R8 to R14), compiled once to closures.

`hold` answers, and stops as soon as the answer is sure; `explain` asks every rule and records what it saw.
Both give the same answer. docs/conditions.md has the truth table.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec

from models.rules import Combinator, Condition, Group, Operator, Rule
from streams.engine.comparisons import NEGATED, choose_comparison
from streams.engine.fields import Field, Place, Scope, compile_field

__all__ = ["Conditions", "Field", "Place", "Scope", "compile_conditions", "compile_field"]

_Hold = Callable[[Scope, datetime], bool]
_Record = dict[str, Any]
_TRUE_OF_MISSING = frozenset({Operator.IS_NULL, Operator.IS_EMPTY})


class Conditions(msgspec.Struct, frozen=True):
    """Compiled conditions; `now` is the time of the event or step that asks.

    `hold(scope, now)` returns the answer, `explain(scope, now)` the answer and a record of every rule.
    """

    hold: _Hold
    explain: Callable[[Scope, datetime], tuple[bool, list[_Record]]]


def compile_conditions(
    conditions: Sequence[Condition], combinator: Combinator | str, place: Place, zone: tzinfo
) -> Conditions:
    """Return conditions ready to ask; none at all always hold (R14). `zone` is the journey's."""
    parts = [_compile(condition, place, zone) for condition in conditions]
    join = any if parts and combinator == Combinator.OR else all

    def explain(scope: Scope, now: datetime) -> tuple[bool, list[_Record]]:
        records = [part.explain(scope, now) for part in parts]
        return join(record["matched"] for record in records), records

    return Conditions(_join([part.hold for part in parts], stops_at=join is any), explain)


class _Part(msgspec.Struct, frozen=True):
    hold: _Hold
    explain: Callable[[Scope, datetime], _Record]


def _compile(condition: Condition, place: Place, zone: tzinfo) -> _Part:
    if isinstance(condition, Group):
        return _compile_group(condition, place, zone)
    return _compile_rule(condition, place, zone)


def _join(holds: list[_Hold], *, stops_at: bool) -> _Hold:
    if len(holds) == 1:
        return holds[0]

    def hold(scope: Scope, now: datetime) -> bool:
        for part in holds:
            if part(scope, now) is stops_at:
                return stops_at
        return not stops_at

    return hold


def _compile_group(group: Group, place: Place, zone: tzinfo) -> _Part:
    inner = compile_conditions(group.rules, group.combinator, place, zone)
    negated = group.negated

    def hold(scope: Scope, now: datetime) -> bool:
        return inner.hold(scope, now) is not negated

    def explain(scope: Scope, now: datetime) -> _Record:
        matched, records = inner.explain(scope, now)
        record: _Record = {"combinator": group.combinator.value}
        if negated:
            record["not"] = True
        return record | {"rules": records, "matched": matched is not negated}

    return _Part(hold, explain)


def _compile_rule(rule: Rule, place: Place, zone: tzinfo) -> _Part:
    positive, negated = NEGATED.get(rule.operator, rule.operator), rule.operator in NEGATED
    comparison = choose_comparison(positive, zone, ignore_case=rule.ignore_case)
    read, test, of_missing = comparison.read, comparison.test, positive in _TRUE_OF_MISSING
    find = compile_field(rule.field, place)
    find_value = compile_field(rule.value_field, place) if rule.value_field else None
    fixed = read(rule.value)

    missing = of_missing is not negated
    said: _Record = {"field": rule.field, "operator": rule.operator.value}
    if rule.value_field:
        said["valueField"] = rule.value_field

    def hold(scope: Scope, now: datetime) -> bool:  # the hot path: half a microsecond a rule
        seen = find(scope)
        if seen is None:
            return missing
        wanted = fixed if find_value is None else read(find_value(scope))
        return (wanted is not None and test(seen, wanted, now) is True) is not negated

    def explain(scope: Scope, now: datetime) -> _Record:
        seen = find(scope)
        if find_value is None:
            value, wanted = rule.value, fixed
        else:
            value = find_value(scope)
            wanted = read(value)
        answer = of_missing if seen is None else None if wanted is None else test(seen, wanted, now)
        record = {**said, "value": value}
        if rule.ignore_case:
            record["ignoreCase"] = True
        record["seen"], record["matched"] = seen, (answer is True) is not negated
        if answer is None and not (value is None and wanted is None):
            record["note"] = "type mismatch"
        return record

    return _Part(hold, explain)

"""Whether each rule of a condition can be asked: its field, its operator and the value that the operator takes."""

from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from typing import Any

from models.duration import parse_duration
from models.moment import read_moment
from models.rules import Condition, Group, Operator, Rule
from streams.engine.check.shape import show
from streams.engine.comparisons import NEGATED, SEARCHED, WITHOUT_VALUE, compile_regex
from streams.engine.fields import Place

Faults = Iterator[str]


def check_rules(where: str, conditions: Sequence[Condition], place: Place, zone: tzinfo) -> Faults:
    """Yield a sentence for all that is wrong with conditions; `where` names them, `zone` is the journey's."""
    for number, condition in enumerate(conditions, start=1):
        here = f"{where}#{number}"
        if isinstance(condition, Group):
            if not condition.rules:
                yield f"'{here}' is a group without rules; add one or remove the group."
            yield from check_rules(f"{here}.rules", condition.rules, place, zone)
        else:
            yield from check_field(f"{here}.field", condition.field, place)
            yield from (f"'{here}': {fault}" for fault in _check_value(condition, here, place, zone))


def check_field(where: str, path: str, place: Place) -> Faults:
    """Yield a sentence where a path can't be looked up."""
    if not all(path.split(".")):
        yield f"'{where}' is '{path}', which has an empty part; write it as customer.home.city."
    elif place == "trigger" and path.startswith("enrollment."):
        yield f"'{where}' is '{path}', but there is no enrolment yet when an event asks to enter."


def _check_value(rule: Rule, where: str, place: Place, zone: tzinfo) -> Faults:
    positive, name = NEGATED.get(rule.operator, rule.operator), rule.operator.value
    if rule.operator in WITHOUT_VALUE:
        if rule.value is not None or rule.value_field is not None:
            yield f"{name} takes no value; remove it."
    elif rule.value_field is not None:
        if rule.value is not None:
            yield "It has both 'value' and 'valueField'; keep one."
        yield from check_field(f"{where}.valueField", rule.value_field, place)
    elif rule.value is None:
        missing = "; to ask for a missing field, use isNull" if positive == Operator.EQUALS else ""
        yield f"{name} needs a 'value' or a 'valueField'{missing}."
    elif positive in _WANTED:
        yield from _WANTED[positive](name, rule.value, rule, zone)


def _want_list(name: str, value: Any, _rule: Rule, _zone: tzinfo) -> Faults:
    if not isinstance(value, list) or not value:
        yield f"{name} needs a list of values, as [gold, silver], not {_show(value)}."
    elif None in value:
        yield f"The list of {name} holds nothing as a value; to ask for a missing field, use isNull."


def _want_ordered(name: str, value: Any, _rule: Rule, _zone: tzinfo) -> Faults:
    if not _kind(value):
        yield f"{name} needs a number or a text, not {show(value)}."


def _want_pair(name: str, value: Any, _rule: Rule, _zone: tzinfo) -> Faults:
    if not isinstance(value, list) or len(value) != 2 or not _kind(value[0]) or _kind(value[0]) != _kind(value[1]):
        yield f"{name} needs two numbers or two texts, as [1, 5], not {_show(value)}."
    elif value[0] > value[1]:
        yield f"{name} needs the lower end first, as {_show(value[::-1])}."


def _want_member(name: str, value: Any, _rule: Rule, _zone: tzinfo) -> Faults:
    if isinstance(value, list):
        yield f"{name} asks for one value, not a list; use containsAny or containsAll."


def _want_text(name: str, value: Any, _rule: Rule, _zone: tzinfo) -> Faults:
    if not isinstance(value, str):
        yield f"{name} needs a text, not {show(value)}."


def _want_regex(name: str, value: Any, rule: Rule, zone: tzinfo) -> Faults:
    if not isinstance(value, str):
        yield from _want_text(name, value, rule, zone)
    elif len(value) > SEARCHED:
        yield f"The expression of {name} has {len(value)} characters; {SEARCHED} are allowed."
    else:
        try:
            compile_regex(value, ignore_case=rule.ignore_case)
        except ValueError as error:
            yield str(error)


def _want_date(name: str, value: Any, _rule: Rule, zone: tzinfo) -> Faults:
    if read_moment(value, zone) is None:
        yield f"{name} needs a date, as 2026-11-23 or 2026-11-23T10:00:00Z, not {show(value)}."


def _want_duration(name: str, value: Any, rule: Rule, zone: tzinfo) -> Faults:
    if not isinstance(value, str):
        yield f"{name} needs a duration, as '3 days', not {show(value)}."
    else:
        try:
            parse_duration(value)
        except ValueError as error:
            yield str(error)


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else None


def _show(value: Any) -> str:
    return f"[{', '.join(map(show, value))}]" if isinstance(value, list) else show(value)


_WANTED: dict[Operator, Callable[[str, Any, Rule, tzinfo], Faults]] = {
    Operator.GREATER_THAN: _want_ordered,
    Operator.GREATER_THAN_OR_EQUAL: _want_ordered,
    Operator.LESS_THAN: _want_ordered,
    Operator.LESS_THAN_OR_EQUAL: _want_ordered,
    Operator.BETWEEN: _want_pair,
    Operator.IN: _want_list,
    Operator.CONTAINS: _want_member,
    Operator.CONTAINS_ANY: _want_list,
    Operator.CONTAINS_ALL: _want_list,
    Operator.STARTS_WITH: _want_text,
    Operator.ENDS_WITH: _want_text,
    Operator.MATCHES: _want_regex,
    Operator.BEFORE: _want_date,
    Operator.AFTER: _want_date,
    Operator.WITHIN_LAST: _want_duration,
    Operator.WITHIN_NEXT: _want_duration,
}

"""What each operator says of a value (R9 to R12): True, False, or None where the two can't be compared.

No coercion: true is no number, "1" is none either, and 1 equals 1.0, also inside lists and objects. Text is
ordered by code point. A text counts as a date only for before, after and within.
"""

import operator
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from functools import lru_cache, partial
from typing import Any
from unicodedata import normalize

import msgspec
import re2

from models.duration import Duration, add, parse_duration
from models.moment import read_moment
from models.rules import Operator

SEARCHED = 4096  # bytes of a text in UTF-8 that `matches` looks at
_REGEX_MEMORY = 1 << 20

NEGATED = {
    Operator.NOT_EQUALS: Operator.EQUALS,
    Operator.NOT_BETWEEN: Operator.BETWEEN,
    Operator.NOT_IN: Operator.IN,
    Operator.NOT_CONTAINS: Operator.CONTAINS,
    Operator.NOT_STARTS_WITH: Operator.STARTS_WITH,
    Operator.NOT_ENDS_WITH: Operator.ENDS_WITH,
    Operator.NOT_MATCHES: Operator.MATCHES,
    Operator.IS_NOT_NULL: Operator.IS_NULL,
    Operator.IS_NOT_EMPTY: Operator.IS_EMPTY,
    Operator.NOT_WITHIN_LAST: Operator.WITHIN_LAST,
    Operator.NOT_WITHIN_NEXT: Operator.WITHIN_NEXT,
}
WITHOUT_VALUE = frozenset(
    {Operator.IS_NULL, Operator.IS_NOT_NULL, Operator.IS_EMPTY, Operator.IS_NOT_EMPTY}
    | {Operator.IS_TRUE, Operator.IS_FALSE}
)

Read = Callable[[Any], Any]
Test = Callable[[Any, Any, datetime], bool | None]


class Comparison(msgspec.Struct, frozen=True):
    """A positive operator: `read` prepares a rule's value (None: unusable), `test` asks (seen, prepared, now)."""

    read: Read
    test: Test


def choose_comparison(positive: Operator, zone: tzinfo, *, ignore_case: bool) -> Comparison:
    """Return what an operator does; dates without an offset and calendar units are of this zone."""
    if positive == Operator.MATCHES:
        return Comparison(partial(_read_regex, ignore_case=ignore_case), _matches)
    chosen = _PLAIN.get(positive)
    if chosen is None:
        return _choose_dated(positive, zone)
    if not ignore_case:
        return chosen
    return Comparison(
        lambda value: chosen.read(fold(value)), lambda seen, wanted, now: chosen.test(fold(seen), wanted, now)
    )


def _choose_dated(positive: Operator, zone: tzinfo) -> Comparison:
    def compare(compare: Callable[[datetime, Any, datetime], bool]) -> Test:
        def test(seen: Any, wanted: Any, now: datetime) -> bool | None:
            moment = read_moment(seen, zone)
            return None if moment is None else compare(moment, wanted, now)

        return test

    moment = partial(read_moment, zone=zone)
    match positive:
        case Operator.BEFORE:
            return Comparison(moment, compare(lambda seen, wanted, _: seen < wanted))
        case Operator.AFTER:
            return Comparison(moment, compare(lambda seen, wanted, _: seen > wanted))
        case Operator.WITHIN_LAST:
            return Comparison(
                _read_duration, compare(lambda seen, wanted, now: add(now, -wanted, zone) <= seen <= now)
            )
        case _:
            return Comparison(
                _read_duration, compare(lambda seen, wanted, now: now <= seen <= add(now, wanted, zone))
            )


_KINDS = {bool: "boolean", int: "number", float: "number", str: "text", list: "list", dict: "object"}
_ORDERED = {int: "number", float: "number", str: "text"}


def is_same(one: Any, other: Any) -> bool:
    """Say whether two values of JSON are equal: 1 and 1.0 are, 1 and true are not, however deep."""
    if _KINDS.get(type(one)) != _KINDS.get(type(other)):
        return False
    if type(one) is list:
        return len(one) == len(other) and all(map(is_same, one, other))
    if type(one) is dict:
        return one.keys() == other.keys() and all(is_same(value, other[key]) for key, value in one.items())
    return bool(one == other)


def fold(value: Any) -> Any:
    """Return a value whose texts, also inside lists and objects, differ no more by case (Unicode casefold).

    Nor do they by whether an accent is a character of its own: that depends on the keyboard, as case does.
    """
    match value:
        case str():
            return value.casefold() if value.isascii() else normalize("NFC", normalize("NFD", value).casefold())
        case list():
            return [fold(member) for member in value]
        case dict():
            return {key: fold(member) for key, member in value.items()}
        case _:
            return value


def _equals(seen: Any, wanted: Any, _now: datetime) -> bool | None:
    if type(seen) is str and type(wanted) is str:  # nearly always
        return seen == wanted
    return is_same(seen, wanted) if _KINDS.get(type(seen)) == _KINDS.get(type(wanted)) else None


def _ordered(compare: Callable[[Any, Any], bool]) -> Test:
    def test(seen: Any, wanted: Any, _now: datetime) -> bool | None:
        kind = _ORDERED.get(type(seen))
        return compare(seen, wanted) if kind is not None and kind == _ORDERED.get(type(wanted)) else None

    return test


def _between(seen: Any, wanted: Sequence[Any], _now: datetime) -> bool | None:
    kind = _ORDERED.get(type(seen))
    if kind is None or any(_ORDERED.get(type(end)) != kind for end in wanted):
        return None
    return bool(wanted[0] <= seen <= wanted[1])


def _is_member(value: Any, members: Sequence[Any]) -> bool | None:
    if any(is_same(value, member) for member in members):
        return True
    kind = _KINDS.get(type(value))
    return None if members and all(_KINDS.get(type(member)) != kind for member in members) else False


def _any(answers: Sequence[bool | None]) -> bool | None:
    if any(answers):
        return True
    return None if answers and all(answer is None for answer in answers) else False


def _in(seen: Any, wanted: Sequence[Any], _now: datetime) -> bool | None:
    if type(seen) is str and seen in wanted:  # only a text equals a text
        return True
    whole = _is_member(seen, wanted)
    if type(seen) is not list or whole:
        return whole
    return _any([_is_member(member, wanted) for member in seen])


def _contains(seen: Any, wanted: Any, _now: datetime) -> bool | None:
    if type(seen) is list:
        return _is_member(wanted, seen)
    return wanted in seen if type(seen) is str and type(wanted) is str else None


def _contains_any(seen: Any, wanted: Sequence[Any], now: datetime) -> bool | None:
    return _any([_contains(seen, member, now) for member in wanted])


def _contains_all(seen: Any, wanted: Sequence[Any], now: datetime) -> bool | None:
    answers = [_contains(seen, member, now) for member in wanted]
    return _any(answers) and all(answers)


def _on_text(compare: Callable[[str, str], bool]) -> Test:
    def test(seen: Any, wanted: Any, _now: datetime) -> bool | None:
        return compare(seen, wanted) if type(seen) is str and type(wanted) is str else None

    return test


def _matches(seen: Any, wanted: Any, _now: datetime) -> bool | None:
    if type(seen) is not str:
        return None
    text = seen.encode(errors="replace")  # the whole text, so that $ means its end, not where the search ends
    return wanted.search(text, 0, SEARCHED) is not None


def _is_empty(seen: Any, _wanted: Any, _now: datetime) -> bool:
    return type(seen) in (str, list, dict) and not seen


def _is_boolean(wanted: bool) -> Test:
    return lambda seen, _wanted, _now: seen is wanted if type(seen) is bool else None


def compile_regex(pattern: str, *, ignore_case: bool) -> Any:
    """Return a compiled RE2 expression; raises ValueError with a sentence."""
    options = re2.Options()
    options.log_errors, options.never_capture = False, True
    options.max_mem, options.case_sensitive = _REGEX_MEMORY, not ignore_case
    try:
        return re2.compile(pattern, options)
    except UnicodeEncodeError:
        fault = "it is not valid Unicode"
    except re2.error as error:
        fault = error.args[0].decode(errors="replace")
    raise ValueError(f"'{pattern}' is not a regular expression in RE2 syntax: {fault}.")


@lru_cache(maxsize=256)
def _find_regex(pattern: str, ignore_case: bool) -> Any:
    try:
        return compile_regex(pattern, ignore_case=ignore_case)
    except ValueError:
        return None


def _read_regex(value: Any, *, ignore_case: bool) -> Any:
    return _find_regex(value, ignore_case) if isinstance(value, str) and len(value) <= SEARCHED else None


def _read_duration(value: Any) -> Duration | None:
    try:
        return parse_duration(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _read_any(value: Any) -> Any:
    return value


def _read_list(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def _read_pair(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) and len(value) == 2 else None


def _read_nothing(_value: Any) -> bool:
    return True


_PLAIN = {
    Operator.EQUALS: Comparison(_read_any, _equals),
    Operator.GREATER_THAN: Comparison(_read_any, _ordered(operator.gt)),
    Operator.GREATER_THAN_OR_EQUAL: Comparison(_read_any, _ordered(operator.ge)),
    Operator.LESS_THAN: Comparison(_read_any, _ordered(operator.lt)),
    Operator.LESS_THAN_OR_EQUAL: Comparison(_read_any, _ordered(operator.le)),
    Operator.BETWEEN: Comparison(_read_pair, _between),
    Operator.IN: Comparison(_read_list, _in),
    Operator.CONTAINS: Comparison(_read_any, _contains),
    Operator.CONTAINS_ANY: Comparison(_read_list, _contains_any),
    Operator.CONTAINS_ALL: Comparison(_read_list, _contains_all),
    Operator.STARTS_WITH: Comparison(_read_any, _on_text(str.startswith)),
    Operator.ENDS_WITH: Comparison(_read_any, _on_text(str.endswith)),
    Operator.IS_NULL: Comparison(_read_nothing, lambda _seen, _wanted, _now: False),
    Operator.IS_EMPTY: Comparison(_read_nothing, _is_empty),
    Operator.IS_TRUE: Comparison(_read_nothing, _is_boolean(wanted=True)),
    Operator.IS_FALSE: Comparison(_read_nothing, _is_boolean(wanted=False)),
}

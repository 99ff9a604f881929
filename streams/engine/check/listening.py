"""Whether what a journey listens for can be heard: its listeners, exits, goal and follow (R31, R39 to R42)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from pydantic import TypeAdapter, ValidationError

from models.duration import add, parse_duration
from models.listeners import ANY_KEY, AnyExit, EventExit, Exit, Follow, Goal, Listener
from models.rules import Combinator, Condition, Group, Operator, Rule
from streams.engine.check.always import hold_always
from streams.engine.check.rules import check_field, check_rules
from streams.engine.check.setting import Setting
from streams.engine.listeners import find_key_fields

Faults = Iterator[str]

_EXIT: TypeAdapter[AnyExit] = TypeAdapter(Exit)
_GOAL: TypeAdapter[Goal] = TypeAdapter(Goal)
_FOLLOW: TypeAdapter[Follow] = TypeAdapter(Follow)
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_CLOCK_ALONE = frozenset(
    {Operator.WITHIN_LAST, Operator.NOT_WITHIN_LAST, Operator.WITHIN_NEXT, Operator.NOT_WITHIN_NEXT}
)
_KEPT_AFTER_THE_END = ("id", "journeyId", "version", "key", "entryNumber", "enrolledAt", "variants")


def read_setting(raw: dict[str, Any], zone: tzinfo, asked: frozenset[str]) -> Setting:
    """Return what a journey gives to the checks of its parts, as far as it can be read."""
    key, goal = raw.get("enrollmentKey"), _read(raw.get("goal"), _GOAL)
    enders = [
        (f"exit '{one.name}'" if one.name else f"'exits#{number}'", one)
        for number, one in _read_all(raw.get("exits"), _EXIT)
        if isinstance(one, EventExit)
    ]
    enders += [("the goal", one) for one in (goal.events or () if goal and goal.ends else ())]
    return Setting(
        raw.get("triggerType"), zone, key if isinstance(key, str) and key else None, tuple(enders), asked
    )


def _read_all(given: Any, form: TypeAdapter[Any]) -> Iterator[tuple[int, Any]]:
    """Yield each part of a list with its place, from 1, but for those that can't be read."""
    for number, one in enumerate(given if isinstance(given, list) else (), start=1):
        read = _read(one, form)
        if read is not None:
            yield number, read


def _read(given: Any, form: TypeAdapter[Any]) -> Any:
    try:
        return form.validate_python(given)
    except ValidationError:
        return None  # told with the shape of the journey


def check_listening(raw: dict[str, Any], setting: Setting) -> Faults:
    """Yield a sentence for all that is wrong with what a journey itself listens for, as far as it can be read."""
    for number, one in _read_all(raw.get("exits"), _EXIT):
        yield from _check_exit(f"exits#{number}", one, setting)
    goal = _read(raw.get("goal"), _GOAL)
    if goal is not None:
        yield from _check_goal(goal, setting)
    for number, follow in _read_all(raw.get("follow"), _FOLLOW):
        yield from _check_follow(f"follow#{number}", follow, setting)


def check_listener(where: str, given: Listener, setting: Setting) -> Faults:
    """Yield a sentence for all that is wrong with a listener."""
    yield from check_rules(f"{where}.conditions", given.conditions, "heard", setting.zone)
    if given.key is None:
        return
    if setting.key is None:
        yield f"'{where}.key' tells nothing apart, for the journey has no 'enrollmentKey'; remove it."
    elif given.key.startswith(("customer.", "enrollment.")):
        yield f"'{where}.key' is '{given.key}', but must lie in the event; write a field of its data, or {ANY_KEY}."
    else:
        yield from check_field(f"{where}.key", given.key, "trigger")


def check_asked(where: str, rules: Sequence[Condition], zone: tzinfo) -> Faults:
    """Yield a sentence for all that is wrong with rules that are asked whenever the profile changes."""
    yield from check_rules(where, rules, "step", zone)
    for here, rule in find_rules(where, rules):
        if rule.operator in _CLOCK_ALONE:
            name = rule.operator.value
            yield (
                f"'{here}': {name} turns true by the clock alone, but this is asked when the profile changes; "
                "use a WAIT until {field, offset}."
            )


def find_rules(where: str, conditions: Sequence[Condition]) -> Iterator[tuple[str, Rule]]:
    """Yield all rules, those of groups too, each with where it stands."""
    for number, condition in enumerate(conditions, start=1):
        if isinstance(condition, Group):
            yield from find_rules(f"{where}#{number}.rules", condition.rules)
        else:
            yield f"{where}#{number}", condition


def _check_exit(where: str, given: AnyExit, setting: Setting) -> Faults:
    if isinstance(given, EventExit):
        yield from check_listener(where, given, setting)
    else:
        yield from check_asked(f"{where}.rules", given.rules, setting.zone)
        yield from _check_always(f"{where}.rules", given.rules, given.combinator, setting)


def _check_always(where: str, rules: Sequence[Condition], combinator: Combinator, setting: Setting) -> Faults:
    if hold_always(rules, combinator, setting.asked):
        yield f"'{where}' always hold when the trigger lets somebody in, so that nobody would enter; change one."


def _check_goal(goal: Goal, setting: Setting) -> Faults:
    if goal.events is None and goal.rules is None:
        yield "'goal' needs 'events' or 'rules', as events: [{eventType: payment.succeeded}]."
    for number, listener in enumerate(goal.events or (), start=1):
        here = f"goal.events#{number}"
        yield from check_listener(here, listener, setting)
        yield from _check_lasting(f"{here}.conditions", listener.conditions, ("trigger",))
    if goal.rules is not None:
        yield from check_asked("goal.rules", goal.rules, setting.zone)
        yield from _check_lasting("goal.rules", goal.rules, ("trigger", "event"))
        if goal.ends:
            yield from _check_always("goal.rules", goal.rules, goal.combinator, setting)
    yield from _check_within(goal.within)


def _check_lasting(where: str, rules: Sequence[Condition], gone: tuple[str, ...]) -> Faults:
    """Yield a sentence for each field that is not there any more when the enrolment has ended."""
    for here, rule in find_rules(where, rules):
        for name, path in (("field", rule.field), ("valueField", rule.value_field or "")):
            prefix, _, rest = path.partition(".")
            is_gone = prefix == "enrollment" and rest.partition(".")[0] not in _KEPT_AFTER_THE_END
            if rest and (prefix in gone or is_gone):
                yield (
                    f"'{here}.{name}' is '{path}', which is not kept when the enrolment has ended; "
                    f"ask customer., or enrollment. with one of: {', '.join(_KEPT_AFTER_THE_END)}."
                )


def _check_within(within: str) -> Faults:
    try:
        until = add(_SOME_DAY, parse_duration(within), UTC)
    except ValueError as error:
        yield f"'goal.within': {error}"
    else:
        if not _SOME_DAY < until <= add(_SOME_DAY, parse_duration("1 year"), UTC):
            yield f"'goal.within' is '{within}', but must be more than nothing and at most 1 year."


def _check_follow(where: str, follow: Follow, setting: Setting) -> Faults:
    yield from check_listener(where, follow, setting)
    if "names" in follow.model_fields_set and not follow.names:
        yield f"'{where}.set' is empty; name fields, or remove it to set all that the trigger's data has."
    for name in follow.names:
        if not name:
            yield f"'{where}.set' holds an empty name; write a field of the event's data."
        elif name in find_key_fields(setting.key):
            yield f"'{where}.set' names '{name}', but the enrollmentKey never changes; leave it out."

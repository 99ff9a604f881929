"""What a journey listens for, in a few words each: of a WAIT, an exit, the goal, what it follows."""

from collections.abc import Iterator, Sequence

from models.journey import Journey
from models.listeners import ANY_KEY, AnyExit, EventExit, Follow, Goal, Listener
from models.rules import Combinator, Condition, Group
from models.steps import UntilField, UntilTime, WaitConfig

CAME, HOLDS, TIME_OVER = "came", "rules hold", "time over"
"""What the ways out of a WAIT with events or rules are called."""


def describe_rule(rule: Condition) -> str:
    """Return a condition as one reads it."""
    if isinstance(rule, Group):
        return f"{'not ' if rule.negated else ''}({describe_rules(rule.rules, rule.combinator)})"
    operand = rule.value_field if rule.value_field else rule.value
    if isinstance(operand, list | tuple):
        operand = ", ".join(map(str, operand))
    return f"{rule.field} {rule.operator}" + ("" if operand is None else f" {operand}")


def describe_rules(rules: Sequence[Condition], combinator: Combinator | None) -> str:
    """Return conditions as one reads them."""
    return f" {(combinator or Combinator.AND).lower()} ".join(map(describe_rule, rules))


def describe_listener(one: Listener) -> str:
    """Return which event a listener hears."""
    keyed = {None: "", ANY_KEY: " of any key"}.get(one.key, f" by {one.key}")
    asked = f" with {describe_rules(one.conditions, None)}" if one.conditions else ""
    return f"{one.event_type}{keyed}{asked}"


def describe_awaited(config: WaitConfig) -> str:
    """Return what may end a WAIT before its time; nothing for one that waits for time alone."""
    events = list(dict.fromkeys(one.event_type for one in config.events or ()))
    return " or ".join([*events, *([describe_rules(config.rules, config.combinator)] if config.rules else [])])


def describe_wait(config: WaitConfig) -> str:
    """Return what a WAIT waits for, and for how long."""
    time, awaited = " and ".join(_describe_time(config)) or "no time at all", describe_awaited(config)
    return f"for {awaited}, at most {time}" if awaited else time


def _describe_time(config: WaitConfig) -> Iterator[str]:
    if config.duration:
        yield config.duration
    match config.until:
        case UntilField(field=field, offset=offset):
            yield f"until {field}" + (f" {offset}" if offset else "")
        case UntilTime(time=time, weekdays=weekdays):
            yield f"until {time}" + (f" on {', '.join(weekdays)}" if weekdays else "")
        case str() as moment:
            yield f"until {moment}"
        case None:
            pass


def describe_exit(one: AnyExit) -> str:
    """Return what ends an enrolment by an exit."""
    return describe_listener(one) if isinstance(one, EventExit) else describe_rules(one.rules, one.combinator)


def describe_goal(goal: Goal) -> str:
    """Return what reaches a goal, and until when it counts."""
    events = [describe_listener(one) for one in goal.events or ()]
    rules = [describe_rules(goal.rules, goal.combinator)] if goal.rules else []
    return f"{' or '.join([*events, *rules])}, within {goal.within}"


def describe_follow(one: Follow) -> str:
    """Return which event is followed, and which of its fields."""
    return f"{describe_listener(one)}: {', '.join(one.names) if one.names else 'all that the trigger had'}"


def list_exits(journey: Journey) -> list[tuple[str, str]]:
    """Return each exit's name, as enrolments that leave by it tell it, and what it is."""
    exits = enumerate(journey.exits or (), start=1)
    return [(one.name or f"exit {number}", describe_exit(one)) for number, one in exits]

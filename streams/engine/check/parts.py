"""Where the listeners and the conditions of a journey stand, each with its step's id and the setting's name."""

from collections.abc import Iterator, Sequence

from models.journey import Journey
from models.listeners import EventExit, Listener, RulesExit
from models.rules import Condition
from models.steps import ConditionStep, TriggerStep, WaitStep


def find_listeners(journey: Journey) -> Iterator[tuple[str | None, str, Listener]]:
    """Yield all that a journey listens for."""
    for number, one in enumerate(journey.exits or (), start=1):
        if isinstance(one, EventExit):
            yield None, f"exits#{number}", one
    goal: Sequence[Listener] = (journey.goal.events if journey.goal else None) or ()
    for number, listener in enumerate(goal, start=1):
        yield None, f"goal.events#{number}", listener
    for number, follow in enumerate(journey.follow or (), start=1):
        yield None, f"follow#{number}", follow
    for step in journey.steps:
        for number, heard in enumerate((step.config.events or ()) if isinstance(step, WaitStep) else (), start=1):
            yield step.id, f"config.events#{number}", heard


def find_conditions(journey: Journey) -> Iterator[tuple[str | None, str, Sequence[Condition]]]:
    """Yield all that a journey asks."""
    yield None, "triggerConfig.conditions", journey.trigger_config.conditions
    for number, one in enumerate(journey.exits or (), start=1):
        if isinstance(one, RulesExit):
            yield None, f"exits#{number}.rules", one.rules
    yield None, "goal.rules", (journey.goal.rules if journey.goal else None) or ()
    for step_id, where, listener in find_listeners(journey):
        yield step_id, f"{where}.conditions", listener.conditions
    for step in journey.steps:
        if isinstance(step, TriggerStep):
            yield step.id, "config.conditions", step.config.conditions
        elif isinstance(step, ConditionStep | WaitStep):
            yield step.id, "config.rules", step.config.rules or ()

"""Where the steps of a journey lead: numbers, ids, next steps, steps out of reach, loops without a WAIT.

Works on plain data, so that one step with a wrong setting does not hide what is wrong with the others.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import Any

import msgspec

from streams.engine.check.shape import suggest

_LOOPS_REPORTED = 20
_GUESSED = 20
_BRANCHES = ("nextStepYesId", "nextStepNoId")

Found = tuple[str | None, str]  # the step's id, a sentence


class Node(msgspec.Struct, frozen=True):
    """A step as its author wrote it: where it says that it leads, and under which name it says so."""

    id: str
    number: int
    type: object
    next: str | None
    branches: Mapping[str, str | None]


def read_node(step: Any, position: int) -> Node:
    """Return a step as far as it can be read; `position` from 1 gives what it leaves out."""
    step = step if isinstance(step, dict) else {}
    given = step.get("stepNumber")
    number = given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else position
    config = step.get("config")
    variants = config.get("variants") if isinstance(config, dict) else None
    branches = {name: _text(step.get(name)) for name in _BRANCHES}
    if step.get("type") == "SPLIT" and isinstance(variants, list):
        for place, variant in enumerate(variants, start=1):
            target = variant.get("nextStepId") if isinstance(variant, dict) else None
            branches[f"config.variants#{place}.nextStepId"] = _text(target)
    id_ = _text(step.get("id")) or f"step-{number}"
    return Node(id_, number, step.get("type"), _text(step.get("nextStepId")), branches)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def check_routes(authored: Sequence[Node]) -> Iterator[Found]:
    """Yield what is wrong with the way from step to step."""
    yield from _check_twice(authored)
    nodes = sorted(authored, key=lambda node: node.number)
    yield from _check_trigger(nodes)
    ids = dict.fromkeys(node.id for node in nodes)
    meant = _guess(nodes, ids)
    for node in nodes:
        yield from _check_names(node)
        yield from _check_next(node, ids, meant)
    ways = _find_ways(nodes, meant)
    yield from _check_reach(nodes, ways)
    yield from _check_loops(nodes, ways)


def _check_twice(nodes: Sequence[Node]) -> Iterator[Found]:
    ids: set[str] = set()
    numbers: dict[int, str] = {}
    for node in nodes:
        if node.id in ids:
            yield node.id, f"The id '{node.id}' stands twice; give each step its own."
        elif node.number in numbers:
            other = numbers[node.number]
            yield node.id, f"It has the stepNumber {node.number}, as step '{other}' has; give each step its own."
        ids.add(node.id)
        numbers.setdefault(node.number, node.id)


def _check_trigger(nodes: Sequence[Node]) -> Iterator[Found]:
    triggers = [node for node in nodes if node.type == "TRIGGER"]
    if not triggers:
        yield None, "The journey has no TRIGGER; put one before all other steps."
    elif triggers[0] is not nodes[0]:
        yield triggers[0].id, "The TRIGGER must be the first step."
    for node in triggers[1:]:
        yield node.id, "The journey has more than one TRIGGER; keep the first."


def _check_names(node: Node) -> Iterator[Found]:
    for name in _BRANCHES:
        if node.branches[name] and node.type != "CONDITION":
            yield node.id, f"'{name}' is only for a CONDITION; use 'nextStepId'."
    if node.next and node.type == "END":
        yield node.id, "An END leads nowhere; remove 'nextStepId'."


def _guess(nodes: Sequence[Node], ids: Collection[str]) -> dict[str, str]:
    """Return which steps the first mistyped ids may have meant: to compare one with all others takes its time."""
    named = (target for node in nodes for target in (node.next, *node.branches.values()))
    mistyped = dict.fromkeys(target for target in named if target and target not in ids)
    return {name: meant for name in islice(mistyped, _GUESSED) if (meant := suggest(name, ids))}


def _check_next(node: Node, ids: Collection[str], meant: Mapping[str, str]) -> Iterator[Found]:
    for name, target in {"nextStepId": node.next, **node.branches}.items():
        if target and target not in ids:
            advice = f"did you mean '{meant[target]}'?" if target in meant else "use the id of a step."
            yield node.id, f"'{name}' is '{target}', which no step has as its id; {advice}"


def _find_ways(nodes: Sequence[Node], meant: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the ids that each step may lead to (R15); a mistyped id counts as the one that it may have meant."""
    ids = [node.id for node in nodes]
    known, ways = set(ids), dict[str, set[str]]()
    for position, node in enumerate(nodes):
        default = node.next or (ids[position + 1] if position + 1 < len(ids) else None)
        branches = list(node.branches.values())[2:] if node.type == "SPLIT" else list(node.branches.values())
        targets = [target or default for target in branches] if node.type in ("CONDITION", "SPLIT") else [default]
        targets = [] if node.type == "END" else targets or [default]
        found = (target if target in known else meant.get(target) for target in targets if target)
        ways.setdefault(node.id, set()).update(filter(None, found))
    return ways


def _check_reach(nodes: Sequence[Node], ways: Mapping[str, set[str]]) -> Iterator[Found]:
    reached, ahead = set(), [nodes[0].id]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += ways[here]
    for id_ in ways:
        if id_ not in reached:
            yield id_, "No step leads here; name it as the next step of one, or remove it."


def _check_loops(nodes: Sequence[Node], ways: Mapping[str, set[str]]) -> Iterator[Found]:
    times = Counter(node.id for node in nodes)  # where an id stands twice, a loop may be none
    waits = {node.id for node in nodes if node.type == "WAIT" or times[node.id] > 1}
    graph = {id_: targets - waits for id_, targets in ways.items() if id_ not in waits}
    for _ in range(_LOOPS_REPORTED):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            loop = error.args[1][:0:-1]
            steps = " → ".join(f"'{id_}'" for id_ in [*loop, loop[0]])
            yield loop[0], f"The steps {steps} go round without a WAIT; put a WAIT into the loop."
            graph = {id_: targets - set(loop) for id_, targets in graph.items() if id_ not in loop}
        else:
            return

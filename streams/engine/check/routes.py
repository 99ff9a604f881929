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
_SINCE = ("step", "enrollment")

Found = tuple[str | None, str]  # the step's id, a sentence


class Node(msgspec.Struct, frozen=True):
    """A step as its author wrote it: where it says that it leads, and under which name it says so.

    `yes` and `no` are the ways of a CONDITION, and of a WAIT that `listens`; `ways` those of a SPLIT's variants and
    of a WAIT's events, `since` the step that such an event may come after.
    """

    id: str
    number: int
    type: object
    next: str | None
    yes: str | None
    no: str | None
    ways: Mapping[str, str | None]
    listens: bool
    since: str | None

    @property
    def has_branches(self) -> bool:
        """Whether it has a yes and a no."""
        return self.type == "CONDITION" or self.listens

    @property
    def targets(self) -> dict[str, str | None]:
        """The ids of steps that it names, by the name of the setting."""
        return {"nextStepId": self.next, "nextStepYesId": self.yes, "nextStepNoId": self.no, **self.ways}


def read_node(step: Any, position: int) -> Node:
    """Return a step as far as it can be read; `position` from 1 gives what it leaves out."""
    step = step if isinstance(step, dict) else {}
    given = step.get("stepNumber")
    number = given if isinstance(given, int) and not isinstance(given, bool) and given > 0 else position
    config = step.get("config")
    config, kind = config if isinstance(config, dict) else {}, step.get("type")
    part = {"SPLIT": "variants", "WAIT": "events"}.get(kind) if isinstance(kind, str) else None
    listens = kind == "WAIT" and any(config.get(name) is not None for name in ("events", "rules"))
    return Node(
        id=_text(step.get("id")) or f"step-{number}",
        number=number,
        type=kind,
        next=_text(step.get("nextStepId")),
        yes=_text(step.get("nextStepYesId")),
        no=_text(step.get("nextStepNoId")),
        ways=dict(_read_ways(f"config.{part}", config.get(part))) if part else {},
        listens=listens,
        since=_text(config.get("since")) if listens else None,
    )


def _read_ways(where: str, parts: object) -> Iterator[tuple[str, str | None]]:
    for place, part in enumerate(parts if isinstance(parts, list) else (), start=1):
        yield f"{where}#{place}.nextStepId", _text(part.get("nextStepId")) if isinstance(part, dict) else None


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
    yield from _check_since(nodes, ways, meant)
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
    for name, target in (("nextStepYesId", node.yes), ("nextStepNoId", node.no)):
        if target and not node.has_branches:
            where = "a WAIT with 'events' or 'rules'" if node.type == "WAIT" else "a CONDITION"
            yield node.id, f"'{name}' is only for {where}; use 'nextStepId'."
    if node.next and node.type == "END":
        yield node.id, "An END leads nowhere; remove 'nextStepId'."


def _guess(nodes: Sequence[Node], ids: Collection[str]) -> dict[str, str]:
    """Return which steps the first mistyped ids may have meant: to compare one with all others takes its time."""
    named = (target for node in nodes for target in (*node.targets.values(), node.since))
    mistyped = dict.fromkeys(target for target in named if target and target not in (*ids, *_SINCE))
    return {name: meant for name in islice(mistyped, _GUESSED) if (meant := suggest(name, ids))}


def _check_next(node: Node, ids: Collection[str], meant: Mapping[str, str]) -> Iterator[Found]:
    for name, target in node.targets.items():
        if target and target not in ids:
            advice = f"did you mean '{meant[target]}'?" if target in meant else "use the id of a step."
            yield node.id, f"'{name}' is '{target}', which no step has as its id; {advice}"


def _find_ways(nodes: Sequence[Node], meant: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the ids that each step may lead to (R15); a mistyped id counts as the one that it may have meant."""
    ids = [node.id for node in nodes]
    known, ways = set(ids), dict[str, set[str]]()
    for position, node in enumerate(nodes):
        default = node.next or (ids[position + 1] if position + 1 < len(ids) else None)
        targets = [] if node.type == "END" else _list_targets(node, default)
        found = (target if target in known else meant.get(target) for target in targets if target)
        ways.setdefault(node.id, set()).update(filter(None, found))
    return ways


def _list_targets(node: Node, default: str | None) -> list[str | None]:
    yes = node.yes or default
    if node.listens:
        return [*(target or yes for target in node.ways.values()), yes, node.no or default]
    if node.has_branches:
        return [yes, node.no or default]
    return [target or default for target in node.ways.values()] or [default]


def _check_since(nodes: Sequence[Node], ways: Mapping[str, set[str]], meant: Mapping[str, str]) -> Iterator[Found]:
    for node in nodes:
        name = node.since
        if name is None or name in _SINCE:
            continue
        if name not in ways:
            close = suggest(name, _SINCE) or meant.get(name)
            advice = f"did you mean '{close}'?" if close else "use step, enrollment or the id of an earlier step."
            yield node.id, f"'config.since' is '{name}', which no step has as its id; {advice}"
        elif name == node.id:
            yield node.id, f"'config.since' is '{name}', the WAIT itself; write step."
        elif node.id not in _reach_from(name, ways):
            yield node.id, f"'config.since' is '{name}', but no way leads from there to here; name an earlier step."


def _check_reach(nodes: Sequence[Node], ways: Mapping[str, set[str]]) -> Iterator[Found]:
    reached = _reach_from(nodes[0].id, ways)
    for id_ in ways:
        if id_ not in reached:
            yield id_, "No step leads here; name it as the next step of one, or remove it."


def _reach_from(start: str, ways: Mapping[str, set[str]]) -> set[str]:
    reached, ahead = set[str](), [start]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += ways[here]
    return reached


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

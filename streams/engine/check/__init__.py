"""Whether a journey means something: every problem at once, each a sentence that says what to do."""

from collections.abc import Iterator, Sequence
from datetime import UTC
from itertools import islice
from typing import Any

import msgspec
from pydantic import TypeAdapter, ValidationError

from models.duration import read_zone
from models.journey import Journey, JourneyTrigger
from models.limits import JOURNEY_BYTES, STEPS
from models.rules import Condition
from models.steps import AnyStep, Step
from streams.engine.check.always import name_rules
from streams.engine.check.dates import find_dates_as_text
from streams.engine.check.durations import check_duration, check_zone
from streams.engine.check.listening import check_listening, read_setting
from streams.engine.check.names import find_unknown
from streams.engine.check.plain import find_unstorable
from streams.engine.check.routes import Node, check_routes, read_node
from streams.engine.check.rules import check_field, check_rules
from streams.engine.check.setting import Setting
from streams.engine.check.shape import describe, show, suggest
from streams.engine.check.steps import check_step
from streams.engine.schema import DESCRIPTIONS

__all__ = ["Problem", "check", "find_dates_as_text", "find_twins", "find_unknown"]

_TYPES = ("TRIGGER", "SEND", "WAIT", "CONDITION", "SPLIT", "UPDATE", "END")
_STEP: TypeAdapter[AnyStep] = TypeAdapter(Step)
_BOOL = TypeAdapter(bool)
_TOLD = 100  # problems of one journey
_ANY_STEP = {"type": "END"}


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, in a sentence that says what to do, and with which step (None: the whole journey)."""

    step: str | None
    text: str


def check(raw: Any) -> tuple[Journey | None, list[Problem]]:
    """Return the journey that plain data holds, or what is wrong with it, 100 problems at most; never raises."""
    if not isinstance(raw, dict):
        return None, [Problem(None, "A journey holds names and values, as 'name: Welcome'.")]
    if fault := _find_excess(raw) or find_unstorable(raw):
        return None, [Problem(None, fault)]
    problems = list(islice(_find_problems(raw), _TOLD))
    if len(problems) == _TOLD:
        problems.append(Problem(None, f"More than these {_TOLD} problems are not looked for; mend them first."))
    if problems:
        return None, problems
    journey = Journey.model_validate(raw)
    size = len(msgspec.json.encode(journey.plain()))
    if size > JOURNEY_BYTES:
        return None, [Problem(None, f"It has {size} bytes as it is published; {JOURNEY_BYTES} are allowed.")]
    return journey, []


def _find_excess(raw: dict[Any, Any]) -> str | None:
    steps = raw.get("steps")
    if isinstance(steps, list) and len(steps) > STEPS:
        return f"It has {len(steps)} steps; {STEPS} are allowed: make several journeys of it."
    return None


def _find_problems(raw: dict[str, Any]) -> Iterator[Problem]:
    setting = _read_setting(raw)
    yield from (Problem(None, text) for text in _check_settings(raw, setting))
    yield from (Problem(id_, text) for id_, text in _check_steps(raw, setting))


def find_twins(journeys: Sequence[Journey]) -> Iterator[tuple[int, Problem]]:
    """Yield (position, problem) for journeys that can't stand beside an earlier one: same name, id or campaign."""
    seen: set[tuple[Any, ...]] = set()
    for position, journey in enumerate(journeys):
        name = (journey.tenant_id, journey.name, journey.version)
        if name in seen:
            text = f"Tenant '{journey.tenant_id}' has another journey named '{journey.name}'; give each its own."
            yield position, Problem(None, text)
        elif ("id", journey.id, journey.version) in seen:
            yield position, Problem(None, f"Another journey has the id '{journey.id}' too; give each its own.")
        elif journey.campaign_id and _campaign(journey) in seen:
            text = f"Another journey has the campaignId '{journey.campaign_id}' too; a campaign has one journey."
            yield position, Problem(None, text)
        seen |= {name, ("id", journey.id, journey.version), _campaign(journey)}


def _campaign(journey: Journey) -> tuple[Any, ...]:
    return "campaign", journey.tenant_id, journey.campaign_id, journey.version


def _read_setting(raw: dict[str, Any]) -> Setting:
    steps = raw.get("steps")
    first = steps[0] if isinstance(steps, list) and steps and isinstance(steps[0], dict) else {}
    asked = (*_read_trigger(raw.get("triggerConfig")), *_read_trigger(first.get("config")))
    return read_setting(raw, read_zone(raw.get("timezone", "UTC")) or UTC, name_rules(asked))


def _read_trigger(config: Any) -> tuple[Condition, ...]:
    """Return the conditions of a trigger; none if they can't be read."""
    conditions = config.get("conditions") if isinstance(config, dict) else ()
    try:
        return JourneyTrigger.model_validate({"conditions": conditions}).conditions
    except ValidationError:
        return ()  # told with the shape of the journey


def _check_settings(raw: dict[str, Any], setting: Setting) -> Iterator[str]:
    """Check all but the steps; what can be read is checked even if other settings can't."""
    try:
        Journey.model_validate(raw | {"steps": [_ANY_STEP]})
    except ValidationError as error:
        yield from describe(error.errors(include_url=False), raw, "Journey")
    if raw.get("tenantId") == "*":
        yield "'tenantId' is '*', which stands for all tenants; name one."
    if isinstance(raw.get("timezone"), str):
        yield from check_zone("timezone", raw["timezone"])
    if isinstance(raw.get("reentryAfter"), str):
        yield from check_duration("reentryAfter", raw["reentryAfter"])
        if not _is_true(raw.get("allowReentry")):
            yield "'reentryAfter' needs 'allowReentry: true'."
    if isinstance(raw.get("enrollmentKey"), str):
        yield from check_field("enrollmentKey", raw["enrollmentKey"], "trigger")
    trigger = _read_trigger(raw.get("triggerConfig"))
    yield from check_rules("triggerConfig.conditions", trigger, "trigger", setting.zone)
    yield from check_listening(raw, setting)


def _is_true(value: object) -> bool:
    """Say whether a setting is true; one that is no boolean is told of elsewhere."""
    try:
        return value is not None and _BOOL.validate_python(value)
    except ValidationError:
        return True


def _check_steps(raw: dict[str, Any], setting: Setting) -> Iterator[tuple[str | None, str]]:
    steps = raw.get("steps")
    if not isinstance(steps, list) or not steps:
        yield None, "'steps' is missing: a list of steps, the TRIGGER first."
        return
    nodes = [read_node(step, position) for position, step in enumerate(steps, start=1)]
    for step, node in zip(steps, nodes, strict=True):
        yield from ((node.id, text) for text in _check_step(step, node, setting))
    yield from check_routes(nodes)


def _check_step(step: Any, node: Node, setting: Setting) -> Iterator[str]:
    if not isinstance(step, dict):
        yield "A step holds names and values, as {type: END}."
    elif "type" not in step:
        yield f"'type' is missing: {DESCRIPTIONS['Step']['type']}."
    elif node.type not in _TYPES:
        meant = suggest(node.type, _TYPES)
        advice = f"did you mean '{meant}'?" if meant else f"use one of: {', '.join(_TYPES)}."
        yield f"'type' is {show(node.type)}, which is not known; {advice}"
    else:
        try:
            parsed = _STEP.validate_python(step)
        except ValidationError as error:
            yield from describe(error.errors(include_url=False), step, "Step")
        else:
            yield from check_step(parsed, setting)

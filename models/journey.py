"""A journey as authored: its trigger, settings and the seven kinds of step (frozen, camelCase in files)."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator
from pydantic.alias_generators import to_camel

from models.ids import journey_id

MANUAL = "MANUAL"

_UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_NOBODY = "00000000-0000-0000-0000-000000000000"


class Definition(BaseModel):
    """What all authored parts share: frozen, no unknown fields, camelCase names."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        """Read null as missing, as rules do (R9); but setting an attribute to null is saying something."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None or name == "value"}


class JourneyStatus(StrEnum):
    """Where a journey stands; only ACTIVE enrols (R29)."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ARCHIVED = "ARCHIVED"


class Operator(StrEnum):
    """The comparisons of R10."""

    EQUALS = "equals"
    NOT_EQUALS = "notEquals"
    GREATER_THAN = "greaterThan"
    GREATER_THAN_OR_EQUAL = "greaterThanOrEqual"
    LESS_THAN = "lessThan"
    LESS_THAN_OR_EQUAL = "lessThanOrEqual"
    BETWEEN = "between"
    NOT_BETWEEN = "notBetween"
    IN = "in"
    NOT_IN = "notIn"
    CONTAINS = "contains"
    NOT_CONTAINS = "notContains"
    CONTAINS_ANY = "containsAny"
    CONTAINS_ALL = "containsAll"
    STARTS_WITH = "startsWith"
    NOT_STARTS_WITH = "notStartsWith"
    ENDS_WITH = "endsWith"
    NOT_ENDS_WITH = "notEndsWith"
    MATCHES = "matches"
    NOT_MATCHES = "notMatches"
    IS_NULL = "isNull"
    IS_NOT_NULL = "isNotNull"
    IS_EMPTY = "isEmpty"
    IS_NOT_EMPTY = "isNotEmpty"
    IS_TRUE = "isTrue"
    IS_FALSE = "isFalse"
    BEFORE = "before"
    AFTER = "after"
    WITHIN_LAST = "withinLast"
    NOT_WITHIN_LAST = "notWithinLast"
    WITHIN_NEXT = "withinNext"
    NOT_WITHIN_NEXT = "notWithinNext"


ALIASES = {
    "=": "equals", "==": "equals", "eq": "equals",
    "!=": "notEquals", "neq": "notEquals", "ne": "notEquals",
    ">": "greaterThan", "gt": "greaterThan",
    ">=": "greaterThanOrEqual", "gte": "greaterThanOrEqual",
    "<": "lessThan", "lt": "lessThan",
    "<=": "lessThanOrEqual", "lte": "lessThanOrEqual",
    "exists": "isNotNull", "notExists": "isNull", "nin": "notIn",
}  # fmt: skip


class Rule(Definition):
    """One comparison of a field with a value, or with another field (R8 to R13)."""

    field: str = Field(min_length=1)
    operator: Operator
    value: Any = None
    value_field: str | None = None
    ignore_case: bool = False

    @field_validator("operator", mode="before")
    @classmethod
    def _read_alias(cls, operator: object) -> object:
        return ALIASES.get(operator, operator) if isinstance(operator, str) else operator


class Combinator(StrEnum):
    """How the rules of a group are joined."""

    AND = "AND"
    OR = "OR"


class Group(Definition):
    """Rules joined by AND or OR, and perhaps negated (R13)."""

    combinator: Combinator = Combinator.AND
    rules: tuple["Condition", ...]
    negated: bool = Field(default=False, alias="not")


def _kind_of_condition(condition: object) -> str:
    is_group = "rules" in condition if isinstance(condition, dict) else isinstance(condition, Group)
    return "group" if is_group else "rule"


Condition = Annotated[
    Annotated[Rule, Tag("rule")] | Annotated[Group, Tag("group")], Discriminator(_kind_of_condition)
]


class TriggerConfig(Definition):
    """What a TRIGGER step asks of the event."""

    event_type: str | None = None
    conditions: tuple[Condition, ...] = ()


class SendConfig(Definition):
    """What a SEND step sends, and until when it is worth sending (R24, R20)."""

    channel: str = Field(min_length=1)
    template_id: str = Field(min_length=1)
    expires_after: str | None = None


class UntilField(Definition):
    """The moment that a field holds, moved by an offset such as "-1 day" (R18)."""

    field: str = Field(min_length=1)
    offset: str | None = None


class Weekday(StrEnum):
    """Days of the week, Monday first."""

    MON = "MON"
    TUE = "TUE"
    WED = "WED"
    THU = "THU"
    FRI = "FRI"
    SAT = "SAT"
    SUN = "SUN"


class UntilTime(Definition):
    """The next moment with this local time, on these weekdays (R18)."""

    time: str
    weekdays: tuple[Weekday, ...] = ()


class Lateness(Definition):
    """What to do with a wait that fires later than `after` its due time (R20)."""

    after: str
    then: Literal["continue", "skip", "exit"]


def _kind_of_until(until: object) -> str:
    if isinstance(until, str):
        return "moment"
    is_time = "time" in until if isinstance(until, dict) else isinstance(until, UntilTime)
    return "time" if is_time else "field"


Until = Annotated[
    Annotated[str, Tag("moment")] | Annotated[UntilTime, Tag("time")] | Annotated[UntilField, Tag("field")],
    Discriminator(_kind_of_until),
]


class WaitConfig(Definition):
    """How long a WAIT step holds a customer, and what it does with a moment that is past, missing or late."""

    duration: str | None = None
    until: Until | None = None
    timezone: str | None = None
    if_past: Literal["continue", "skip", "exit", "fail"] = "continue"
    if_missing: Literal["fail", "continue", "exit"] = "fail"
    if_late: Lateness | None = None


class ConditionConfig(Definition):
    """The question of a CONDITION step."""

    rules: tuple[Condition, ...]
    combinator: Combinator = Combinator.AND


class Variant(Definition):
    """One way out of a SPLIT: its share is weight over the sum of the weights (R22)."""

    name: str = Field(min_length=1)
    weight: float = Field(default=1, strict=True)
    next_step_id: str | None = None


class SplitConfig(Definition):
    """The variants of a SPLIT step."""

    variants: tuple[Variant, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _read_names_and_weights(cls, config: Any) -> Any:
        """Accept `{variants: [names], weights: [numbers]}` for `{variants: [{name, weight}]}`."""
        if not isinstance(config, dict) or not isinstance(config.get("variants"), list):
            return config
        variants, weights = config["variants"], config.get("weights")
        if not all(isinstance(name, str) for name in variants):
            return config
        if weights is None:
            weights = [1] * len(variants)
        if not isinstance(weights, list) or len(weights) != len(variants):
            raise ValueError(f"{len(variants)} variants need as many weights")
        named = [{"name": name, "weight": weight} for name, weight in zip(variants, weights, strict=True)]
        return {key: value for key, value in config.items() if key != "weights"} | {"variants": named}


class Operation(StrEnum):
    """What an update does with its field (R23)."""

    SET = "set"
    UNSET = "unset"
    ADD = "add"
    REMOVE = "remove"
    INCREMENT = "increment"
    DECREMENT = "decrement"


class Update(Definition):
    """One change of the profile."""

    field: str = Field(min_length=1)
    operation: Operation = Operation.SET
    value: Any = None


class UpdateConfig(Definition):
    """The changes of an UPDATE step; all hold together or the step fails."""

    updates: tuple[Update, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _read_single(cls, config: Any) -> Any:
        """Accept `{field, value}` for `{updates: [{field, value}]}`."""
        is_single = isinstance(config, dict) and "field" in config and "updates" not in config
        return {"updates": [config]} if is_single else config


class EndConfig(Definition):
    """An END step has no settings."""


class _Step(Definition):
    step_number: int = Field(default=0, ge=0, strict=True)
    id: str = ""
    name: str | None = None
    next_step_id: str | None = None
    next_step_yes_id: str | None = None
    next_step_no_id: str | None = None


class TriggerStep(_Step):
    """Where a customer comes in."""

    type: Literal["TRIGGER"]
    config: TriggerConfig = TriggerConfig()


class SendStep(_Step):
    """Emits a send command."""

    type: Literal["SEND"]
    config: SendConfig


class WaitStep(_Step):
    """Holds the customer until a moment."""

    type: Literal["WAIT"]
    config: WaitConfig


class ConditionStep(_Step):
    """Goes one way if the rules hold, another if not."""

    type: Literal["CONDITION"]
    config: ConditionConfig


class SplitStep(_Step):
    """Gives each customer one variant, always the same."""

    type: Literal["SPLIT"]
    config: SplitConfig


class UpdateStep(_Step):
    """Changes the customer's profile."""

    type: Literal["UPDATE"]
    config: UpdateConfig


class EndStep(_Step):
    """Where the journey is completed."""

    type: Literal["END"]
    config: EndConfig = EndConfig()


AnyStep = TriggerStep | SendStep | WaitStep | ConditionStep | SplitStep | UpdateStep | EndStep
Step = Annotated[AnyStep, Field(discriminator="type")]


class JourneyTrigger(Definition):
    """Conditions on the event that hold before the journey is entered."""

    conditions: tuple[Condition, ...] = ()


class Journey(Definition):
    """One version of a journey, as its file says; `id`, step numbers and step ids are filled in."""

    tenant_id: str = Field(min_length=1, pattern=r"^[^:\x00]+$")
    name: str = Field(min_length=1)
    id: str = Field(pattern=_UUID)
    version: int = Field(default=1, ge=1)
    status: JourneyStatus | None = None
    club_id: str | None = None
    description: str | None = None
    trigger_type: str = Field(min_length=1)
    trigger_config: JourneyTrigger = JourneyTrigger()
    campaign_id: str | None = None
    allow_reentry: bool = False
    reentry_after: str | None = None
    enrollment_key: str | None = None
    max_enrollments: int | None = Field(default=None, ge=1, strict=True)
    timezone: str = "UTC"
    steps: tuple[Step, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _name_journey(cls, journey: Any) -> Any:
        """Give a journey without an id the one that its tenant and name stand for."""
        if not isinstance(journey, dict) or journey.get("id") is not None:
            return journey
        tenant, name = journey.get("tenantId", journey.get("tenant_id")), journey.get("name")
        if not isinstance(tenant, str) or not isinstance(name, str):
            return journey | {"id": _NOBODY}  # the missing name is the problem to report, not the id
        return journey | {"id": journey_id(tenant, name)}

    @field_validator("steps")
    @classmethod
    def _number_steps(cls, steps: tuple[AnyStep, ...]) -> tuple[AnyStep, ...]:
        """Number steps by position from 1, name them "step-<number>", and put them in order of number."""
        numbered = []
        for position, step in enumerate(steps, start=1):
            number = step.step_number or position
            numbered.append(step.model_copy(update={"step_number": number, "id": step.id or f"step-{number}"}))
        return tuple(sorted(numbered, key=lambda step: step.step_number))

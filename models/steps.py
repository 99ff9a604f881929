"""The seven kinds of step, as authored, with their settings."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from models import limits
from models.definition import Definition
from models.form import Since
from models.listeners import WaitListener
from models.rules import Combinator, Condition


class TriggerConfig(Definition):
    """What a TRIGGER step asks of the event."""

    event_type: str | None = None
    conditions: tuple[Condition, ...] = ()


class SendConfig(Definition):
    """What a SEND step sends, and until when it is worth sending (R24, R20)."""

    channel: str = Field(min_length=1, max_length=limits.NAME)
    template_id: str = Field(min_length=1, max_length=limits.NAME)
    expires_after: str | None = None


class UntilField(Definition):
    """The moment that a field holds, moved by an offset such as "-1 day" (R18); it may follow the profile (R43)."""

    field: str = Field(min_length=1)
    offset: str | None = None
    follow: Annotated[bool | None, Since(2)] = Field(default=None, strict=True)


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
    """How long a WAIT step holds a customer, what ends it before, what it does with a moment that is past."""

    duration: str | None = None
    until: Until | None = None
    events: Annotated[tuple[WaitListener, ...] | None, Since(2)] = Field(
        default=None, min_length=1, max_length=limits.LISTENERS
    )
    rules: Annotated[tuple[Condition, ...] | None, Since(2)] = Field(default=None, min_length=1)
    combinator: Annotated[Combinator | None, Since(2)] = None
    since: Annotated[str | None, Since(2)] = Field(default=None, min_length=1)
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

    name: str = Field(min_length=1, max_length=limits.NAME)
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
    step_number: int = Field(default=0, ge=0, le=limits.COUNT, strict=True)
    id: str = Field(default="", max_length=limits.NAME)
    name: Annotated[str, Field(max_length=limits.NAME)] | None = None
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
    """Holds the customer until a moment, or until something comes before it."""

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

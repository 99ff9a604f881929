"""What a completed step leaves: a shape for each type of step, told apart by a field that only that shape has."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from models.messages import Moment


class Change(msgspec.Struct, frozen=True, gc=False):
    """One changed field of a profile."""

    field: str
    before: Any = None
    after: Any = None


class _Result(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class NoResult(_Result, frozen=True):
    """TRIGGER and END."""


class SendResult(_Result, frozen=True):
    """SEND: `message_id` is the command's id. One that was held says until when, by what, and why."""

    sent: Literal[True]
    channel: str
    message_id: str
    held_until: Moment | UnsetType = UNSET
    held_by: str | UnsetType = UNSET
    note: str | UnsetType = UNSET


class ConditionResult(_Result, frozen=True):
    """CONDITION: the answer, and what each rule asked and saw."""

    result: bool
    evaluated_rules: list[dict[str, Any]]


class SplitResult(_Result, frozen=True):
    """SPLIT: which variant was drawn."""

    variant: str


class WaitResult(_Result, frozen=True):
    """WAIT: until when it was to hold, when it fired, and what is to be said about either.

    One with events or rules says what `ended` it: an event, rules or time. Of an event it says which of the step's
    events it was (`listener`, from 1), whether it came `before` the step was entered, and which of its fields were
    `kept`, or `left_out`, being too large.
    """

    waiting_until: Moment | None
    fired_at: Moment
    timezone: str | UnsetType = UNSET
    note: str | UnsetType = UNSET
    if_late: str | UnsetType = UNSET
    policy: str | UnsetType = UNSET
    ended: str | UnsetType = UNSET
    event_id: str | UnsetType = UNSET
    event_type: str | UnsetType = UNSET
    event_at: Moment | UnsetType = UNSET
    listener: int | UnsetType = UNSET
    before: bool | UnsetType = UNSET
    kept: dict[str, Any] | UnsetType = UNSET
    left_out: list[str] | UnsetType = UNSET
    evaluated_rules: list[dict[str, Any]] | UnsetType = UNSET


class UpdateResult(_Result, frozen=True):
    """UPDATE: what it changed."""

    updates: list[Change]


class UnknownResult(msgspec.Struct, frozen=True, gc=False):
    """What no version known here wrote: its fields as they are."""

    fields: dict[str, Any]


Result = NoResult | SendResult | ConditionResult | SplitResult | WaitResult | UpdateResult | UnknownResult

NO_RESULT = NoResult()

# The first of these fields that a result has names its shape. Customers' data stands below them, never beside them.
_SHAPES: dict[str, type[SendResult | ConditionResult | SplitResult | WaitResult | UpdateResult]] = {
    "sent": SendResult,
    "firedAt": WaitResult,
    "variant": SplitResult,
    "evaluatedRules": ConditionResult,
    "updates": UpdateResult,
}


_decode = msgspec.json.Decoder(dict[str, Any]).decode


def decode_result(value: msgspec.Raw) -> Result:
    """Return the result with this JSON; raises msgspec.MsgspecError where that is no object."""
    return NO_RESULT if len(value) == len(b"{}") else read_result(_decode(value))


def read_result(fields: dict[str, Any]) -> Result:
    """Return the result that has these fields; UnknownResult where no shape fits."""
    if not fields:
        return NO_RESULT
    for name, shape in _SHAPES.items():
        if name in fields:
            try:
                return msgspec.convert(fields, shape)
            except msgspec.ValidationError:
                break
    return UnknownResult(fields)

"""The entries of an activity record, in contract shape: what happened, in the order in which it happened.

`Entry` is all there are: history, wording and pages match on it, and a kind that one of them forgets fails the
type check. Structs, not dicts: an event that enters a journey writes five of them, and a struct is made in a third
of the time.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from models.messages import Moment
from streams.engine.results import Change, Result
from streams.engine.subscriptions import Ignored


class _Tagged(msgspec.Struct, frozen=True, gc=False, rename="camel", tag_field="type"):
    """What all entries share: the field `type`, first."""


class Moved(msgspec.Struct, frozen=True, gc=False):
    """A moment before and after."""

    before: Moment
    after: Moment


class LastSend(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A command: of which step, when it was issued, and by what id the sender knows it."""

    step_id: str
    channel: str
    message_id: str
    at: Moment


class OfEnrollment(_Tagged, frozen=True):
    """What all entries share that tell of an enrolment."""

    journey_id: str
    journey_version: int
    enrollment_id: str


class OfStep(OfEnrollment, frozen=True):
    """What all entries share that tell of a step; `visit` counts from 1, and is 0 where it was never entered."""

    step_id: str
    step_number: int
    visit: int


class EnrollmentStarted(OfEnrollment, frozen=True, tag="enrollment.started"):
    """A customer entered a journey, for the `entry_number`-th time (from 1) with this enrollment key."""

    enrollment_key: str
    entry_number: int
    enrolled_at: Moment
    trigger_data: dict[str, Any]


class EnrollmentRefused(_Tagged, frozen=True, kw_only=True, tag="enrollment.refused"):
    """A customer did not enter a journey, or any at all, and why not.

    Where the reason is `reentry`, the field of that name says which rule: once (the journey is entered once only),
    active (the customer is still in it), candidate (an earlier entry waits for a place) or later (not before
    `reentry_from`).
    """

    journey_id: str | UnsetType = UNSET
    journey_version: int | UnsetType = UNSET
    reason: str
    evaluated_rules: list[dict[str, Any]] | UnsetType = UNSET
    enrollment_key: str | UnsetType = UNSET
    reentry: str | UnsetType = UNSET
    reentry_from: Moment | UnsetType = UNSET


class EnrollmentEnded(OfEnrollment, frozen=True):
    """What all entries share that tell how an enrolment ended, and at which step."""

    step_id: str
    at: Moment


class EnrollmentCompleted(EnrollmentEnded, frozen=True, tag="enrollment.completed"):
    """An enrolment came to its END."""

    exit_reason: str = "completed"


class EnrollmentExited(EnrollmentEnded, frozen=True, tag="enrollment.exited"):
    """An enrolment ended early."""

    exit_reason: str
    detail: str | None


class EnrollmentFailed(EnrollmentEnded, frozen=True, tag="enrollment.failed"):
    """An enrolment could not go on; `error` is a sentence."""

    error: str
    exit_reason: str = "error"


class StepEntered(OfStep, frozen=True, tag="step.entered"):
    """A WAIT began, or a SEND is held: `held_by` names what holds it, and `note` says why in a sentence."""

    entered_at: Moment
    waiting_until: Moment
    held_by: str | UnsetType = UNSET
    note: str | UnsetType = UNSET


class StepCompleted(OfStep, frozen=True, tag="step.completed"):
    """A step did its work; what `result` holds depends on the step's type."""

    entered_at: Moment
    completed_at: Moment
    result: Result


class StepSkipped(OfStep, frozen=True, tag="step.skipped"):
    """A step did nothing, or will never be reached."""

    reason: str
    entered_at: Moment | UnsetType = UNSET


class StepFailed(OfStep, frozen=True, tag="step.failed"):
    """A step could not do its work; `error` is a sentence."""

    entered_at: Moment
    error: str


class StepReplanned(OfStep, frozen=True, tag="step.replanned"):
    """The moment moved that a WAIT holds until (R43)."""

    waiting_until: Moved


class GoalReached(OfEnrollment, frozen=True, omit_defaults=True, tag="goal.reached"):
    """An enrolment reached its journey's goal, ACTIVE or over; `last_send` is its newest command before (R41)."""

    enrollment_key: str
    goal: str
    at: Moment
    variants: dict[str, str]
    last_send: LastSend | None
    event_id: str | UnsetType = UNSET


class TriggerUpdated(OfEnrollment, frozen=True, tag="trigger.updated"):
    """An event replaced fields of the trigger's data (R42)."""

    changes: list[Change]


class ProfileUpdated(_Tagged, frozen=True, omit_defaults=True, tag="profile.updated"):
    """The profile changed; or the customer was deleted, and nothing is told.

    `ignored` are values that were passed over, since they are neither true nor false.
    """

    changes: list[Change]
    ignored: list[Ignored] = []
    deleted: bool = False


OtherEntry = (
    EnrollmentStarted | EnrollmentRefused | EnrollmentCompleted | EnrollmentExited | EnrollmentFailed
    | StepEntered | StepReplanned | StepSkipped | StepFailed | GoalReached | TriggerUpdated | ProfileUpdated
)  # fmt: skip
"""All but a completed step, whose result history keeps as it is written."""

Entry = StepCompleted | OtherEntry

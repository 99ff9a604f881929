"""Move an enrolment from step to step until a WAIT that is not yet due, or its end (R15, R16, R18 to R26)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from models.customer import Enrollment
from models.duration import add
from models.ids import command_id
from models.messages import Event
from streams.engine.compiled import AnyCompiled, Change, CompiledJourney, Condition, End, Send, Split, Trigger, Wait
from streams.engine.conditions import Scope
from streams.engine.draft import CustomerDraft
from streams.engine.effects import Command, ProfileUpdate, SendCommand
from streams.engine.entries import ProfileUpdated, StepCompleted, StepEntered, StepFailed, StepSkipped
from streams.engine.envelope import envelope
from streams.engine.leaving import complete, fail, leave, skip_step
from streams.engine.results import (
    NO_RESULT,
    ConditionResult,
    Result,
    SendResult,
    SplitResult,
    UpdateResult,
    WaitResult,
)
from streams.engine.split import draw
from streams.engine.subscriptions import is_unsubscribed
from streams.engine.updates import UpdateRefusedError, apply_updates
from streams.engine.waiting import Plan, lateness, plan

STEP_LIMIT = 100  # steps without a wait (R25)


class Walk:
    """One enrolment on its way through one journey version, at the moment `at`."""

    def __init__(
        self,
        draft: CustomerDraft,
        journey: CompiledJourney,
        enrollment: Enrollment,
        at: datetime,
        event: Event | None = None,
    ) -> None:
        """Start at the enrolment's step; `event` is the one that enrols, of which the row keeps an envelope."""
        self.draft = draft
        self.journey = journey
        self.enrollment = enrollment
        self.at = at
        self.event = event
        self.step: str | None = enrollment.step
        self.visits = dict(enrollment.visits)
        self.skipped = enrollment.skipped
        self.variants = enrollment.variants
        self.fired: str | None = None

    def run(self) -> None:
        """Take steps until the enrolment waits or ends."""
        steps, visits, take = self.journey.steps, self.visits, self._take
        last, id_ = self.enrollment.step, self.step
        for _ in range(STEP_LIMIT):
            if id_ is None:
                break
            visits[id_] = visits.get(id_, 0) + 1
            step = steps[id_]
            if not take[type(step)](self, step):
                return
            last, id_ = id_, self.step
        if id_ is None:
            complete(self.draft, self.enrollment, self.journey, last, visits, self.skipped, self.at)
        else:
            fail(self.draft, self.now_at(id_), self.journey, "step limit", self.at)

    def fire(self, wait: Wait, due: datetime) -> None:
        """Go on after a wait that was due at `due` and fires at `at` (R20, R21)."""
        if self._pass_wait(wait, due):
            self.run()

    def now_at(
        self,
        step_id: str,
        *,
        entered_at: datetime | None = None,
        waiting_until: datetime | None = None,
        wait: dict[str, Any] | None = None,
    ) -> Enrollment:
        """Return the enrolment as it stands at a step; unless told until when, it waits for nothing."""
        return msgspec.structs.replace(
            self.enrollment,
            event=self.enrollment.event if self.event is None else envelope(self.event),
            step=step_id,
            visits=self.visits,
            skipped=self.skipped,
            variants=self.variants,
            entered_at=entered_at,
            waiting_until=waiting_until,
            wait=wait or {},
        )

    def _pass(self, step: Trigger | End) -> bool:
        self._done(step, NO_RESULT, step.next)
        return True

    def _branch(self, step: Condition) -> bool:
        holds, rules = step.conditions.explain(self._scope(), self.at)
        self._done(step, ConditionResult(holds, rules), step.yes if holds else step.no)
        self._skip_unreachable()
        return True

    def _draw(self, step: Split) -> bool:
        name, onward = draw(step, self.journey.id, self.draft.customer_id)
        self.variants = self.variants | {step.id: name}
        self._done(step, SplitResult(name), onward)
        self._skip_unreachable()
        return True

    def _done(self, step: AnyCompiled, result: Result, onward: str | None, entered: datetime | None = None) -> None:
        # Without `_place`: it is what happens most, and 2,400 of 205,000 instructions an event.
        journey, id_, visit, at = self.journey, self.enrollment.id, self.visits[step.id], self.at
        self.draft.entries.append(
            StepCompleted(journey.id, journey.version, id_, step.id, step.number, visit, entered or at, at, result)
        )
        self.step = onward

    def _place(self, step: AnyCompiled) -> tuple[str, int, str, str, int, int]:
        """Return what every entry about a step begins with."""
        journey = self.journey
        return journey.id, journey.version, self.enrollment.id, step.id, step.number, self.visits[step.id]

    def _send(self, step: Send) -> bool:
        draft, journey, enrollment = self.draft, self.journey, self.enrollment
        if is_unsubscribed(draft.profile, step.channel):
            draft.entries.append(StepSkipped(*self._place(step), "unsubscribed", self.at))
            self.step = step.next
            return True
        step_id = step.id
        visit = self.visits[step_id]
        id_ = command_id(enrollment.id, step_id, visit)
        draft.effects.append(
            Command(
                SendCommand(
                    id_,
                    draft.tenant_id,
                    enrollment.club_id,
                    draft.customer_id,
                    step.channel,
                    step.template,
                    journey.id,
                    journey.name,
                    journey.version,
                    enrollment.id,
                    step_id,
                    step.number,
                    visit,
                    self.variants,
                    enrollment.data,
                    self.at,
                    add(self.at, step.expires_after, journey.zone) if step.expires_after else None,
                ),
                enrollment.traceparent,
            )
        )
        self._done(step, SendResult(True, step.channel, id_), step.next)
        return True

    def _change(self, step: Change) -> bool:
        try:
            profile, changes, ignored = apply_updates(self.draft.profile, step.updates)
        except UpdateRefusedError as refusal:
            self._fail(step, str(refusal))
            return False
        self.draft.profile = profile
        draft, club_id = self.draft, self.enrollment.club_id
        if changes:
            draft.effects.append(
                ProfileUpdate(draft.tenant_id, club_id, draft.customer_id, *self._place(step), changes, self.at)
            )
        self._done(step, UpdateResult(changes), step.next)
        draft.entries.append(ProfileUpdated(changes, ignored))
        return True

    def _wait(self, step: Wait) -> bool:
        fired = self.fired == step.id
        planned = plan(step, self.at, self.journey.zone, self.draft.profile, self._scope, just_fired=fired)
        if planned.policy not in (None, "continue"):
            return self._follow_policy(step, planned)
        notes = planned.notes | ({"note": planned.reason} if planned.policy else {})
        self.enrollment = self.now_at(step.id, entered_at=self.at, waiting_until=planned.until, wait=notes)
        self.draft.entries.append(StepEntered(*self._place(step), self.at, planned.until))
        if planned.until <= self.at:
            self._fired(step, planned.until)
            return True
        if planned.until > self.draft.now:
            self.draft.keep(self.enrollment)
            return False
        self.at = self.draft.now
        self.fire(step, planned.until)  # the wait is over, so the steps after it count anew (R25)
        return False

    def _pass_wait(self, step: Wait, due: datetime) -> bool:
        """Leave a wait whose time has come; R20's policies apply."""
        then, sentence = lateness(step, due, self.at, self.journey.zone)
        self._fired(step, due, **({"if_late": then, "note": sentence} if sentence else {}))
        if then == "exit":
            self._exit(step, sentence)
            return False
        if then == "skip":
            self._skip_next()
        return True

    def _fired(self, step: Wait, due: datetime, **notes: Any) -> None:
        result = WaitResult(due, self.at, **(self.enrollment.wait | notes))
        self._done(step, result, step.next, self.enrollment.entered_at)
        self.fired = step.id
        self.enrollment = self.now_at(step.id)

    def _follow_policy(self, step: Wait, planned: Plan) -> bool:
        """Do what ifPast or ifMissing says in place of waiting (R19)."""
        if planned.policy == "fail":
            self._fail(step, planned.reason)
            return False
        notes = planned.notes | {"policy": planned.policy, "note": planned.reason}
        self._done(step, WaitResult(None, self.at, **notes), step.next)
        if planned.policy == "exit":
            self._exit(step, planned.reason)
            return False
        self._skip_next()
        return True

    def _exit(self, step: AnyCompiled, detail: str) -> None:
        leave(self.draft, self.now_at(step.id), "rule", detail, self.at)

    def _fail(self, step: AnyCompiled, error: str) -> None:
        self.draft.entries.append(StepFailed(*self._place(step), self.at, error))
        fail(self.draft, self.now_at(step.id), self.journey, f"Step '{step.id}' failed: {error}", self.at)

    def _skip_next(self) -> None:
        """Leave out the step after a wait (R19, R20) and go on after it."""
        if self.step is None:
            return
        step = self.journey.steps[self.step]
        skip_step(self.draft, self.now_at(step.id), step.id, step.number, "policy")
        self.skipped = (*self.skipped, step.id)
        self.step = step.next
        self._skip_unreachable()

    def _skip_unreachable(self) -> None:
        """Report the steps that can now no longer be reached (R26)."""
        ahead = self.journey.reach[self.step] if self.step is not None else 0
        lost = [
            id_
            for position, id_ in enumerate(self.journey.steps)
            if id_ not in self.visits and not ahead >> position & 1 and id_ not in self.skipped
        ]
        for id_ in lost:
            skip_step(self.draft, self.enrollment, id_, self.journey.steps[id_].number, "branch")
        self.skipped = (*self.skipped, *lost)

    def _scope(self) -> Scope:
        enrollment = self.enrollment
        return Scope(
            event=self.event or enrollment.event,
            data=enrollment.data,
            profile=self.draft.profile,
            enrollment={
                "id": enrollment.id,
                "journeyId": enrollment.journey_id,
                "version": enrollment.version,
                "key": enrollment.key,
                "entryNumber": enrollment.entry,
                "enrolledAt": enrollment.enrolled_at,
                "variants": self.variants,
                "visits": self.visits,
            },
        )

    # What to do at each kind of step; False when the enrolment now waits or has ended. (A match over structs asks
    # each class in turn, 0.1 microseconds each.)
    _take: ClassVar[dict[type, Callable[["Walk", Any], bool]]] = {
        Trigger: _pass,
        Send: _send,
        Wait: _wait,
        Condition: _branch,
        Split: _draw,
        Change: _change,
        End: _pass,
    }

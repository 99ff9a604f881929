"""Where an enrolment stands in one version of its journey: what every step on its way reads and leaves behind."""

from datetime import datetime
from typing import Any

import msgspec

from models.customer import Enrollment, Memory, Watch
from models.messages import Event
from streams.engine.compiled import AnyCompiled, CompiledJourney
from streams.engine.conditions import Scope
from streams.engine.draft import CustomerDraft
from streams.engine.entries import StepCompleted, StepFailed
from streams.engine.envelope import envelope
from streams.engine.leaving import fail, leave, skip_step
from streams.engine.results import Result


class Position:
    """One enrolment at the moment `at`, `step` being the id of the step that comes next."""

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
        self.memory: Memory | None = enrollment.memory
        self.fired: str | None = None

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
            memory=self.memory,
            entered_at=entered_at,
            waiting_until=waiting_until,
            wait=wait or {},
        )

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

    def _exit(self, step: AnyCompiled, detail: str) -> None:
        leave(self.draft, self.now_at(step.id), "rule", detail, self.at)

    def _fail(self, step: AnyCompiled, error: str) -> None:
        entered_at = self.enrollment.entered_at or self.at
        self.draft.entries.append(StepFailed(*self._place(step), entered_at, error))
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
        visits, skipped = self.visits, self.skipped
        lost = [
            id_
            for position, id_ in enumerate(self.journey.steps)
            if id_ not in visits and not ahead >> position & 1 and id_ not in skipped
        ]
        if not lost:
            return
        for id_ in lost:
            skip_step(self.draft, self.enrollment, id_, self.journey.steps[id_].number, "branch")
        self.skipped = (*self.skipped, *lost)

    def _scope(self) -> Scope:
        enrollment = self.enrollment
        facts = tell_facts(enrollment)
        facts["variants"], facts["visits"] = self.variants, self.visits
        if self.memory is not None:
            facts["heard"] = self.memory.kept
        return Scope(self.event or enrollment.event, enrollment.data, self.draft.customer.profile, facts)


def tell_facts(place: Enrollment | Watch) -> dict[str, Any]:
    """Return what fields of `enrollment.` may ask of an enrolment, also when it has ended."""
    return {
        "id": place.id,
        "journeyId": place.journey_id,
        "version": place.version,
        "key": place.key,
        "entryNumber": place.entry,
        "enrolledAt": place.enrolled_at,
        "variants": place.variants,
    }

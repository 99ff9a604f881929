"""SENDs that are held because more commands were to leave than may (R67): they wait, as at a WAIT."""

from datetime import datetime
from typing import Any, NamedTuple

from models.customer import Enrollment
from models.duration import add
from streams.engine.compiled import Send
from streams.engine.entries import StepEntered, StepSkipped
from streams.engine.position import Position
from streams.engine.results import SendResult

BY_RATE = "rate"


def is_held(enrollment: Enrollment) -> bool:
    """Say whether an enrolment that waits does so at a SEND."""
    return "held_by" in enrollment.wait


class Held(NamedTuple):
    """A SEND that was held: since when, until when, and what is to be said about it."""

    since: datetime
    until: datetime | None
    notes: dict[str, Any]

    def describe(self, channel: str, command_id: str) -> SendResult:
        """Return the result of the SEND, now that it goes."""
        return SendResult(True, channel, command_id, held_until=self.until or self.since, **self.notes)


class Holding(Position):
    """An enrolment at a SEND; `held` if the SEND was held until now."""

    held: Held | None = None

    def _hold_back(self, step: Send) -> bool | None:
        """Hold a SEND, or skip one that is over by then: whether the steps after it come next; None to send it."""
        since = self.at if self.held is None else self.held.since
        latest = add(since, step.expires_after, self.journey.zone) if step.expires_after else None
        if self.held is not None and latest is not None and latest < self.draft.now:
            return self._skip_send(step, "expired")
        allowance = self.draft.allowance
        if allowance is None:
            return None
        until = allowance.claim(step.channel, self.draft.now, latest, was_held=self.held is not None)
        if until is None:
            return None
        if latest is not None and until > latest:
            return self._skip_send(step, "expired")
        self._hold_until(step, since, until, allowance.describe(step.channel))
        return False

    def _hold_until(self, step: Send, since: datetime, until: datetime, note: str) -> None:
        self.draft.entries.append(StepEntered(*self._place(step), since, until, BY_RATE, note))
        notes = {"held_by": BY_RATE, "note": note}
        self.enrollment = self.now_at(step.id, entered_at=since, waiting_until=until, wait=notes)
        self.draft.keep(self.enrollment)

    def _skip_send(self, step: Send, reason: str) -> bool:
        since = self.at if self.held is None else self.held.since
        self.draft.entries.append(StepSkipped(*self._place(step), reason, since))
        self.step = step.next
        return True

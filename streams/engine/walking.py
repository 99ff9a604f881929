"""Move an enrolment from step to step until a WAIT that is not yet due, or its end (R15, R16, R18 to R26)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from models.customer import Ended
from models.duration import add
from models.ids import command_id
from streams.engine.compiled import Change, Condition, End, Send, Split, Trigger, Wait
from streams.engine.effects import Command, ProfileUpdate, SendCommand
from streams.engine.entries import Moved, ProfileUpdated, StepEntered, StepReplanned
from streams.engine.holding import Held, Holding
from streams.engine.leaving import complete, fail
from streams.engine.memory import begin, change, keep, note_sent, recall, spend, tell_event
from streams.engine.results import (
    NO_RESULT,
    ConditionResult,
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


class Walk(Holding):
    """One enrolment on its way through one journey version."""

    def run(self, limit: int = STEP_LIMIT) -> None:
        """Take up to `limit` steps until the enrolment waits or ends."""
        steps, visits, take, since = self.journey.steps, self.visits, self._take, self.journey.since
        last, id_ = self.enrollment.step, self.step
        for _ in range(limit):
            if id_ is None:
                break
            visits[id_] = visits.get(id_, 0) + 1
            if since and id_ in since:
                self.memory = begin(self.memory, self.journey, id_, self.at)
            step = steps[id_]
            if not take[type(step)](self, step):
                return
            last, id_ = id_, self.step
        if id_ is None:
            enrollment = self.enrollment if self.journey.goal is None else self.now_at(last)
            complete(self.draft, enrollment, self.journey, last, visits, self.skipped, self.at)
        else:
            fail(self.draft, self.now_at(id_), self.journey, "step limit", self.at)

    def fire(self, wait: Wait, due: datetime) -> None:
        """Go on after a wait that was due at `due` and fires at `at` (R20, R21)."""
        if self._pass_wait(wait, due):
            self.run()

    def wake(self, wait: Wait, ended: Ended) -> None:
        """Go on after a wait that ends before its time (R34, R36), or was ended in a pause (R38)."""
        limit = STEP_LIMIT - self.draft.count_steps(self.enrollment)
        if self._end(wait, ended):
            self.run(limit)

    def replan(self, wait: Wait) -> None:
        """Plan an open wait anew, for the moment that it holds until has moved (R43); in a pause it stays held."""
        before, limit = self.enrollment.waiting_until, STEP_LIMIT - self.draft.count_steps(self.enrollment)
        zone, profile, entered_at = self.journey.zone, self.draft.customer.profile, self.enrollment.entered_at
        planned = plan(wait, self.at, zone, profile, self._scope, entered_at=entered_at)
        is_paused = self.journey.id in self.draft.journeys.paused
        settles = planned.policy not in (None, "continue")
        if (planned.until == before and not settles) or before is None:
            return
        if settles and not is_paused:
            goes_on = self._follow_policy(wait, planned)
        else:
            if settles:
                planned = msgspec.structs.replace(planned, until=self.at)
            if is_paused or planned.until > self.at:
                self.draft.entries.append(StepReplanned(*self._place(wait), Moved(before, planned.until)))
            ended = Ended(self.at, before, policy=planned.policy or "", reason=planned.reason) if settles else None
            self.memory = change(self.memory, ended=ended)
            goes_on = self._hold(wait, planned, entered_at, is_paused=is_paused)
        if goes_on:
            self.run(limit)

    def _pass(self, step: Trigger | End) -> bool:
        self._done(step, NO_RESULT, step.next)
        return True

    def _branch(self, step: Condition) -> bool:
        holds, rules = step.conditions.explain(self._scope(), self.at)
        self._done(step, ConditionResult(holds, rules), step.yes if holds else step.no)
        self._skip_unreachable()
        return True

    def _draw(self, step: Split) -> bool:
        name, onward = draw(step, self.journey.id, self.draft.key.customer_id)
        self.variants = self.variants | {step.id: name}
        self._done(step, SplitResult(name), onward)
        self._skip_unreachable()
        return True

    def _send(self, step: Send) -> bool:
        draft, journey, enrollment = self.draft, self.journey, self.enrollment
        if is_unsubscribed(draft.customer.profile, step.channel):
            return self._skip_send(step, "unsubscribed")
        held = self.held
        if (draft.allowance is not None or held is not None) and (goes_on := self._hold_back(step)) is not None:
            return goes_on
        entered, step_id = self.at if held is None else held.since, step.id
        visit = self.visits[step_id]
        id_ = command_id(enrollment.id, step_id, visit)
        draft.effects.append(
            Command(
                SendCommand(
                    id_,
                    draft.key.tenant_id,
                    enrollment.club_id,
                    draft.key.customer_id,
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
                    add(entered, step.expires_after, journey.zone) if step.expires_after else None,
                ),
                enrollment.traceparent,
            )
        )
        if journey.goal is not None:
            self.memory = note_sent(self.memory, step_id, visit, self.at)
        result = SendResult(True, step.channel, id_) if held is None else held.describe(step.channel, id_)
        self._done(step, result, step.next, entered)
        return True

    def send_held(self, step: Send) -> None:
        """Send what was held, or hold it again (R67); the steps after it run now."""
        enrollment = self.enrollment
        self.held = Held(enrollment.entered_at or self.at, enrollment.waiting_until, enrollment.wait)
        self.enrollment = self.now_at(step.id)
        if self._send(step):
            self.held = None
            self.run()

    def _change(self, step: Change) -> bool:
        try:
            profile, changes, ignored = apply_updates(self.draft.customer.profile, step.updates)
        except UpdateRefusedError as refusal:
            self._fail(step, str(refusal))
            return False
        self.draft.customer.profile = profile
        draft, club_id = self.draft, self.enrollment.club_id
        if changes:
            draft.effects.append(
                ProfileUpdate(
                    draft.key.tenant_id, club_id, draft.key.customer_id, *self._place(step), changes, self.at
                )
            )
        self._done(step, UpdateResult(changes), step.next)
        draft.entries.append(ProfileUpdated(changes, ignored))
        return True

    def _wait(self, step: Wait) -> bool:
        fired, zone = self.fired == step.id, self.journey.zone
        planned = plan(step, self.at, zone, self.draft.customer.profile, self._scope, just_fired=fired)
        ended = self._find_end(step, planned.until) if step.listens else None
        if ended is None and planned.policy not in (None, "continue"):
            return self._follow_policy(step, planned)
        self.draft.entries.append(StepEntered(*self._place(step), self.at, planned.until))
        if ended is not None:
            return self._end(step, ended, before=True)
        return self._hold(step, planned, self.at)

    def _hold(self, step: Wait, planned: Plan, entered_at: datetime | None, *, is_paused: bool = False) -> bool:
        """Wait as planned; True if the wait is over by now and the steps after it come next."""
        notes = planned.notes | {"note": planned.reason} if planned.policy else planned.notes
        self.enrollment = self.now_at(step.id, entered_at=entered_at, waiting_until=planned.until, wait=notes)
        if is_paused or planned.until > self.draft.now:
            self.draft.keep(self.enrollment)
            return False
        if planned.until <= self.at:
            self._fired(step, planned.until)
            return True
        self.at = self.draft.now
        if self.journey.wakes:  # the wait is over, so the steps after it count anew (R25)
            self.draft.count_anew(self.enrollment)
        self.fire(step, planned.until)
        return False

    def _find_end(self, step: Wait, until: datetime) -> Ended | None:
        """Return how a WAIT ends that is over as soon as it is entered (R35, R36)."""
        heard = recall(self.memory, step)
        if heard is not None:
            place, event = heard
            return Ended(event.at, until, event, place)
        if step.rules is not None and step.rules.hold(self._scope(), self.at):
            return Ended(self.at, until, rules=step.rules.explain(self._scope(), self.at)[1])
        return None

    def _end(self, step: Wait, ended: Ended, *, before: bool = False) -> bool:
        """Leave a WAIT that ended otherwise than by time; `before`: by an event from before it was entered."""
        self.memory = change(self.memory, ended=None)
        if ended.policy:
            return self._follow_policy(step, Plan(ended.at, ended.policy, ended.reason))
        event, onward = ended.event, step.yes
        said = dict(self.enrollment.wait)
        if event is None:
            said |= {"ended": "rules", "evaluated_rules": ended.rules}
        else:
            listener = step.listeners[ended.listener]
            onward = listener.onward
            self.memory = spend(self.memory, event.event_id)
            if listener.keep:
                self.memory = keep(self.memory, step.id, event.kept)
            said |= tell_event(step, ended.listener, event, before=before)
        self._done(step, WaitResult(ended.until, self.at, **said), onward, self.enrollment.entered_at)
        self.enrollment = self.now_at(step.id)
        self._skip_unreachable()
        return True

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
        if step.listens:
            notes["ended"] = "time"
        result = WaitResult(due, self.at, **(self.enrollment.wait | notes))
        self._done(step, result, step.next, self.enrollment.entered_at)
        self.fired = step.id
        self.enrollment = self.now_at(step.id)
        if step.listens:
            self._skip_unreachable()

    def _follow_policy(self, step: Wait, planned: Plan) -> bool:
        """Do what ifPast or ifMissing says in place of waiting (R19)."""
        if planned.policy == "fail":
            self._fail(step, planned.reason)
            return False
        notes = planned.notes | {"policy": planned.policy, "note": planned.reason}
        if step.listens:
            notes["ended"] = "time"
        self._done(step, WaitResult(None, self.at, **notes), step.next, self.enrollment.entered_at)
        self.enrollment = self.now_at(step.id)
        if planned.policy == "exit":
            self._exit(step, planned.reason)
            return False
        self._skip_next()
        return True

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

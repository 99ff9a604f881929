"""Stories of customers on their way through journeys that listen, R31 to R43, and the commands that come of them.

All events of a story stand on one topic, so that they arrive in the order in which they were written, whatever
befalls worker and broker. Time-outs are a second, which is over by every later event, or 30 days. So what comes of
a story does not depend on timing, and follows from it by a few lines that know nothing of the engine.
"""

import random
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from models.ids import command_id, enrollment_id, journey_id
from models.messages import Event

TOPIC = "teetime.rescheduled"
JOURNEYS = """
- name: Round
  triggerType: round.booked
  enrollmentKey: trigger.round
  goal: {name: paid, events: [{eventType: round.paid}], within: 30 days, exit: false}
  exits:
    - {name: cancelled, eventType: round.cancelled}
    - {name: barred, rules: [{field: customer.barred, operator: isTrue}]}
  follow: [{eventType: round.moved, set: [at, course]}]
  steps:
    - {id: start, type: TRIGGER, config: {eventType: round.booked}}
    - {id: confirm, type: SEND, config: {channel: EMAIL, templateId: confirm}}
    - {id: before, type: WAIT, config: {until: {field: trigger.at}, ifPast: continue}}
    - {id: remind, type: SEND, config: {channel: PUSH, templateId: remind}}
    - id: played
      type: WAIT
      config: {events: [{eventType: round.played, keep: [score]}], duration: 30 days}
      nextStepYesId: thank
      nextStepNoId: end
    - {id: thank, type: SEND, config: {channel: EMAIL, templateId: thank}}
    - id: low
      type: CONDITION
      config: {rules: [{field: enrollment.heard.played.score, operator: lessThan, value: 70}]}
      nextStepYesId: prize
      nextStepNoId: end
    - {id: prize, type: SEND, config: {channel: EMAIL, templateId: prize}}
    - {id: end, type: END, config: {}}
- name: Opened
  triggerType: round.booked
  enrollmentKey: trigger.round
  steps:
    - {id: start, type: TRIGGER, config: {eventType: round.booked}}
    - {id: quiet, type: WAIT, config: {duration: 1 second}}
    - id: opened
      type: WAIT
      config: {events: [{eventType: round.opened}], since: enrollment, duration: 30 days}
      nextStepYesId: hi
      nextStepNoId: end
    - {id: hi, type: SEND, config: {channel: EMAIL, templateId: hi}}
    - {id: end, type: END, config: {}}
- name: Too late
  triggerType: round.booked
  enrollmentKey: trigger.round
  steps:
    - {id: start, type: TRIGGER, config: {eventType: round.booked}}
    - id: soon
      type: WAIT
      config: {events: [{eventType: round.opened}, {eventType: round.moved, key: any}], duration: 1 second}
      nextStepYesId: early
      nextStepNoId: late
    - {id: early, type: SEND, config: {channel: SMS, templateId: early}, nextStepId: end}
    - {id: late, type: SEND, config: {channel: SMS, templateId: late}}
    - {id: end, type: END, config: {}}
- name: Barred
  triggerType: round.booked
  enrollmentKey: trigger.round
  steps:
    - {id: start, type: TRIGGER, config: {eventType: round.booked}}
    - id: until
      type: WAIT
      config: {rules: [{field: customer.barred, operator: isTrue}], duration: 30 days}
      nextStepYesId: note
      nextStepNoId: end
    - {id: note, type: SEND, config: {channel: EMAIL, templateId: note}}
    - {id: end, type: END, config: {}}
- name: Pay
  triggerType: round.booked
  enrollmentKey: trigger.round
  goal: {name: paid, events: [{eventType: round.paid}], within: 30 days}
  steps:
    - {id: start, type: TRIGGER, config: {eventType: round.booked}}
    - {id: wait, type: WAIT, config: {duration: 30 days}}
    - {id: end, type: END, config: {}}
"""
PHASES = 8
_FAR, _FARTHER, _PAST = "2090-01-01T00:00:00Z", "2095-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
_APART = timedelta(seconds=3)
"""Between two events of a customer, so that time-outs of a second are over."""


class Scene(NamedTuple):
    """Where a story stands: which customer's, which round of theirs, and the part of it that comes next."""

    customer: int
    round: int
    phase: int

    @property
    def kind(self) -> str:
        return ("played", "cancelled", "barred", "open")[(self.customer + self.round) % 4]

    @property
    def key(self) -> str:
        return f"r-{self.round}"

    @property
    def score(self) -> int:
        return 60 + (self.customer + 7 * self.round) % 20


class Stories:
    """Tells so many customers' stories, an event at a time."""

    def __init__(self, customers: int) -> None:
        self._told = [0] * customers
        self._last = dict[int, datetime]()

    def next(self, chance: random.Random, at: datetime) -> tuple[Scene, datetime] | None:
        """Return what comes next of somebody's story, and when it occurred; None where it is too soon for more."""
        customer = chance.randrange(len(self._told))
        last = self._last.get(customer)
        if last is not None and at - last < _APART:
            return None
        scene = Scene(customer, *divmod(self._told[customer], PHASES))
        self._told[customer] += 1
        self._last[customer] = at
        is_old = scene.phase == 3 and last is not None
        return scene, last - timedelta(seconds=1) if is_old and last else at


def make_event(number: int, scene: Scene, tenant: str, at: datetime) -> Event:
    """Return the event of a scene."""
    kind, data = _tell(scene)
    return Event(f"e-{number}", tenant, f"c-{scene.customer}", at, kind, data={"round": scene.key, **data})


def _tell(scene: Scene) -> tuple[str, dict[str, Any]]:
    match scene.phase, scene.kind:
        case 0, _:
            return "round.booked", {"at": _FAR, "course": "old"}
        case 2, _:
            return "round.moved", {"at": _FARTHER, "course": "new", "players": 3}
        case 3, _:  # it occurred before the one that was followed
            return "round.moved", {"at": _PAST, "course": "wrong"}
        case 4, "played":
            return "round.moved", {"at": _PAST}
        case 4, "cancelled":
            return "round.cancelled", {}
        case (4 | 7) as phase, "barred":
            return "customer.updated", {"barred": phase == 4}
        case 5, _:
            return "round.played", {"score": scene.score}
        case ((6 | 7), _):
            return "round.paid", {}
        case _:
            return "round.opened", {}


def expect(scenes: Iterable[tuple[Scene, str]]) -> set[str]:
    """Return the ids of the commands that come of scenes, each with its tenant's name, in order."""
    found = set[str]()
    for scene, tenant in scenes:
        rounds = range(scene.round + 1) if (scene.phase, scene.kind) == (4, "barred") else [scene.round]
        for journey, step, of in _send(scene, rounds):
            enrolled = enrollment_id(journey_id(tenant, journey), f"c-{scene.customer}", f"r-{of}", 1)
            found.add(command_id(enrolled, step, 1))
    return found


def _send(scene: Scene, rounds: Iterable[int]) -> Iterator[tuple[str, str, int]]:
    """Yield journey, step and round of the commands of a scene."""
    match scene.phase, scene.kind:
        case 0, _:
            yield "Round", "confirm", scene.round
            yield "Too late", "late", scene.round
        case 1, _:
            yield "Opened", "hi", scene.round
        case 4, "played":
            yield "Round", "remind", scene.round
        case 4, "barred":
            yield from (("Barred", "note", of) for of in rounds)
        case 5, "played":
            yield "Round", "thank", scene.round
            if scene.score < 70:
                yield "Round", "prize", scene.round
        case _:
            pass

"""Run journeys on a virtual clock, with the worker's engine: no Kafka, no database (contract, section 7).

The clock jumps from one input or due wait to the next. What the worker sends through topics is handed over here
at once and in order, as if all customers lived on one partition.
"""

import heapq
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, cast

import msgspec

from models.customer import Customer
from models.ids import CustomerKey, customer_key
from models.journey import JourneyStatus
from models.messages import Event, Source
from models.rates import Rates, find_rates
from streams.engine.admission import Places, decide
from streams.engine.advance import advance
from streams.engine.allowance import Allowance, Buckets
from streams.engine.effects import (
    Activity,
    Command,
    Effect,
    Forward,
    Outcome,
    ProfileUpdate,
    SendCommand,
    plain,
)
from streams.engine.inputs import (
    Arrived,
    CountActive,
    CustomerInput,
    Due,
    Enroll,
    Exit,
    ReleasePlace,
    RequestPlace,
    Sweep,
)
from streams.engine.journeys import Journeys
from streams.engine.transitions import Move, move
from streams.errors import FairwayError
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.simulation.lines import Control, Line, Unusable

RESUMED_PER_SECOND = 1_000  # R29
_ENDLESS = 2_000_000  # waits fired after the last input


class Output(msgspec.Struct, frozen=True):
    """One record that would stand on a topic."""

    at: datetime
    topic: str
    key: str
    value: SendCommand | ProfileUpdate | Activity | dict[str, Any]

    @property
    def fields(self) -> dict[str, Any]:
        """The value as its JSON has it, but for datetimes, which stay such."""
        return plain(self.value)


class Simulation:
    """Journeys, customers and the waits between them, at one moment of the virtual clock."""

    def __init__(
        self, journeys: Journeys, customers: Iterable[Customer] = (), rates: Rates = MappingProxyType({})
    ) -> None:
        """Begin with what is known of customers; `rates` say how many commands may leave in a time (R67)."""
        self.journeys = journeys
        self._rates = rates
        self._buckets: dict[str, Buckets] = {}  # by tenant
        self.customers: dict[bytes, Customer] = {
            customer_key(customer.tenant_id, customer.customer_id): customer for customer in customers
        }
        self._places: dict[str, Places] = {
            id_: decide(None, CountActive(id_, 0, 0), self._limit(id_), 1)[0] for id_ in journeys.limited
        }
        self._waits: list[tuple[datetime, datetime, bytes, str]] = []
        self._held: dict[str, list[tuple[datetime, datetime, bytes, str]]] = defaultdict(list)
        self._resuming: tuple[datetime, int] | None = None

    def run(self, lines: Iterable[Line], until: datetime | None = None) -> Iterator[Output]:
        """Yield what would be written, in the order in which it happens; stop the clock at `until`."""
        for line in sorted(lines, key=lambda line: line.at):
            if until is not None and line.at > until:
                break
            yield from self._fire_until(line.at)
            yield from self._handle(line)
        yield from self._run_out(until)

    def _run_out(self, until: datetime | None) -> Iterator[Output]:
        fired = 0
        while self._waits and (until is None or self._waits[0][0] <= until):
            fired += 1
            if fired > _ENDLESS:
                raise FairwayError("The journeys go round for ever: say with --until when to stop.")
            yield from self._fire_next()

    def _fire_until(self, moment: datetime) -> Iterator[Output]:
        while self._waits and self._waits[0][0] <= moment:
            yield from self._fire_next()

    def _fire_next(self) -> Iterator[Output]:
        wait = moment, _, key, enrollment_id = heapq.heappop(self._waits)
        customer = self.customers.get(key)
        standing = customer.enrollments.get(enrollment_id) if customer else None
        if customer is None or standing is None or standing.waiting_until is None:
            return
        if standing.journey_id in self.journeys.paused:
            self._held[standing.journey_id].append(wait)
        elif standing.waiting_until <= moment:
            yield from self._advance(CustomerKey.read(key), Due(), moment)

    def _handle(self, line: Line) -> Iterator[Output]:
        match line.given:
            case Event() as event:
                given = Arrived(event, Source(event.event_type, 0, line.number))
                yield from self._advance(CustomerKey.of(event.tenant_id, event.customer_id), given, line.at)
            case Unusable() as unusable:
                yield Output(line.at, DEAD_LETTERS, "", _describe(unusable, line))
            case Control(control="enroll" | "exit") as control:
                yield from self._steer_customer(control, line)
            case Control() as control:
                yield from self._steer_journey(control, line.at)

    def _steer_customer(self, control: Control, line: Line) -> Iterator[Output]:
        source = Source(INBOX, 0, line.number)
        given: CustomerInput = Exit(line.at, control.journey_id, source)
        if control.control == "enroll":
            given = Enroll(control.journey_id, line.at, control.data, source)
        yield from self._advance(CustomerKey.of(control.tenant_id, control.customer_id), given, line.at)

    def _steer_journey(self, control: Control, at: datetime) -> Iterator[Output]:
        id_ = control.journey_id
        journey, before = self.journeys.newest(id_), self.journeys.status(id_)
        wanted = move(before, cast("Move", control.control)) if before else None
        if journey is None or wanted is None or wanted == before:
            return
        self.journeys = self.journeys.with_status(id_, wanted, journey.version)
        if wanted == JourneyStatus.ARCHIVED:
            for key, customer in list(self.customers.items()):
                if any(enrollment.journey_id == id_ for enrollment in customer.enrollments.values()):
                    yield from self._advance(CustomerKey.read(key), Sweep(id_), at)
        elif wanted == JourneyStatus.ACTIVE:
            self._release(id_, at)

    def _release(self, journey_id: str, at: datetime) -> None:
        """Let overdue waits of a resumed journey fire: oldest first, so many a second (R29)."""
        start, used = self._resuming or (at, 0)
        start, used = (at, 0) if start < at else (start, used)
        for due, _, key, enrollment_id in sorted(self._held.pop(journey_id, []), key=lambda wait: wait[1]):
            if used == RESUMED_PER_SECOND:
                start, used = start + timedelta(seconds=1), 0
            used += 1
            heapq.heappush(self._waits, (start, due, key, enrollment_id))
        self._resuming = (start, used)

    def _advance(self, key: CustomerKey, given: CustomerInput, now: datetime) -> Iterator[Output]:
        """Advance one customer, and whoever is reached from there."""
        ahead: deque[tuple[CustomerKey, Any]] = deque([(key, given)])
        while ahead:
            key, given = ahead.popleft()
            if isinstance(given, RequestPlace | ReleasePlace | CountActive):
                ahead.extend(self._count(given))
                continue
            before = self.customers.get(key.raw)
            outcome = self._decide(before, key, given, now)
            self._keep(key.raw, before, outcome.customer)
            for effect in outcome.effects:
                if isinstance(effect, Forward):
                    ahead.append((CustomerKey.read(effect.key), effect.message))
                else:
                    yield _output(key.raw, effect, now)

    def _decide(self, before: Customer | None, key: CustomerKey, given: CustomerInput, now: datetime) -> Outcome:
        rates = find_rates(self._rates, key.tenant_id) if self._rates else None
        if not rates:
            return advance(before, key, given, now, self.journeys)
        shares = {channel: rate.share(1) for channel, rate in rates.items()}
        allowance = Allowance(key.tenant_id, rates, shares, self._buckets.get(key.tenant_id, {}))
        outcome = advance(before, key, given, now, self.journeys, allowance=allowance)
        self._buckets[key.tenant_id] = allowance.buckets
        return outcome

    def _count(self, given: RequestPlace | ReleasePlace | CountActive) -> list[tuple[CustomerKey, Any]]:
        id_ = given.journey_id
        self._places[id_], answers = decide(self._places.get(id_), given, self._limit(id_), 1)
        return [(CustomerKey.read(answer.key), answer.message) for answer in answers]

    def _limit(self, journey_id: str) -> int | None:
        journey = self.journeys.newest(journey_id)
        return journey.max_enrollments if journey else None

    def _keep(self, key: bytes, before: Customer | None, after: Customer | None) -> None:
        if after is before:
            return
        if after is None:
            self.customers.pop(key, None)
            return
        self.customers[key] = after
        known = before.enrollments if before else {}
        for id_, enrollment in after.enrollments.items():
            due = enrollment.waiting_until
            if due is not None and known.get(id_) is not enrollment:
                heapq.heappush(self._waits, (due, due, key, id_))


def _output(key: bytes, effect: Effect, now: datetime) -> Output:
    match effect:
        case Command(value=value):
            return Output(now, COMMANDS, key.decode(), value)
        case ProfileUpdate():
            return Output(now, PROFILE_UPDATES, key.decode(), effect)
        case Activity():
            return Output(now, ACTIVITY, key.decode(), effect)
        case Forward():
            raise AssertionError("what is sent on stays inside")


def _describe(unusable: Unusable, line: Line) -> dict[str, Any]:
    code, reason = unusable.rejection.code, unusable.rejection.reason
    headers = {
        "dlq.code": code,
        "dlq.reason": reason,
        "dlq.topic": unusable.topic,
        "dlq.partition": "0",
        "dlq.offset": str(line.number),
    }
    return {"code": code, "reason": reason, "raw": unusable.raw, "headers": headers}

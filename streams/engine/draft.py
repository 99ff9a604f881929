"""A customer in the making: what one call of `advance` changes, before it becomes a new row and its effects."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from models.customer import Candidate, Customer, Enrollment, Watch
from models.customer import EntryHistory as EntryHistory
from models.ids import CustomerKey, activity_id
from streams.engine.allowance import Allowance
from streams.engine.effects import Activity, Cause, Effect, Forward, Outcome
from streams.engine.entries import EnrollmentRefused, Entry
from streams.engine.inputs import CustomerInput, PlacesInput
from streams.engine.journeys import Journeys

LATEST = timedelta(days=1)  # after its end, a watch goes with the next change of the row (R41)


class CustomerDraft:
    """One customer being changed: `customer` is a copy whose fields are replaced, and `row` what it was made of."""

    counted: Mapping[str, int] = MappingProxyType({})
    """Steps that an enrolment had taken when it began to count anew."""
    allowance: Allowance | None = None
    """What the tenant may send (R67); all, if there is none."""

    def __init__(
        self,
        before: Customer | None,
        key: CustomerKey,
        now: datetime,
        journeys: Journeys,
        *,
        tell_refusals: bool = True,
    ) -> None:
        row = before or Customer(key.tenant_id, key.customer_id)
        self.before = before
        self.row = row
        self.customer = msgspec.structs.replace(row)
        self.key = key
        self.now = now
        self.journeys = journeys
        self.tells_refusals = tell_refusals
        self.settled = row.profile  # as it was when rules were asked of it last
        self.erased = False
        self.entries: list[Entry] = []  # of the activity record of the input at hand
        self.effects: list[Effect] = []  # in order

    def forward(self, key: bytes, message: CustomerInput | PlacesInput) -> None:
        """Send an input on to another key."""
        self.effects.append(Forward(key, message))

    def refuse(self, entry: EnrollmentRefused) -> None:
        """Add an entry that says why a journey was not entered, if such are wanted."""
        if self.tells_refusals:
            self.entries.append(entry)

    def record(self, cause: Cause, at: datetime, club_id: str | None) -> None:
        """Close the activity record of an input; one that did nothing leaves none."""
        if not self.entries:
            return
        tenant_id, customer_id = self.key.tenant_id, self.key.customer_id
        number = self.customer.records = self.customer.records + 1
        id_ = activity_id(tenant_id, customer_id, number, msgspec.to_builtins(at))
        self.effects.append(Activity(id_, at, tenant_id, club_id, customer_id, cause, self.entries))
        self.entries = []

    def enter(self, journey_id: str, key: str, entry: int, at: datetime) -> None:
        """Write an entry into the history (R3)."""
        of_journey = {**self.customer.history.get(journey_id, {}), key: EntryHistory(entry, at)}
        self.customer.history = {**self.customer.history, journey_id: of_journey}

    def is_in(self, journey_id: str, key: str) -> bool:
        """Say whether the customer is in this journey with this key."""
        return _holds(self.customer.enrollments, journey_id, key)

    def is_candidate(self, journey_id: str, key: str) -> bool:
        """Say whether the customer waits to be admitted to this journey with this key."""
        return bool(self.customer.candidates) and _holds(self.customer.candidates, journey_id, key)

    def count_steps(self, enrollment: Enrollment) -> int:
        """Return how many steps an enrolment has taken within this input, or since a wait that was late (R33)."""
        before = self.counted.get(enrollment.id)
        if before is None:
            known = self.row.enrollments.get(enrollment.id)
            before = sum(known.visits.values()) if known is not None else 0
        return sum(enrollment.visits.values()) - before

    def count_anew(self, enrollment: Enrollment) -> None:
        """Count the steps of an enrolment from here on."""
        self.counted = {**self.counted, enrollment.id: sum(enrollment.visits.values())}

    def keep(self, enrollment: Enrollment) -> None:
        """Put an enrolment, new or moved on, into the row."""
        self._own_enrollments()[enrollment.id] = enrollment

    def drop(self, enrollment: Enrollment) -> None:
        """Take an enrolment that has ended out of the row."""
        if enrollment.id in self.customer.enrollments:
            del self._own_enrollments()[enrollment.id]

    def _own_enrollments(self) -> dict[str, Enrollment]:
        """Return the enrolments to write into: a copy, taken once an input, for a customer may have many."""
        if self.customer.enrollments is self.row.enrollments:
            self.customer.enrollments = dict(self.customer.enrollments)
        return self.customer.enrollments

    def keep_candidate(self, candidate: Candidate) -> None:
        """Put an entry that waits for admission into the row."""
        self.customer.candidates = self.customer.candidates | {candidate.id: candidate}

    def take_candidate(self, enrollment_id: str) -> Candidate | None:
        """Take an entry that waits for admission out of the row."""
        candidate = self.customer.candidates.get(enrollment_id)
        if candidate is not None:
            self.customer.candidates = {
                id_: kept for id_, kept in self.customer.candidates.items() if id_ != enrollment_id
            }
        return candidate

    def outcome(self) -> Outcome:
        """Return the new row and the effects; the very row that came in, if nothing changed."""
        after = self.customer
        if self.erased:
            return Outcome(None, tuple(self.effects))
        if after.records == self.row.records and self._is_as_before():
            return Outcome(self.before, tuple(self.effects))
        if after.watched:
            after.watched = self._keep_watching()
        return Outcome(after, tuple(self.effects))

    def _keep_watching(self) -> tuple[Watch, ...]:
        """Return the watches that a late event may still come for."""
        return tuple(watch for watch in self.customer.watched if watch.until + LATEST >= self.now)

    def _is_as_before(self) -> bool:
        """Say whether nothing but perhaps the records changed: what changes is another object then."""
        row, after = self.row, self.customer
        return (
            after.profile is row.profile
            and after.history is row.history
            and after.recent is row.recent
            and after.merging is row.merging
            and after.deferred is row.deferred
            and after.merged_into is row.merged_into
            and after.enrollments is row.enrollments
            and after.candidates is row.candidates
            and after.watched is row.watched
        )


def _holds(places: Mapping[str, Enrollment | Candidate], journey_id: str, key: str) -> bool:
    return any(place.journey_id == journey_id and place.key == key for place in places.values())

"""A customer in the making: what one call of `advance` changes, before it becomes a new row and its effects."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from models.customer import Candidate, Customer, Enrollment, Watch
from models.customer import EntryHistory as EntryHistory
from models.ids import activity_id
from streams.engine.effects import Activity, Cause, Effect, Forward, Outcome
from streams.engine.entries import EnrollmentRefused, Entry
from streams.engine.inputs import CustomerInput, PlacesInput
from streams.engine.journeys import Journeys

LATEST = timedelta(days=1)  # after its end, a watch goes with the next change of the row (R41)


class CustomerDraft:
    """A mutable copy of one customer; the copy is taken of what changes only, and `before` is never touched."""

    counted: Mapping[str, int] = MappingProxyType(
        {}
    )  # steps that an enrolment had taken when it began to count anew

    def __init__(
        self,
        before: Customer | None,
        tenant_id: str,
        customer_id: str,
        now: datetime,
        journeys: Journeys,
        *,
        tell_refusals: bool = True,
    ) -> None:
        row = before or Customer(tenant_id, customer_id)
        self.before = before
        self.row = row
        self.tenant_id = tenant_id
        self.customer_id = customer_id
        self.now = now
        self.journeys = journeys
        self.tells_refusals = tell_refusals
        self.profile = row.profile
        self.enrollments = row.enrollments
        self.candidates = row.candidates
        self.history = row.history
        self.recent = row.recent
        self.records = row.records
        self.merging = row.merging
        self.deferred = row.deferred
        self.merged_into = row.merged_into
        self.watched = row.watched
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
        self.records += 1
        self.effects.append(
            Activity(
                activity_id(self.tenant_id, self.customer_id, self.records, msgspec.to_builtins(at)),
                at,
                self.tenant_id,
                club_id,
                self.customer_id,
                cause,
                self.entries,
            )
        )
        self.entries = []

    def enter(self, journey_id: str, key: str, entry: int, at: datetime) -> None:
        """Write an entry into the history (R3)."""
        of_journey = {**self.history.get(journey_id, {}), key: EntryHistory(entry, at)}
        self.history = {**self.history, journey_id: of_journey}

    def is_in(self, journey_id: str, key: str) -> bool:
        """Say whether the customer is in this journey with this key."""
        return _holds(self.enrollments, journey_id, key)

    def is_candidate(self, journey_id: str, key: str) -> bool:
        """Say whether the customer waits to be admitted to this journey with this key."""
        return bool(self.candidates) and _holds(self.candidates, journey_id, key)

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
        if enrollment.id in self.enrollments:
            del self._own_enrollments()[enrollment.id]

    def _own_enrollments(self) -> dict[str, Enrollment]:
        """Return the enrolments to write into: a copy, taken once an input, for a customer may have many."""
        if self.enrollments is self.row.enrollments:
            self.enrollments = dict(self.enrollments)
        return self.enrollments

    def keep_candidate(self, candidate: Candidate) -> None:
        """Put an entry that waits for admission into the row."""
        self.candidates = self.candidates | {candidate.id: candidate}

    def take_candidate(self, enrollment_id: str) -> Candidate | None:
        """Take an entry that waits for admission out of the row."""
        candidate = self.candidates.get(enrollment_id)
        if candidate is not None:
            self.candidates = {id_: kept for id_, kept in self.candidates.items() if id_ != enrollment_id}
        return candidate

    def outcome(self) -> Outcome:
        """Return the new row and the effects; the very row that came in, if nothing changed."""
        if self.erased:
            return Outcome(None, tuple(self.effects))
        if self.records == self.row.records and self._is_as_before():
            return Outcome(self.before, tuple(self.effects))
        return Outcome(
            Customer(
                tenant_id=self.tenant_id,
                customer_id=self.customer_id,
                profile=self.profile,
                enrollments=self.enrollments,
                candidates=self.candidates,
                history=self.history,
                recent=self.recent,
                records=self.records,
                merging=self.merging,
                deferred=self.deferred,
                merged_into=self.merged_into,
                watched=self.watched and self._keep_watching(),
            ),
            tuple(self.effects),
        )

    def _keep_watching(self) -> tuple[Watch, ...]:
        """Return the watches that a late event may still come for."""
        return tuple(watch for watch in self.watched if watch.until + LATEST >= self.now)

    def _is_as_before(self) -> bool:
        """Say whether nothing but perhaps the records changed: what changes is another object then."""
        row = self.row
        return (
            self.profile is row.profile
            and self.history is row.history
            and self.recent is row.recent
            and self.merging is row.merging
            and self.deferred is row.deferred
            and self.merged_into is row.merged_into
            and self.enrollments is row.enrollments
            and self.candidates is row.candidates
            and self.watched is row.watched
        )


def _holds(places: Mapping[str, Enrollment | Candidate], journey_id: str, key: str) -> bool:
    return any(place.journey_id == journey_id and place.key == key for place in places.values())

"""What activity records do to the rows of history: a pure fold of one batch, and the counts that follow from it.

Counts are differences between a row before the batch and after it, so that they always equal what a count of the
rows would give, for as long as the rows are kept.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from streams.engine.paths import PathError, put, put_attribute

Status = Literal["ACTIVE", "COMPLETED", "EXITED", "FAILED"]
StepStatus = Literal["IN_PROGRESS", "COMPLETED", "SKIPPED", "FAILED"]
Person = tuple[str, str]
_NOTHING = msgspec.Raw(b"null")
_COUNTED: dict[StepStatus, str] = {
    "IN_PROGRESS": "inside", "COMPLETED": "completed", "SKIPPED": "skipped", "FAILED": "failed",
}  # fmt: skip
_ENDS: dict[str, Status] = {
    "enrollment.completed": "COMPLETED", "enrollment.exited": "EXITED", "enrollment.failed": "FAILED",
}  # fmt: skip


class Change(msgspec.Struct, gc=False):
    """One changed field of a profile."""

    field: str
    after: Any = None


class Entry(msgspec.Struct, rename="camel", gc=False):
    """The fields of an activity entry that the rows are made of; times and JSON stay as they are written."""

    type: str
    journey_id: str = ""
    journey_version: int = 0
    enrollment_id: str = ""
    enrollment_key: str = ""
    entry_number: int = 1
    enrolled_at: str | None = None
    trigger_data: msgspec.Raw = _NOTHING
    step_id: str = ""
    step_number: int = 0
    visit: int = 0
    at: str | None = None
    entered_at: str | None = None
    completed_at: str | None = None
    waiting_until: str | None = None
    result: msgspec.Raw = _NOTHING
    reason: str = ""
    exit_reason: str | None = None
    detail: str | None = None
    error: str | None = None
    changes: list[Change] = []
    deleted: bool = False


class Record(msgspec.Struct, rename="camel", gc=False):
    """An activity record; `cause` and `entries` are kept as they are written, `read` is the entries read."""

    activity_id: str
    at: str
    tenant_id: str
    customer_id: str
    cause: msgspec.Raw
    entries: msgspec.Raw
    club_id: str | None = None
    offset: int = 0
    read: list[Entry] = []


class Enrollment(msgspec.Struct, gc=False):
    """A row of journey_enrollments. `is_new` says that this batch began it, or that its beginning is not known."""

    id: str
    status: Status = "ACTIVE"
    current_step_id: str | None = None
    current_step_number: int = 0
    waiting_until: str | None = None
    completed_at: str | None = None
    exited_at: str | None = None
    exit_reason: str | None = None
    detail: str | None = None
    tenant_id: str = ""
    club_id: str | None = None
    journey_id: str = ""
    version: int = 0
    customer_id: str = ""
    enrollment_key: str = ""
    entry_number: int = 1
    enrolled_at: str | None = None
    trigger_data: msgspec.Raw = _NOTHING
    is_new: bool = True


class Step(msgspec.Struct, gc=False):
    """A row of journey_enrollment_steps; `before` is how it stood before the batch."""

    enrollment_id: str
    step_id: str
    step_number: int = 0
    status: StepStatus | None = None
    visits: int = 0
    entered_at: str | None = None
    completed_at: str | None = None
    result: msgspec.Raw = _NOTHING
    journey_id: str = ""
    version: int = 0
    before: StepStatus | None = None
    visits_before: int = 0


class _Sent(msgspec.Struct):
    channel: str | None = None


class _Answer(msgspec.Struct):
    result: bool


class _Drawn(msgspec.Struct):
    variant: str | None = None


class HistoryBatch:
    """The rows that a batch touches, as they stand after the records folded in so far."""

    def __init__(
        self,
        enrollments: Iterable[Enrollment] = (),
        steps: Iterable[Step] = (),
        profiles: dict[Person, dict[str, Any]] | None = None,
    ) -> None:
        self.enrollments = {enrollment.id: enrollment for enrollment in enrollments}
        self.steps = {(step.enrollment_id, step.step_id): step for step in steps}
        self.profiles = dict(profiles or {})
        self.activity: list[tuple[Record, bool]] = []
        self.customers: dict[Person, str] = {}
        self.profiled: dict[Person, str] = {}
        self.erased: set[Person] = set()
        self.totals: Counter[tuple[str, str]] = Counter()
        self.refusals: Counter[tuple[str, str]] = Counter()
        self.hours: Counter[tuple[str, str, str]] = Counter()
        self._steps_counted: Counter[tuple[str, int, str, str, str]] = Counter()

    def add(self, record: Record) -> None:
        """Fold one record in."""
        person = record.tenant_id, record.customer_id
        self.customers.setdefault(person, record.at)
        refused = False
        previous = ""
        for entry in record.read:
            kind = entry.type
            if kind.startswith("step."):
                self._take_step(record, entry)
            elif kind == "enrollment.started":
                self._start(record, entry)
            elif kind == "enrollment.refused":
                refused = True
                if entry.journey_id:
                    self.refusals[entry.journey_id, entry.reason] += 1
            elif kind in _ENDS:
                self._end(record, entry, _ENDS[kind])
            elif entry.deleted:
                self._erase(person)
                return
            elif kind == "profile.updated":
                # An UPDATE step writes paths; an event writes attributes by their whole names.
                self.profiled[person] = record.at
                self._change_profile(person, entry.changes, by_path=previous == "step.completed")
            previous = kind
        self.activity.append((record, refused))

    def _start(self, record: Record, entry: Entry) -> None:
        self.enrollments[entry.enrollment_id] = Enrollment(
            id=entry.enrollment_id,
            tenant_id=record.tenant_id,
            club_id=record.club_id,
            journey_id=entry.journey_id,
            version=entry.journey_version,
            customer_id=record.customer_id,
            enrollment_key=entry.enrollment_key,
            entry_number=entry.entry_number,
            enrolled_at=entry.enrolled_at or record.at,
            trigger_data=entry.trigger_data,
        )
        self._total(record, entry, "enrolled")

    def _total(self, record: Record, entry: Entry, what: str) -> None:
        self.totals[entry.journey_id, what] += 1
        self.hours[entry.journey_id, f"{record.at[:13]}:00Z", what] += 1

    def _find(self, record: Record, entry: Entry) -> Enrollment:
        """Return the enrolment; one whose beginning is not known gets a row that says what is."""
        found = self.enrollments.get(entry.enrollment_id)
        if found is None:
            id_ = entry.enrollment_id
            found = self.enrollments[id_] = Enrollment(
                id=id_, tenant_id=record.tenant_id, club_id=record.club_id, journey_id=entry.journey_id,
                version=entry.journey_version, customer_id=record.customer_id, enrollment_key=id_,
                entry_number=0, enrolled_at=record.at,
            )  # fmt: skip
        return found

    def _end(self, record: Record, entry: Entry, status: Status) -> None:
        enrollment, at = self._find(record, entry), entry.at or record.at
        if enrollment.status == "ACTIVE":
            self._total(record, entry, status.lower())
        enrollment.status = status
        enrollment.waiting_until = None
        enrollment.completed_at = at if status == "COMPLETED" else None
        enrollment.exited_at = None if status == "COMPLETED" else at
        enrollment.exit_reason = entry.exit_reason
        enrollment.detail = entry.detail or entry.error

    def _take_step(self, record: Record, entry: Entry) -> None:
        enrollment = self._find(record, entry)
        key = entry.enrollment_id, entry.step_id
        step = self.steps.get(key)
        if step is None:
            step = self.steps[key] = Step(*key)
        step.journey_id, step.version = entry.journey_id, entry.journey_version
        step.step_number, step.visits = entry.step_number, entry.visit
        step.entered_at = entry.entered_at or step.entered_at
        step.completed_at = None
        match entry.type:
            case "step.entered":
                step.status = "IN_PROGRESS"
                step.result = _json({"waitingUntil": entry.waiting_until})
            case "step.completed":
                step.status, step.result = "COMPLETED", entry.result
                step.completed_at = entry.completed_at or entry.at or record.at
                channel = _read_channel(entry.result)
                if channel:
                    self.hours[entry.journey_id, f"{record.at[:13]}:00Z", f"sent:{channel}"] += 1
                if (answer := _read_answer(entry.result)) is not None:  # each visit takes a way of its own
                    way = entry.journey_id, entry.journey_version, entry.step_id, "yes" if answer else "no"
                    self._steps_counted[*way, "entered"] += 1
                    self._steps_counted[*way, "completed"] += 1
            case "step.skipped":
                step.status, step.result = "SKIPPED", _json({"reason": entry.reason})
            case _:
                step.status, step.result = "FAILED", _json({"error": entry.error})
        if entry.visit and enrollment.status == "ACTIVE":
            enrollment.current_step_id, enrollment.current_step_number = entry.step_id, entry.step_number
            enrollment.waiting_until = entry.waiting_until if entry.type == "step.entered" else None

    def _change_profile(self, person: Person, changes: list[Change], *, by_path: bool) -> None:
        profile = self.profiles.get(person, {})
        for change in changes:
            field, value = change.field, change.after
            try:
                profile = put(profile, field, value) if by_path else put_attribute(profile, field, value)
            except PathError:  # earlier changes were not kept by the topic: what is known is this one
                profile = profile | {field: value}
        self.profiles[person] = profile

    def _erase(self, person: Person) -> None:
        """Forget the customer, earlier records of this batch included; what was counted stays counted."""
        gone = {id_ for id_, kept in self.enrollments.items() if (kept.tenant_id, kept.customer_id) == person}
        for key in [key for key in self.steps if key[0] in gone]:
            self._count(self.steps.pop(key))
        for id_ in gone:
            del self.enrollments[id_]
        self.activity = [kept for kept in self.activity if (kept[0].tenant_id, kept[0].customer_id) != person]
        self.customers.pop(person, None)
        self.profiled.pop(person, None)
        self.profiles[person] = {}
        self.erased.add(person)

    def step_counts(self) -> dict[tuple[str, int, str, str], dict[str, int]]:
        """Return by (journey, version, step, way out) by how much each count changes."""
        counted = Counter(self._steps_counted)
        for step in self.steps.values():
            self._count(step, counted)
        changes: dict[tuple[str, int, str, str], dict[str, int]] = {}
        for (*place, name), amount in counted.items():
            if amount:
                changes.setdefault(tuple(place), {})[name] = amount  # type: ignore[arg-type]
        return changes

    def _count(self, step: Step, counted: Counter[tuple[str, int, str, str, str]] | None = None) -> None:
        counted = self._steps_counted if counted is None else counted
        place = step.journey_id, step.version, step.step_id
        if step.visits and not step.visits_before:
            counted[*place, "", "entered"] += 1
            variant = _read_variant(step)
            if variant:
                counted[*place, variant, "entered"] += 1
                counted[*place, variant, "completed"] += 1
        if step.before != step.status:
            if step.before:
                counted[*place, "", _COUNTED[step.before]] -= 1
            if step.status:
                counted[*place, "", _COUNTED[step.status]] += 1


def _read_answer(result: msgspec.Raw) -> bool | None:
    is_answer = b'"evaluatedRules"' in bytes(result)
    return msgspec.json.decode(result, type=_Answer).result if is_answer else None


def _read_variant(step: Step) -> str | None:
    is_split = step.status == "COMPLETED" and b'"variant"' in bytes(step.result)
    return msgspec.json.decode(step.result, type=_Drawn).variant if is_split else None


def _read_channel(result: msgspec.Raw) -> str | None:
    return msgspec.json.decode(result, type=_Sent).channel if b'"sent":true' in bytes(result) else None


def _json(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


_decode_record = msgspec.json.Decoder(Record).decode
_decode_entries = msgspec.json.Decoder(list[Entry]).decode


def read_record(value: bytes, offset: int) -> Record:
    """Return the activity record of a message; raises msgspec.MsgspecError for one that is none."""
    if b"\\u0000" in value:  # Postgres has no place for it
        value = value.replace(b"\\u0000", b"\\ufffd")
    record = _decode_record(value)
    record.offset = offset
    record.read = _decode_entries(record.entries)
    return record


def mentioned(records: Iterable[Record]) -> tuple[set[str], set[tuple[str, str]], set[Person]]:
    """Return what must be read before records are folded: enrolments, steps, and profiles that change."""
    started, enrollments, steps, people = set[str](), set[str](), set[tuple[str, str]](), set[Person]()
    for record in records:
        for entry in record.read:
            if entry.type == "enrollment.started":
                started.add(entry.enrollment_id)
            elif entry.type == "profile.updated":
                people.add((record.tenant_id, record.customer_id))
            elif entry.enrollment_id and entry.enrollment_id not in started:
                enrollments.add(entry.enrollment_id)
                if entry.type.startswith("step."):
                    steps.add((entry.enrollment_id, entry.step_id))
    return enrollments, steps, people

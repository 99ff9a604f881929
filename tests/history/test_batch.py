"""What activity does to rows and counts: each kind of entry, in a table; any split into batches, as a property."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.engine.entries import EnrollmentFailed, EnrollmentRefused, Entry, ProfileUpdated
from streams.engine.results import Change, ConditionResult, SendResult, SplitResult, UpdateResult, WaitResult
from streams.history.batch import HistoryBatch
from streams.history.records import Record, read_record
from streams.history.rows import Enrollment, Step, StepCount
from tests.history.build import (
    JOURNEY,
    NOON,
    OF,
    RUN,
    completed,
    done,
    entered,
    exited,
    failed,
    fold,
    followed,
    held,
    hours,
    reached,
    record,
    replanned,
    skipped,
    started,
)
from tests.history.story import story

FIRED = WaitResult(NOON, hours(24))
PERSON = ("t", "c-1")


def raw(value: Any) -> bytes:
    return msgspec.json.encode(value)


def counted(batch: HistoryBatch, step: str, variant: str = "") -> dict[str, int]:
    """The counts of a step or way that are not 0."""
    (count,) = [count for count in batch.counts.steps if (count.step_id, count.variant) == (step, variant)]
    names = StepCount.__struct_fields__[4:]
    return {name: getattr(count, name) for name in names if getattr(count, name)}


# --- enrolments -------------------------------------------------------------------------------------------------


def test_a_start_makes_a_row_with_all_that_is_known() -> None:
    batch = fold(record(started(a=1)))
    assert batch.enrollments == {
        RUN: Enrollment(
            RUN, tenant_id="t", journey_id=JOURNEY, version=1, customer_id="c-1", enrolled_at=NOON,
            trigger_data={"a": 1},
        )
    }  # fmt: skip
    assert batch.counts.totals == {(JOURNEY, "enrolled"): 1}
    assert batch.counts.hours == {(JOURNEY, NOON, "enrolled"): 1}


@pytest.mark.parametrize(
    ("entry", "status", "reason", "detail"),
    [
        (completed(hours(1)), "COMPLETED", "completed", None),
        (exited(hours(1)), "EXITED", "manual", None),
        (EnrollmentFailed(*OF, "update", hours(1), "It broke."), "FAILED", "error", "It broke."),
    ],
)
def test_an_end_says_when_and_why_and_waits_for_nothing(
    entry: Entry, status: str, reason: str, detail: str | None
) -> None:
    batch = fold(record(started(), entered()), record(entry))
    row = batch.enrollments[RUN]
    assert (row.status, row.exit_reason, row.detail, row.waiting_until) == (status, reason, detail, None)
    assert (row.completed_at, row.exited_at) == ((hours(1), None) if status == "COMPLETED" else (None, hours(1)))
    assert batch.counts.totals == {(JOURNEY, "enrolled"): 1, (JOURNEY, status.lower()): 1}


def test_an_end_that_is_told_twice_is_counted_once() -> None:
    assert fold(record(started(), exited(), completed())).counts.totals[JOURNEY, "completed"] == 0


def test_an_enrolment_whose_beginning_is_not_known_has_a_row_that_says_what_is() -> None:
    batch = fold(record(entered(), at=hours(3)))
    row = batch.enrollments[RUN]
    assert (row.is_new, row.enrollment_key, row.entry_number, row.enrolled_at) == (True, RUN, 0, hours(3))
    assert (row.current_step_id, row.waiting_until) == ("wait", hours(24))
    assert batch.counts.totals == {}


def test_an_enrolment_that_stood_in_the_table_is_moved_and_not_begun() -> None:
    batch = HistoryBatch([Enrollment(RUN, False, enrolled_at="2026-11-01 00:00:00+00", current_step_id="wait")])
    batch.add(record(done("wait", 1, FIRED, number=2)))
    row = batch.enrollments[RUN]
    assert (row.is_new, row.enrolled_at, row.current_step_number) == (False, "2026-11-01 00:00:00+00", 2)


# --- steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entries", "status", "result", "counts"),
    [
        ([entered()], "IN_PROGRESS", {"waitingUntil": hours(24)}, {"entered": 1, "enrollments": 1, "inside": 1}),
        ([entered(), done("wait", 1, FIRED)], "COMPLETED", FIRED, {"entered": 1, "enrollments": 1, "completed": 1}),
        ([entered(), skipped("wait", 1, "ended")], "SKIPPED", {"reason": "ended"},
         {"entered": 1, "enrollments": 1}),
        ([skipped("wait")], "SKIPPED", {"reason": "branch"}, {}),
        ([skipped("wait", 1, "unsubscribed")], "SKIPPED", {"reason": "unsubscribed"},
         {"entered": 1, "enrollments": 1, "skipped": 1}),
        ([failed("wait")], "FAILED", {"error": "It broke."}, {"entered": 1, "enrollments": 1, "failed": 1}),
    ],
)  # fmt: skip
def test_each_kind_of_step_entry_makes_its_row_and_counts(
    entries: list[Entry], status: str, result: Any, counts: dict[str, int]
) -> None:
    batch = fold(record(started(), *entries))
    step = batch.steps[RUN, "wait"]
    assert (step.status, raw(step.result)) == (status, raw(result))
    assert counted(batch, "wait") == counts


def test_the_current_step_is_the_last_that_was_entered_while_the_enrolment_is_active() -> None:
    row = fold(record(started(), done("mail"), entered(), skipped("other"))).enrollments[RUN]
    assert (row.current_step_id, row.waiting_until) == ("wait", hours(24))
    over = fold(record(started(), entered(), exited(), skipped("wait", 1, "ended"))).enrollments[RUN]
    assert (over.current_step_id, over.waiting_until) == ("wait", None)


def test_a_loop_counts_every_passage_and_each_enrolment_once() -> None:
    laps = [[entered(visit=lap), done("wait", lap, FIRED), done("mail", lap)] for lap in range(1, 13)]
    batch = fold(record(started()), *(record(*lap) for lap in laps), record(entered(visit=13)))
    assert counted(batch, "mail") == {"entered": 12, "enrollments": 1, "completed": 12}
    assert counted(batch, "wait") == {"entered": 13, "enrollments": 1, "completed": 12, "inside": 1}
    assert batch.steps[RUN, "wait"].visits == 13


def test_a_step_that_is_held_again_is_entered_once() -> None:
    batch = fold(record(started(), entered(), entered(until=hours(48))))
    assert counted(batch, "wait") == {"entered": 1, "enrollments": 1, "inside": 1}
    assert batch.enrollments[RUN].waiting_until == hours(48)


@pytest.mark.parametrize(
    ("results", "ways"),
    [
        ([SplitResult("A"), SplitResult("A")], {"A": {"entered": 2, "enrollments": 1, "completed": 2}}),
        ([ConditionResult(True, []), ConditionResult(False, [])],
         {"yes": {"entered": 1, "completed": 1}, "no": {"entered": 1, "completed": 1}}),
        ([ConditionResult(False, [{"field": "x", "seen": '"variant":"yes"', "value": {"sent": True}}])],
         {"no": {"entered": 1, "completed": 1}}),
    ],
)  # fmt: skip
def test_each_passage_takes_a_way_of_its_own(results: list[Any], ways: dict[str, dict[str, int]]) -> None:
    visits = [done("fork", visit, result) for visit, result in enumerate(results, 1)]
    batch = fold(record(started(), *visits))
    assert {way: counted(batch, "fork", way) for way in ways} == ways
    assert {count.variant for count in batch.counts.steps} == {"", *ways}


@pytest.mark.parametrize(
    "result",
    [
        UpdateResult([Change("evaluatedRules", None, {"result": True, "evaluatedRules": [], "sent": True})]),
        WaitResult(NOON, NOON, note='"evaluatedRules" "sent":true'),
    ],
)
def test_what_a_customer_s_data_says_is_no_way_and_no_send(result: Any) -> None:
    batch = fold(record(started(evaluatedRules=[], variant="A"), done("step", 1, result)))
    assert {count.variant for count in batch.counts.steps} == {""}
    assert [what for _, _, what in batch.counts.hours] == ["enrolled"]


def test_sends_are_counted_by_channel_and_hour() -> None:
    sends = [done("mail", visit, SendResult(True, "EMAIL", f"m-{visit}")) for visit in (1, 2)]
    batch = fold(record(started(), *sends, at=hours(0.5)))
    assert batch.counts.hours[JOURNEY, NOON, "sent:EMAIL"] == 2


def test_R67_a_SEND_that_is_held_waits_and_says_why_and_held_again_is_no_other_visit() -> None:
    batch = fold(record(started(), held()), record(held(until=hours(2))))
    assert batch.enrollments[RUN].waiting_until == hours(2)
    step = batch.steps[RUN, "mail"]
    assert (step.status, step.visits, step.result) == (
        "IN_PROGRESS", 1, {"waitingUntil": hours(2), "heldBy": "rate", "note": held().note},
    )  # fmt: skip
    assert counted(batch, "mail") == {"entered": 1, "enrollments": 1, "inside": 1}
    batch.add(record(done("mail", 1, SendResult(True, "EMAIL", "m-1", hours(2), "rate", "So."))))
    assert counted(batch, "mail") == {"entered": 1, "enrollments": 1, "completed": 1}
    assert batch.enrollments[RUN].waiting_until is None


# --- what listening brings --------------------------------------------------------------------------------------


def test_a_wait_that_is_planned_anew_stands_where_it_stood_and_waits_for_another_moment() -> None:
    batch = fold(record(started(), entered()), record(replanned()))
    assert batch.enrollments[RUN].waiting_until == hours(48)
    step = batch.steps[RUN, "wait"]
    assert (step.status, step.visits, step.entered_at, step.result) == (
        "IN_PROGRESS", 1, NOON, {"waitingUntil": hours(48)},
    )  # fmt: skip
    assert counted(batch, "wait") == {"entered": 1, "enrollments": 1, "inside": 1}


def test_a_wait_whose_beginning_is_not_known_is_entered_when_it_is_planned_anew() -> None:
    batch = HistoryBatch([Enrollment(RUN, is_new=False)])
    batch.add(record(replanned()))
    assert (batch.enrollments[RUN].waiting_until, counted(batch, "wait")["inside"]) == (hours(48), 1)


def test_trigger_data_follows_whether_this_batch_began_the_enrolment_or_not() -> None:
    batch = fold(record(started(a=1, teeTime="Sat")), record(followed(teeTime="Sun", hole=3)))
    assert batch.enrollments[RUN].trigger_data == {"a": 1, "teeTime": "Sun", "hole": 3}
    batch = HistoryBatch([Enrollment(RUN, is_new=False)])
    batch.add(record(followed(teeTime="Sun")))
    batch.add(record(followed(hole=None)))
    assert batch.enrollments[RUN].trigger_data == {"teeTime": "Sun", "hole": None}
    unknown = fold(record(followed(teeTime="Sun"))).enrollments[RUN]  # its beginning is parked
    assert (unknown.is_new, unknown.entry_number, unknown.trigger_data) == (True, 0, {"teeTime": "Sun"})


@pytest.mark.parametrize("end", [None, completed(), exited()])
def test_a_goal_is_noted_and_counted_whether_the_enrolment_is_over_or_not(end: Entry | None) -> None:
    batch = fold(record(started()), record(*([end] if end else [])), record(reached(), at=hours(2)))
    row = batch.enrollments[RUN]
    assert (row.converted_at, row.status) == (hours(1), {None: "ACTIVE"}.get(end, row.status))
    assert batch.counts.totals[JOURNEY, "converted"] == 1
    assert batch.counts.hours[JOURNEY, hours(2), "converted"] == 1
    assert counted(batch, "") == {"enrollments": 1, "converted": 1}
    assert counted(batch, "ab", "B") == {"converted": 1}
    assert counted(batch, "mail") == {"converted": 1}


def test_a_goal_of_an_enrolment_that_is_not_known_any_more_is_counted_and_makes_no_row() -> None:
    batch = fold(record(reached(last=None)))
    assert batch.enrollments == {}
    assert (batch.counts.totals, len(batch.counts.steps)) == ({(JOURNEY, "converted"): 1}, 2)


@pytest.mark.parametrize(
    ("more", "ways"),
    [
        ({}, {}),
        ({"ended": "time"}, {"no": 1}),
        ({"ended": "rules", "evaluated_rules": []}, {"yes": 1, "rules": 1}),
        ({"ended": "event", "event_id": "e-1", "listener": 2}, {"yes": 1, "event 2": 1}),
    ],
)
def test_what_ended_a_wait_is_counted_as_its_way_out(more: dict[str, Any], ways: dict[str, int]) -> None:
    batch = fold(record(started(), entered()), record(done("wait", 1, WaitResult(NOON, NOON, **more))))
    found = {count.variant: count.completed for count in batch.counts.steps if count.step_id == "wait"}
    assert found == {"": 1} | ways


# --- refusals, profiles, erasure --------------------------------------------------------------------------------


def test_refusals_are_counted_by_journey_and_reason() -> None:
    of = {"journey_id": JOURNEY, "journey_version": 1}
    refused = [EnrollmentRefused(**of, reason=reason) for reason in ("reentry", "club", "reentry")]
    batch = fold(record(*refused, EnrollmentRefused(reason="duplicate")))
    assert batch.counts.refusals == {(JOURNEY, "reentry"): 2, (JOURNEY, "club"): 1}


def test_an_event_changes_attributes_by_name_and_an_update_step_by_path() -> None:
    changes = [Change("golf.handicap", None, 7)]
    by_event = fold(record(ProfileUpdated(changes)))
    by_step = fold(record(started(), done("update", 1, UpdateResult(changes)), ProfileUpdated(changes)))
    after_a_step = fold(record(done("mail"), ProfileUpdated(changes)))
    assert by_event.profiles == after_a_step.profiles == {PERSON: {"golf.handicap": 7}}
    assert by_step.profiles == {PERSON: {"golf": {"handicap": 7}}}


def test_null_removes_an_attribute_and_what_can_t_be_put_into_a_text_stands_alone() -> None:
    batch = HistoryBatch(profiles={PERSON: {"tier": "Gold", "golf": "often"}})
    changes = [Change("tier", "Gold", None), Change("golf.handicap", None, 7)]
    batch.add(record(done("update", 1, UpdateResult(changes)), ProfileUpdated(changes)))
    assert batch.profiles == {PERSON: {"golf": "often", "golf.handicap": 7}}


def test_a_merge_ends_one_enrolment_and_fills_the_other_s_profile() -> None:
    away = record(exited(), ProfileUpdated([Change("name", "Ann", None)]), customer="c-2")
    batch = fold(record(started(), customer="c-2"), away, record(ProfileUpdated([Change("name", None, "Ann")])))
    assert batch.enrollments[RUN].status == "EXITED"
    assert batch.profiles == {("t", "c-2"): {}, PERSON: {"name": "Ann"}}


def test_an_erased_customer_leaves_nothing_but_counts_and_may_come_back() -> None:
    other = record(started("33333333-3333-3333-3333-333333333333"), customer="c-2")
    gone = record(exited(), skipped("wait", 1, "ended"), ProfileUpdated([], deleted=True))
    batch = fold(record(started(), entered()), other, gone)
    assert batch.erased == {PERSON: 0}
    assert [row.customer_id for row in batch.enrollments.values()] == ["c-2"]
    assert (batch.steps, list(batch.customers), batch.activity) == ({}, [("t", "c-2")], [other])
    assert counted(batch, "wait") == {"entered": 1, "enrollments": 1}
    batch.add(record(started(), entered()))
    assert batch.enrollments[RUN].status == "ACTIVE"
    assert batch.steps[RUN, "wait"].visits == 1


def test_entries_of_a_newer_worker_change_no_row_and_are_counted_apart() -> None:
    batch = fold(record({"type": "enrollment.migrated", "enrollmentId": RUN}, {"type": "step.held"}))
    assert (batch.enrollments, batch.steps, len(batch.activity)) == ({}, {}, 1)
    assert batch.counts.unknown == {"enrollment.migrated": 1, "step.held": 1}


# --- what comes late --------------------------------------------------------------------------------------------


def test_a_late_beginning_fills_in_what_it_knows_and_moves_nothing_back() -> None:
    batch = fold(record(entered(visit=2)), record(exited()))
    batch.add(record(started(a=1), done("mail"), entered()), is_late=True)
    row = batch.enrollments[RUN]
    assert (row.status, row.entry_number, row.trigger_data) == ("EXITED", 1, {"a": 1})
    assert (row.current_step_id, batch.steps[RUN, "wait"].visits) == ("wait", 2)
    assert batch.steps[RUN, "mail"].status == "COMPLETED"
    assert batch.counts.totals[JOURNEY, "enrolled"] == 1


def test_a_late_step_changes_a_row_only_where_the_row_says_less() -> None:
    known = Step(RUN, "wait", 2, "IN_PROGRESS", 1, NOON)
    batch = HistoryBatch([Enrollment(RUN, False)], [known])
    batch.add(record(entered()), is_late=True)
    assert batch.steps[RUN, "wait"].status == "IN_PROGRESS"
    batch.add(record(done("wait", 1, FIRED)), is_late=True)
    assert batch.steps[RUN, "wait"].status == "COMPLETED"
    batch.add(record(skipped("wait", 1, "ended")), is_late=True)
    assert batch.steps[RUN, "wait"].status == "COMPLETED"


def test_a_late_beginning_keeps_what_was_followed_and_the_goal_reached_since() -> None:
    batch = HistoryBatch(goals={RUN: hours(1)})
    batch.add(record(followed(teeTime="Sun")))
    batch.add(record(reached()))
    batch.add(record(started(a=1, teeTime="Sat")), is_late=True)
    row = batch.enrollments[RUN]
    assert (row.trigger_data, row.converted_at) == ({"a": 1, "teeTime": "Sun"}, hours(1))


def test_where_an_enrolment_ended_is_told_also_if_its_beginning_comes_late() -> None:
    batch = fold(record(exited(), skipped("wait", 1, "ended")))
    batch.add(record(started(), done(), entered()), is_late=True)
    row = batch.enrollments[RUN]
    assert (row.status, row.current_step_id, row.current_step_number) == ("EXITED", "wait", 3)


def test_a_late_change_of_trigger_data_counts_where_nothing_changed_since() -> None:
    batch = HistoryBatch([Enrollment(RUN, is_new=False, trigger_data={"teeTime": "Mon", "hole": "x"})])
    batch.add(record(followed(teeTime="Sun", hole=3)), is_late=True)
    assert batch.enrollments[RUN].trigger_data == {"teeTime": "Mon", "hole": 3}


@pytest.mark.parametrize(
    "stands", [{"waitingUntil": hours(24)}, msgspec.Raw(b'{"waitingUntil":"2026-11-24T12:00:00Z"}')]
)
def test_a_late_re_planning_counts_where_the_wait_was_not_planned_anew_since(stands: Any) -> None:
    batch = HistoryBatch([Enrollment(RUN, False)], [Step(RUN, "wait", 2, "IN_PROGRESS", 1, NOON, result=stands)])
    batch.add(record(replanned(before=1, after=2)), is_late=True)
    assert batch.enrollments[RUN].waiting_until is None
    batch.add(record(replanned()), is_late=True)
    assert batch.enrollments[RUN].waiting_until == hours(48)


def test_a_late_entering_tells_a_wait_that_was_planned_anew_when_it_was_entered() -> None:
    batch = fold(record(replanned()))
    batch.add(record(entered()), is_late=True)
    step = batch.steps[RUN, "wait"]
    assert (step.entered_at, step.result) == (NOON, {"waitingUntil": hours(48)})


def test_a_late_change_of_a_profile_counts_where_nothing_changed_since() -> None:
    batch = HistoryBatch(profiles={PERSON: {"tier": "Gold", "golf": {"handicap": 9}}})
    batch.add(record(ProfileUpdated([Change("tier", None, "Silver"), Change("name", None, "Ann")])), is_late=True)
    assert batch.profiles == {PERSON: {"tier": "Gold", "name": "Ann", "golf": {"handicap": 9}}}
    changes = [Change("golf.handicap", 9, 8), Change("tier", "Silver", None)]
    batch.add(record(done("update", 1, UpdateResult(changes)), ProfileUpdated(changes)), is_late=True)
    assert batch.profiles == {PERSON: {"tier": "Gold", "name": "Ann", "golf": {"handicap": 8}}}


# --- any split --------------------------------------------------------------------------------------------------

RECORDS = [read_record(message.value or b"", message.offset) for message in story()]


class Tables:
    """The tables as a batch reads and writes them: what Postgres does with rows and counts, in memory."""

    def __init__(self) -> None:
        self.enrollments: dict[str, Enrollment] = {}
        self.steps: dict[tuple[str, str], Step] = {}
        self.profiles: dict[tuple[str, str], Any] = {}
        self.activity: list[int] = []
        self.counts: dict[Any, int] = {}

    def project(self, records: list[Record]) -> None:
        """Fold a batch over copies of the rows, and write them back."""
        kept = [msgspec.structs.replace(row, is_new=False) for row in self.enrollments.values()]
        steps = [msgspec.structs.replace(row) for row in self.steps.values()]
        batch = HistoryBatch(kept, steps, self.profiles)
        for one in records:
            batch.add(one)
        for person in batch.erased:
            self._erase(*person)
        self.enrollments |= batch.enrollments
        self.steps |= batch.steps
        self.profiles |= {person: batch.profiles[person] for person in batch.profiled}
        self.activity += [one.offset for one in batch.activity]
        self._count(batch)

    def _erase(self, tenant: str, customer: str) -> None:
        gone = {id_ for id_, row in self.enrollments.items() if row.customer_id == customer}
        self.enrollments = {id_: row for id_, row in self.enrollments.items() if id_ not in gone}
        self.steps = {key: step for key, step in self.steps.items() if key[0] not in gone}
        self.profiles.pop((tenant, customer), None)
        theirs = {one.offset for one in RECORDS if one.customer_id == customer}
        self.activity = [offset for offset in self.activity if offset not in theirs]

    def _count(self, batch: HistoryBatch) -> None:
        counts = batch.counts
        for kind in (counts.totals, counts.refusals, counts.hours):
            for key, number in kind.items():
                self.counts[key] = self.counts.get(key, 0) + number
        for count in counts.steps:
            for name in StepCount.__struct_fields__[4:]:
                key = (count.journey_id, count.version, count.step_id, count.variant, name)
                self.counts[key] = self.counts.get(key, 0) + getattr(count, name)

    def everything(self) -> Any:
        """All that stands in them; whether a batch began an enrolment is nothing of the table."""
        rows = [msgspec.structs.replace(row, is_new=False) for row in self.enrollments.values()]
        counts = {key: number for key, number in self.counts.items() if number}
        return sorted(map(raw, rows)), sorted(map(raw, self.steps.values())), self.profiles, self.activity, counts


@given(cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_any_split_into_batches_gives_the_same_rows_and_counts(cuts: list[int]) -> None:
    whole, parts = Tables(), Tables()
    whole.project(RECORDS)
    place, turn = 0, 0
    while place < len(RECORDS):
        end = place + cuts[turn % len(cuts)]
        parts.project(RECORDS[place:end])
        place, turn = end, turn + 1
    assert parts.everything() == whole.everything()

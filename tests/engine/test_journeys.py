"""The snapshot of journeys that the engine runs on."""

from datetime import timedelta

import pytest

from models.journey import JourneyStatus
from streams.engine.journeys import Journeys
from tests.engine.build import NOON, journey, live, send

DRAFT, ACTIVE, PAUSED, ARCHIVED = JourneyStatus
ONE = journey(send())


@pytest.mark.parametrize(
    ("status", "is_wanted"), [(DRAFT, False), (ACTIVE, True), (PAUSED, True), (ARCHIVED, False)]
)
def test_events_are_wanted_by_journeys_that_may_answer_them(status: JourneyStatus, is_wanted: bool) -> None:
    journeys = live(ONE, status=status)
    assert bool(journeys.wanted.get(("pinehurst", "teetime.booked"))) is is_wanted
    assert ("augusta", "teetime.booked") not in journeys.wanted


def test_R28_new_entries_use_the_newest_version_and_the_others_stay_known() -> None:
    newer = journey(send(), timezone="Europe/London", version=2)
    journeys = live(ONE).with_version(newer).with_status(ONE.id, ACTIVE, 2)
    (wanted,) = journeys.wanted["pinehurst", "teetime.booked"]
    assert wanted is journeys.newest(ONE.id)
    assert [journeys.find(ONE.id, version) is not None for version in (1, 2, 3)] == [True, True, False]
    assert journeys.without_version(ONE.id, 1).find(ONE.id, 1) is None


def test_a_snapshot_is_not_changed_by_what_is_made_of_it() -> None:
    before = live(ONE)
    before.with_status(ONE.id, ARCHIVED, 1)
    before.without_version(ONE.id, 1)
    assert (before.status(ONE.id), before.find(ONE.id, 1) is None) == (ACTIVE, False)


def test_R5_a_journey_is_limited_for_as_long_as_one_of_its_versions_is() -> None:
    limited = live(journey(send(), maxEnrollments=1)).with_version(journey(send(), version=2))
    assert limited.limited == {ONE.id}
    assert limited.without_version(ONE.id, 1).limited == frozenset()


@pytest.mark.parametrize(
    ("status", "due", "is_held"),
    [(PAUSED, 1, True), (PAUSED, -1, True), (ACTIVE, -1, True), (ACTIVE, 1, False), (ARCHIVED, -1, False)],
)
def test_R29_a_wait_is_held_in_a_pause_and_behind_those_that_were(
    status: JourneyStatus, due: int, is_held: bool
) -> None:
    journeys = live(ONE).with_status(ONE.id, status, 1, since=NOON)
    assert journeys.holds(ONE.id, NOON + timedelta(hours=due)) is is_held


def test_nothing_is_known_of_a_journey_that_was_never_told_of() -> None:
    nothing = Journeys()
    assert (nothing.status("x"), nothing.newest("x"), nothing.holds("x", NOON)) == (None, None, False)

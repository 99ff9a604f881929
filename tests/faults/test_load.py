"""The load of the fault tests is what it says to be: else a clean run would prove nothing."""

from datetime import UTC, datetime

import msgspec
import pytest

from streams.engine.decoding import Rejection, decode
from tests.faults.foretold import foretell
from tests.faults.load import FOREIGN, events, journeys
from tests.faults.poison import POISON
from tests.faults.stories import PHASES, TOPIC, expect

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", POISON)
def test_poison_is_no_event(value: bytes | None) -> None:
    assert isinstance(decode(value, (), "teetime.booked"), Rejection)


def test_there_are_more_than_forty_kinds_of_poison() -> None:
    assert len(set(POISON)) == len(POISON) > 40


def test_what_is_foretold_does_not_depend_on_the_order_of_arrival() -> None:
    """But for stories, which are told in order: what comes between their events is told in reverse."""
    load = [one for one in events(7, 6000, 300, 6, START, 100) if one.event]
    in_order = foretell([(one.at, one.event) for one in load if one.event], journeys())
    of_stories = {one.event.event_id for one in load if one.event and one.scene}
    plain = [one for one in load if one.event and one.event.event_id not in of_stories]
    shifted = [
        (at.at, msgspec.structs.replace(one.event, occurred_at=START))
        for at, one in zip(plain, reversed(plain), strict=True)
        if one.event
    ]
    told = [(one.at, one.event) for one in load if one.event and one.event.event_id in of_stories]
    assert len(told) > 800
    assert foretell([*shifted, *told], journeys()) == in_order
    assert len(in_order.commands) > 2000


def test_what_is_foretold_of_stories_is_what_can_be_told_without_the_engine() -> None:
    load = [one for one in events(8, 12_000, 400, 6, START, 100) if one.event and one.record.topic == TOPIC]
    foretold = foretell([(one.at, one.event) for one in load if one.event], journeys())
    scenes = [(one.scene, one.event.tenant_id) for one in load if one.scene and one.event]
    assert foretold.commands == expect(scenes)
    assert {(scene.kind, scene.phase) for scene, _ in scenes} == {
        (kind, phase) for kind in ("played", "cancelled", "barred", "open") for phase in range(PHASES)
    }
    assert len(scenes) < len(load), "some are repeated"
    assert any(one.record.key == FOREIGN for one in load)

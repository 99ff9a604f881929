"""Which status may follow which: R29."""

from itertools import product

from models.journey import JourneyStatus
from streams.engine.transitions import may_become

DRAFT, ACTIVE, PAUSED, ARCHIVED = JourneyStatus


def test_R29_only_these_ways_lead_from_one_status_to_another() -> None:
    allowed = {(before, after) for before, after in product(JourneyStatus, repeat=2) if may_become(before, after)}
    assert allowed == {
        (DRAFT, ACTIVE),
        (ACTIVE, PAUSED),
        (PAUSED, ACTIVE),
        (DRAFT, ARCHIVED),
        (ACTIVE, ARCHIVED),
        (PAUSED, ARCHIVED),
    }

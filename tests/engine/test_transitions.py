"""Which status may follow which: R29."""

from itertools import product
from typing import get_args

import pytest

from models.journey import JourneyStatus
from streams.engine.transitions import Move, move, moves_from

DRAFT, ACTIVE, PAUSED, ARCHIVED = JourneyStatus


def test_R29_only_these_moves_lead_from_one_status_to_another() -> None:
    tried = {(before, by): move(before, by) for before, by in product(JourneyStatus, get_args(Move))}
    assert {way: after for way, after in tried.items() if after not in (None, way[0])} == {
        (DRAFT, "activate"): ACTIVE,
        (DRAFT, "archive"): ARCHIVED,
        (ACTIVE, "pause"): PAUSED,
        (ACTIVE, "archive"): ARCHIVED,
        (PAUSED, "activate"): ACTIVE,
        (PAUSED, "resume"): ACTIVE,
        (PAUSED, "archive"): ARCHIVED,
    }


def test_R29_a_move_that_was_made_changes_nothing() -> None:
    assert move(ACTIVE, "activate") == move(ACTIVE, "resume") == ACTIVE
    assert move(PAUSED, "pause") == PAUSED
    assert move(ARCHIVED, "archive") == ARCHIVED


@pytest.mark.parametrize(
    ("status", "moves"),
    [
        (DRAFT, ("activate", "archive")),
        (ACTIVE, ("pause", "archive")),
        (PAUSED, ("resume", "archive")),
        (ARCHIVED, ()),
    ],
)
def test_R29_the_moves_that_change_a_status_are_offered(status: JourneyStatus, moves: tuple[Move, ...]) -> None:
    assert moves_from(status) == moves

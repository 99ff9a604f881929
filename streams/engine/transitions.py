"""Which status may follow which (R29)."""

from typing import Literal

from models.journey import JourneyStatus

Move = Literal["activate", "pause", "resume", "archive"]

_MOVES: dict[Move, tuple[frozenset[JourneyStatus], JourneyStatus]] = {
    "activate": (frozenset({JourneyStatus.DRAFT, JourneyStatus.PAUSED}), JourneyStatus.ACTIVE),
    "resume": (frozenset({JourneyStatus.PAUSED}), JourneyStatus.ACTIVE),
    "pause": (frozenset({JourneyStatus.ACTIVE}), JourneyStatus.PAUSED),
    "archive": (
        frozenset({JourneyStatus.DRAFT, JourneyStatus.ACTIVE, JourneyStatus.PAUSED}),
        JourneyStatus.ARCHIVED,
    ),
}


def move(status: JourneyStatus, by: Move) -> JourneyStatus | None:
    """Return the status after a move; None if the move is not allowed from here. One that is made stays made."""
    allowed, after = _MOVES[by]
    return after if status in allowed or status == after else None


def moves_from(status: JourneyStatus) -> tuple[Move, ...]:
    """Return the moves that change this status; a journey that is PAUSED is resumed, rather than activated."""
    return tuple({after: by for by, (allowed, after) in _MOVES.items() if status in allowed}.values())

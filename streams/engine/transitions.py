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
    """Return the status after a move; None if the move is not allowed from here."""
    allowed, after = _MOVES[by]
    return after if status in allowed else None


def may_become(status: JourneyStatus, after: JourneyStatus) -> bool:
    """Say whether some move leads from one status to another."""
    return any(status in allowed and after == to for allowed, to in _MOVES.values())

"""Count the places of a journey with maxEnrollments, over all partitions, exactly (R5).

One row per journey, on the partition of its own key. A partition joins with the number of its ACTIVE enrolments
before it first asks; until all have joined, candidates wait in the row, in order of arrival.
"""

from typing import assert_never

import msgspec

from models.ids import customer_key
from streams.engine.effects import Forward
from streams.engine.inputs import CountActive, PlaceAnswer, PlacesInput, ReleasePlace, RequestPlace


class Places(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How many places are taken, which partitions have joined, and who waits for the rest to join."""

    taken: int = 0
    joined: tuple[int, ...] = ()
    waiting: tuple[RequestPlace, ...] = ()


def decide(
    places: Places | None, given: PlacesInput, limit: int | None, partitions: int
) -> tuple[Places, tuple[Forward, ...]]:
    """Return the row after an input, and the answers to candidates; `limit` None admits everyone."""
    row = places or Places()
    match given:
        case RequestPlace():
            row = msgspec.structs.replace(row, waiting=(*row.waiting, given))
        case ReleasePlace():
            row = msgspec.structs.replace(row, taken=row.taken - 1)
        case CountActive():
            if given.partition not in row.joined:
                joined = (*row.joined, given.partition)
                row = msgspec.structs.replace(row, joined=joined, taken=row.taken + given.active)
        case _:
            assert_never(given)
    if len(row.joined) < partitions:
        return row, ()
    return _answer(row, limit)


def _answer(row: Places, limit: int | None) -> tuple[Places, tuple[Forward, ...]]:
    answers, taken = [], row.taken
    for ask in row.waiting:
        admitted = limit is None or taken < limit
        taken += admitted
        answer = PlaceAnswer(ask.enrollment_id, ask.journey_id, admitted)
        answers.append(Forward(customer_key(ask.tenant_id, ask.customer_id), answer))
    return msgspec.structs.replace(row, taken=taken, waiting=()), tuple(answers)

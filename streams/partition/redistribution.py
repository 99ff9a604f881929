"""A state that is moved to another app id, whose changelog has another number of partitions.

Customers' rows go to the partition of their key. The other rows are about partitions, and are made anew here: up to
where each input is handled, and which places of limited journeys are taken (R5). What is under way in the inbox
stays valid, for it names journeys and customers, not partitions: only counts of enrolments name those, and while
one is under way nothing is moved. What tenants may send (R67) begins anew with each partition's new share.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from streams.engine.admission import Places
from streams.errors import FairwayError
from streams.kafka.inputs import input_name, read_input
from streams.kafka.partitioner import partition_of
from streams.partition.internal_rows import (
    JOINED,
    MOVED_FROM,
    PARTITIONS,
    PLACES,
    POSITION,
    TOPICS,
    MovedFrom,
    read_joined,
    read_moved_from,
    read_moved_to,
    read_places,
    read_positions,
    read_topic_ids,
)

InternalRows = Mapping[bytes, bytes]
"""The internal rows of a partition."""


def check_move(moved_to: bytes | None, moved_from: bytes | None) -> None:
    """Raise FairwayError if a state with these rows was moved away, or has not come whole yet."""
    if moved_to is not None:
        to = read_moved_to(moved_to)
        raise FairwayError(
            f"This state was moved to app id '{to.app}', with {to.partitions} partitions: set FAIRWAY_APP_ID to "
            f"'{to.app}', and the partitions of its changelog in topics.yaml to {to.partitions}."
        )
    if moved_from is not None and not (came := read_moved_from(moved_from)).is_complete:
        raise FairwayError(
            f"The state of app id '{came.app}' is being moved here, and not all of it has come: "
            "run 'fairway state move' again until it says that the move is complete."
        )


def check_target(
    app: str, target: str, rows: Sequence[InternalRows], now: datetime, oldest: timedelta
) -> MovedFrom:
    """Return how far a move to the target is, by the internal rows of its partitions; it may not have begun.

    Raises FairwayError if there is another state, or if a move was begun so long ago that tombstones are gone.
    """
    found = [read_moved_from(one[MOVED_FROM]) for one in rows if MOVED_FROM in one]
    if any(one.app != app for one in found) or any(PARTITIONS in one and not _is_complete(one) for one in rows):
        raise FairwayError(f"App id '{target}' has a state of its own: name another that was never used.")
    if not found:
        return MovedFrom(app, now)
    first = min(found, key=lambda one: one.begun)
    if not first.is_complete and now - first.begun > oldest:
        raise FairwayError(
            f"A move to '{target}' was begun at {first.begun:%Y-%m-%d %H:%M} UTC and not ended: what was deleted "
            "since may be there still. Name another app id, or delete the changelog of that one with Kafka's tool."
        )
    return first


def _is_complete(rows: InternalRows) -> bool:
    return MOVED_FROM in rows and read_moved_from(rows[MOVED_FROM]).is_complete


def find_uncounted(rows: Sequence[InternalRows], limited: Collection[str]) -> list[str]:
    """Return the journeys, of those with maxEnrollments, to which not all partitions have told their enrolments."""
    begun = {journey for one in rows for journey in _joined(one)} | _places(rows).keys()
    whole = {journey for journey, row in _places(rows).items() if set(range(len(rows))) <= set(row.joined)}
    return sorted((begun - whole) & set(limited))


def redistribute(rows: Sequence[InternalRows], partitions: int) -> list[dict[bytes, bytes]]:
    """Return the internal rows of each of so many partitions, from those of each partition before."""
    places = _places(rows)
    joined = msgspec.json.encode(sorted({journey for one in rows for journey in _joined(one)} | places.keys()))
    counted = tuple(range(max(partitions, len(rows))))
    found: list[dict[bytes, bytes]] = []
    for partition in range(partitions):
        own = {PARTITIONS: msgspec.json.encode(partitions), JOINED: joined}
        for key, read in ((POSITION, read_positions), (TOPICS, read_topic_ids)):
            own[key] = msgspec.json.encode(
                {
                    input_name(topic, number, partition): said
                    for number_of_row, one in enumerate(rows)
                    for (topic, number), said in _inputs(number_of_row, len(rows), read(one.get(key, b"{}")))
                    if number % partitions == partition
                }
            )
        for journey, row in places.items():
            key = PLACES + journey.encode()
            if partition_of(key, partitions) == partition:
                own[key] = msgspec.json.encode(msgspec.structs.replace(row, joined=counted))
        found.append(own)
    return found


def _inputs(
    partition: int, partitions: int, said: Mapping[str, int] | Mapping[str, str]
) -> Iterator[tuple[tuple[str, int], int | str]]:
    """Yield what a partition's row says of each of its inputs."""
    for name, one in said.items():
        topic, number = read_input(name, partition)
        if number % partitions == partition:
            yield (topic, number), one


def _joined(rows: InternalRows) -> frozenset[str]:
    return read_joined(rows.get(JOINED, b"[]"))


def _places(rows: Sequence[InternalRows]) -> dict[str, Places]:
    """Return the places of each journey, from where they lie."""
    return {
        key.removeprefix(PLACES).decode(): read_places(row)
        for partition, one in enumerate(rows)
        for key, row in one.items()
        if key.startswith(PLACES) and partition_of(key, len(rows)) == partition
    }

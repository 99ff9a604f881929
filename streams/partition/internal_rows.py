"""The rows of a partition's state that are no customer's: their keys begin with a colon, as no tenant's do."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from streams.engine.admission import Places
from streams.engine.allowance import read_buckets
from streams.engine.leaving import places_key

POSITION = b":position"
"""Up to where each topic is handled: {topic: next offset}."""
PARTITIONS = b":partitions"
"""How many partitions there were when the state was begun."""
TOPICS = b":topics"
"""Which topics the positions are of: {topic: id}."""
JOINED = b":joined"
"""The journeys with maxEnrollments that know how many ACTIVE enrolments this partition has (R5)."""
PLACES = places_key("")
"""What the keys of places begin with; one row a journey with maxEnrollments (R5)."""

SENDS = b":sends:"
"""What the keys of send rates begin with; one row a tenant that may send only so many commands in a time (R67)."""
MOVED_TO = b":moved-to"
"""That the state was moved to another app id: nobody opens it any more."""
MOVED_FROM = b":moved-from"
"""That the state comes from another app id: nobody opens it before the move is complete."""

_Offset = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class MovedTo(msgspec.Struct, frozen=True, rename="camel"):
    """Where a state was moved."""

    app: str
    partitions: int


class MovedFrom(msgspec.Struct, frozen=True, rename="camel"):
    """Where a state comes from, and since when it is being moved."""

    app: str
    begun: datetime
    is_complete: bool = False


read_positions = msgspec.json.Decoder(dict[str, _Offset]).decode
read_partitions = msgspec.json.Decoder(int).decode
read_topic_ids = msgspec.json.Decoder(dict[str, str]).decode
read_joined = msgspec.json.Decoder(frozenset[str]).decode
read_places = msgspec.json.Decoder(Places).decode
read_moved_to = msgspec.json.Decoder(MovedTo).decode
read_moved_from = msgspec.json.Decoder(MovedFrom).decode


_READERS: Mapping[bytes, Callable[[bytes], object]] = {
    POSITION: read_positions,
    PARTITIONS: read_partitions,
    TOPICS: read_topic_ids,
    JOINED: read_joined,
    PLACES: read_places,
    SENDS: read_buckets,
    MOVED_TO: read_moved_to,
    MOVED_FROM: read_moved_from,
}


def is_internal(key: bytes) -> bool:
    """Say whether a row's key is none of a customer's."""
    return key.startswith(b":")


def is_readable(key: bytes, row: bytes | None) -> bool:
    """Say whether an internal row is one that Fairway writes; of those that it does not know, all are."""
    read = next((read for start, read in _READERS.items() if key.startswith(start)), None)
    try:
        if read is not None and row is not None:
            read(row)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True

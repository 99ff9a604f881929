"""The rows of a partition's state that are no customer's: their keys begin with a colon, as no tenant's do."""

import msgspec

from streams.engine.admission import Places
from streams.engine.leaving import places_key

POSITION = b":position"
"""Up to where each topic is handled: {topic: next offset}."""
PARTITIONS = b":partitions"
"""How many partitions there were when the state was begun."""
JOINED = b":joined"
"""The journeys with maxEnrollments that know how many ACTIVE enrolments this partition has (R5)."""
PLACES = places_key("")
"""What the keys of places begin with; one row a journey with maxEnrollments (R5)."""

read_positions = msgspec.json.Decoder(dict[str, int]).decode
read_partitions = msgspec.json.Decoder(int).decode
read_joined = msgspec.json.Decoder(frozenset[str]).decode
read_places = msgspec.json.Decoder(Places).decode


def is_internal(key: bytes) -> bool:
    """Say whether a row's key is none of a customer's."""
    return key.startswith(b":")

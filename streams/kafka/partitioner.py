"""Which partition a key belongs to: murmur2, as the Java client's default."""

from murmurhash2 import murmurhash2

_SEED = 0x9747B28C


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition of a record key among `partitions`."""
    hashed: int = murmurhash2(key, _SEED)
    return (hashed & 0x7FFFFFFF) % partitions

"""Takes out of aiokafka's fetcher what it has fetched: of each partition a share, so that none waits for a backlog.

aiokafka itself takes as much as is asked for of the partition that has waited longest: the one with the backlog.
"""

from collections.abc import Collection, Mapping, Sized
from typing import Any

FEW = 250
"""Records; a fetch that brings fewer has caught up with the producers."""
_GATHER_SECONDS = 0.02  # for which they may then go on, before the next fetch: a commit lasts half as long
_GATHER_BESIDE_SECONDS = 0.01  # aiokafka has paused already where records of others have not been taken


async def drain(fetcher: Any, partitions: Collection[Any], most: int) -> dict[Any, Any]:
    """Return what is there, without waiting, of these partitions: about `most` records of all together.

    Raises what a fetch came to, unless there are records of others: then it comes up again with the next fetch.
    """
    found: dict[Any, Any] = {}
    for partition in partitions:
        try:
            found |= await fetcher.fetched_records({partition}, timeout=0, max_records=-(-most // len(partitions)))
        except Exception:
            if not found:
                raise
    return found


def pause_after(found: Mapping[Any, Sized], *, is_beside: bool) -> float:
    """Return the seconds until the next fetch: after one that brought little, producers may go on for a moment.

    `is_beside` says that records of others have not been taken.
    """
    if sum(map(len, found.values())) >= FEW:
        return 0.0
    return _GATHER_BESIDE_SECONDS if is_beside else _GATHER_SECONDS

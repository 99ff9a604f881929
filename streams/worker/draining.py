"""Takes out of aiokafka's fetcher what it has fetched: of each partition a share, so that none waits for a backlog.

aiokafka itself takes as much as is asked for of the partition that has waited longest: the one with the backlog.
"""

from collections.abc import Collection
from typing import Any


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

"""How a session begins: its state is claimed, and the consumer goes on at the positions that the state has.

Held to a broker in memory by tests/partition/test_session.py.
"""

from collections.abc import Sequence

import structlog

from streams.errors import FairwayError
from streams.partition.internal_rows import (
    MOVED_FROM,
    MOVED_TO,
    PARTITIONS,
    TOPICS,
    read_partitions,
    read_topic_ids,
)
from streams.partition.queue import RecordQueue
from streams.partition.redistribution import check_move
from streams.partition.transaction import Transaction

log = structlog.get_logger()


def claim(transaction: Transaction) -> None:
    """Claim the state for this number of partitions; raises FairwayError if it is another's, or elsewhere."""
    check_move(transaction.row(MOVED_TO), transaction.row(MOVED_FROM))
    row, router = transaction.row(PARTITIONS), transaction.router
    found = router.partitions if row is None else read_partitions(row)
    if found != router.partitions:
        raise FairwayError(
            f"The state of partition {router.partition} was made when there were {found} partitions, and "
            f"now there are {router.partitions}: most customers' events would come to one that does not "
            "know them. "
            "Where topics.yaml was changed, change it back; 'fairway state move' moves the state."
        )
    if row is None:
        with transaction.slice() as slice_:
            slice_.put(PARTITIONS, found)
        transaction.inputs += 1


async def go_on(transaction: Transaction, queue: RecordQueue, topics: Sequence[str]) -> None:
    """Let the consumer go on at the positions, in topics without one at their beginning; raises MigratedError."""
    later = await queue.seek(transaction.positions, topics)
    for topic, position in later.items():
        transaction.advance(topic, position, 0)
    await _recognize_topics(transaction, queue)


async def _recognize_topics(transaction: Transaction, queue: RecordQueue) -> None:
    """Begin topics that were made anew at their beginning: the positions are those of others of the name."""
    row = transaction.row(TOPICS)
    known = read_topic_ids(row) if row else {}
    found = known | {topic: id_ for topic, id_ in queue.ids.items() if id_}
    if found == known:
        return
    with transaction.slice() as slice_:
        slice_.put(TOPICS, found)
    transaction.inputs += 1
    anew = {topic: 0 for topic in known if found[topic] != known[topic] and transaction.positions.get(topic)}
    for topic, position in (anew | await queue.seek(anew)).items():
        log.warning("'%s' was made anew: partition %s begins it.", topic, transaction.router.partition)
        transaction.advance(topic, position, 0)

"""Fencing: nobody else commits by an id any more, and no transaction is left open where a partition begins.

Held to a real broker by tests/broker/test_fencing.py.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient

from streams.kafka.hanging import Open, Owner, ask_end, ask_state, find_hanging, find_open, find_owners
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX, PROFILE_UPDATES
from streams.kafka.transactions import Transactions

_TRANSACTION_TIMEOUT_MS = 20_000
_PATIENCE = 0.5  # seconds in which a transaction comes to its end by itself, if anybody is about to end it
_PAUSE = 0.02
_OUTPUTS = (COMMANDS, ACTIVITY, PROFILE_UPDATES, DEAD_LETTERS)

log = structlog.get_logger()


def worker_id(app_id: str, name: str) -> str:
    """Return the transactional id of a worker, which no other worker has, nor one of another app."""
    return f"{app_id}-worker:{name}"


def partition_id(app_id: str, partition: int) -> str:
    """Return the transactional id by which a worker commits a partition that its generation does not fence."""
    return f"{app_id}-{partition}"


class Fencing:
    """Fences the transactional ids of an app's workers, over a connected client."""

    def __init__(self, client: AIOKafkaClient, app_id: str, changelog: str) -> None:
        self._client = client
        self._app_id = app_id
        self._changelog = changelog
        self._is_ours = re.compile(rf"{re.escape(app_id)}-(worker:.*|\d+)").fullmatch
        self.topics: Sequence[str] = (changelog, *_OUTPUTS, INBOX)

    async def fence(self, transactional_id: str) -> Transactions:
        """Return the started transactions of an id, of which none is open anywhere; raises KafkaError, OSError.

        A broker may have lost the end of the last one somewhere (docs/decisions/036-lost-ends.md): it is ended
        there as it was everywhere else.
        """
        was_committed = True  # if one fenced before and died at once, that is what is likelier
        while True:
            ended = await ask_end(self._client, transactional_id)  # before: whoever fences leaves no word of it
            if ended is not None:
                was_committed = ended
            transactions = Transactions(self._client, transactional_id, _TRANSACTION_TIMEOUT_MS)
            await transactions.start()
            everywhere: Mapping[str, int | None] = dict.fromkeys(self.topics)
            hanging = await find_hanging(self._client, transactions.producer_id, everywhere)
            if not hanging:
                return transactions
            _warn(transactional_id, hanging, was_committed=was_committed)
            await transactions.join(hanging)  # without a record, but its end is written there, too
            await transactions.end(is_committed=was_committed)

    async def fence_partition_id(self, partition: int) -> None:
        """Fence a worker that commits this partition by an id of its own, if there ever was one."""
        transactional_id = partition_id(self._app_id, partition)
        if await ask_state(self._client, transactional_id) is not None:
            await self.fence(transactional_id)

    async def end_open(self, partition: int, own: str) -> None:
        """Return when nothing of a former owner is open where a partition writes to; raises KafkaError.

        What was decided on, or is of the id `own`, comes to its end by itself; whoever does not end the rest is
        gone, or soon will be, and is fenced.
        """
        loop = asyncio.get_running_loop()
        places = dict.fromkeys((self._changelog, *_OUTPUTS), partition) | {INBOX: None}
        since: dict[Open, float] = {}
        while blocking := await self._find_blocking(await find_open(self._client, places)):
            since = {one: since.get(one, loop.time()) for one in blocking}
            late = {blocking[one] for one, seen in since.items() if loop.time() >= seen + _PATIENCE}
            for transactional_id in sorted(late - {own, ""}):
                log.info("The open transaction of '%s' is ended: its worker is gone.", transactional_id)
                await self.fence(transactional_id)
            await asyncio.sleep(_PAUSE)

    async def _find_blocking(self, found: Iterable[Open]) -> dict[Open, str]:
        """Return what has to end first, and by which of our ids it is open; "" if by none.

        In the changelog that is everything, for nothing behind it can be read. In the inbox, to which all workers
        write at all times, it is only what is open though its coordinator has ended it.
        """
        found = list(found)
        owners = await find_owners(self._client, (one.producer_id for one in found))
        blocking = {}
        for one in found:
            owner = owners.get(one.producer_id, Owner("", ""))
            name = owner.id if self._is_ours(owner.id) else ""
            is_in_the_way = owner.is_complete if one.place.topic == INBOX else True
            if (name and is_in_the_way) or one.place.topic == self._changelog:
                blocking[one] = name
        return blocking


def _warn(transactional_id: str, hanging: Sequence[TopicPartition], *, was_committed: bool) -> None:
    log.warning(
        "The broker lost the end of the last transaction of '%s' in %s, where it is %s now, as it is everywhere "
        "else; Kafka 4.3.0 to 4.4.0 lose it in a restart (KAFKA-20734).",
        transactional_id,
        ", ".join(sorted({f"'{place.topic}'" for place in hanging})),
        "committed" if was_committed else "aborted",
    )

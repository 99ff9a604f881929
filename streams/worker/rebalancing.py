"""What the group decides, passed on: the partitions that a worker has from now on. Until then it goes on."""

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import Counter

from streams.errors import FairwayError
from streams.worker.faust_app import FaustApp

REBALANCES = Counter("fairway_rebalances_total", "Times that the group has given out its partitions anew.")


class Rebalancing:
    """Hands the group's decisions to the readers; a worker that can't take part ends with a sentence."""

    def __init__(
        self,
        app: FaustApp,
        partitions: int,
        *,
        is_named: bool,
        join: Callable[[Iterable[Any]], None],
        crash: Callable[[BaseException], None],
    ) -> None:
        """`is_named`: the worker comes back under a name of its own (FAIRWAY_INSTANCE_ID).

        `join` is told of the partitions of each generation before the readers are.
        """
        self._app = app
        self._join = join
        self._partitions = partitions
        self._may_rejoin = is_named
        self._crash = crash
        app.on_partitions_assigned.connect(self._assign, weak=False)

    async def _assign(self, _app: Any, assigned: Any, **_: Any) -> None:
        app = self._app
        REBALANCES.inc()
        try:
            reads_all = app.assignor.check(self._partitions)
        except FairwayError as error:
            self._crash(error)
            return
        if not (reads_all and app.assignor.is_shared) and self._may_rejoin:
            # A worker with a name of its own was given what it had before, whatever it knows by now.
            self._may_rejoin = False
            await app.consumer.rejoin()
        self._join(assigned)
        assignment = app.assignments
        for reader in app.readers:
            partitions = sorted({tp.partition for tp in assigned if tp.topic in reader.topics})
            await reader.assign(partitions, assignment, app.consumer.seek_to)

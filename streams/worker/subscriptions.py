"""aiokafka's list of what is assigned, overridden: a partition that stays keeps its position and what was fetched.

aiokafka makes a new list in each generation of the group, and reads nothing from when the group begins to agree
until every partition was begun anew. Held by tests/worker/test_subscriptions.py.
"""

from collections.abc import Callable, Iterable
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from aiokafka.util import create_future


class _GoneState(TopicPartitionState):  # type: ignore[misc]
    """Of a partition that has gone: without a position, so that what was asked for is dropped."""

    def fetch_committed(self) -> Any:
        """Let nobody wait for where it begins."""
        waiting = create_future()
        waiting.cancel()
        return waiting


class LastingAssignment(Assignment):  # type: ignore[misc]
    """What is assigned, in whatever generation. Of what has gone a state is kept, without a position."""

    def change(self, partitions: Iterable[TopicPartition]) -> None:
        """Have these partitions from now on: new ones without a position."""
        before = self.tps
        self._topic_partitions = frozenset(partitions)
        for gone in before - self._topic_partitions:
            for waiting in self._tp_state[gone]._committed_futs:
                waiting.cancel()
            self._tp_state[gone] = _GoneState(self)
        for new in self._topic_partitions - before:
            self._tp_state[new] = TopicPartitionState(self)


class LastingSubscriptions(SubscriptionState):  # type: ignore[misc]
    """What a consumer subscribes to; while the group agrees anew, it goes on with what it has."""

    on_change: Callable[[], None] = staticmethod(lambda: None)
    """Called when other partitions are assigned, for the fetcher to look at."""
    on_error: Callable[[BaseException], None] = staticmethod(lambda _: None)
    """Called with what ended the coordinator's work; it waits for somebody who asks, and nobody does."""

    @property
    def fetcher_idle_time(self) -> float:
        """Return that somebody reads, also where nothing comes: a member that read nothing for long left the group.

        Where it had no partitions it never joined again; where it had some, it did with the next event, and until
        then no wait that was due could be committed. Heartbeats are sent by the loop that works, and say enough.
        """
        return 0.0

    def assign_from_subscribed(self, assignment: Iterable[TopicPartition]) -> None:
        """Have these partitions from now on."""
        subscription = self.subscription
        if subscription.assignment is None:
            subscription._assignment = LastingAssignment(set(assignment))
        else:
            subscription.assignment.change(assignment)
        subscription._reassignment_in_progress = False
        self._notify_assignment_waiters()
        self.on_change()

    def abort_waiters(self, exc: BaseException) -> None:
        """Tell the error, too."""
        super().abort_waiters(exc)
        self.on_error(exc)

    def begin_reassignment(self) -> None:
        """Go on: the generation fences what is done meanwhile."""

"""How long fetches wait at brokers that have nothing: long while nothing changes, and not beyond a change.

A broker answers a fetch as soon as there is a record, but only for the partitions that it names. What was given to
the worker or sought meanwhile is in the next one only, so a fetch that waits long is given up then. Fetches have
connections of their own, for a broker answers the requests of a connection one after another: a question where a
partition ends would wait as long.
"""

from collections.abc import Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

from aiokafka.cluster import ClusterMetadata
from aiokafka.conn import CloseReason
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.fetch import FetchRequest

from streams.kafka.fetch_sessions import FetchSessions

FIRST_MS, USUAL_MS, MOST_MS = 50, 200, 1000
"""Waits after a change, after records, and after nothing a few times; what a fetch leaves out waits USUAL_MS."""
_LONGER = 4  # times as long as the wait before, in which nothing came
_FETCHES = "fetches"  # a group of connections, as aiokafka has one for coordinators
_NOTHING = SimpleNamespace(topics=(), API_VERSION=0)


class FetchWaits:
    """A consumer's fetches, each with as long a wait as it may have."""

    def __init__(self, consumer: Any) -> None:
        self._consumer = consumer
        self._client = consumer._client
        self._send = partial(self._client.send, group=_FETCHES)
        self._sessions = FetchSessions()
        self._wait_ms = FIRST_MS
        self._patient: set[int] = set()  # nodes at which a fetch waits for longer than usual
        self._leaders: Mapping[int, Any] = {}
        self._client.cluster.add_listener(self._compare_leaders)

    async def fetch(self, node: int, request: FetchRequest) -> Any:
        """Return the answer to a fetch, an empty one if what is to be fetched has changed; raises KafkaError."""
        await self._client.ready(node, group=_FETCHES)  # nothing changes between the look at it and its departure
        wait = self._wait_ms
        if wait > USUAL_MS:
            if self._is_whole(node, request):
                self._patient.add(node)
            else:
                wait = USUAL_MS
        request._max_wait_ms = wait
        is_patient = node in self._patient
        try:
            answer = await self._sessions.fetch(self._send, node, request)
        except KafkaConnectionError:
            if is_patient and node not in self._patient:
                return _NOTHING
            raise
        finally:
            self._patient.discard(node)
        self._note_answer(answer, wait)
        return answer

    def _is_whole(self, node: int, request: FetchRequest) -> bool:
        """Say whether a fetch asks for all that this broker has of what is assigned, where it goes on now."""
        subscription = self._consumer._subscription.subscription
        if subscription is None or subscription.assignment is None:
            return False
        asked = {(topic, number): at for topic, numbers in request.topics for number, at, _ in numbers}
        select, state_of = self._consumer._fetcher._select_read_replica, subscription.assignment.state_value
        states = {place: state_of(place) for place in subscription.assignment.tps if select(place) == node}
        return all(
            state.has_valid_position and asked.get(place) == state.position for place, state in states.items()
        )

    def _note_answer(self, answer: Any, wait: int) -> None:
        if any(partition[-1] for _, partitions in answer.topics for partition in partitions):  # records
            self._wait_ms = USUAL_MS
        elif wait == self._wait_ms:  # nothing has changed meanwhile
            self._wait_ms = min(wait * _LONGER, MOST_MS)

    def note_change(self) -> None:
        """Let what is to be fetched from now on wait for no fetch that is under way."""
        self._wait_ms = FIRST_MS
        while self._patient:
            connection = self._client._conns.get((self._patient.pop(), _FETCHES))
            if connection is not None:
                connection.close(reason=CloseReason.SHUTDOWN)

    def _compare_leaders(self, cluster: ClusterMetadata) -> None:
        """Note where partitions have moved to another broker: it may be one that holds a fetch."""
        if cluster._broker_partitions != self._leaders:
            self._leaders = cluster._broker_partitions
            self.note_change()

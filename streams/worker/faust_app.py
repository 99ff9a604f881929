"""Faust's app as a worker needs it: our transport and assignor, no tables, no web server, no offsets of its own."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.types import TP

from streams.kafka.connection import consumer_arguments
from streams.kafka.fetch import Reader
from streams.settings import Settings
from streams.worker.address import name_worker
from streams.worker.assignor import Assignor
from streams.worker.private import make_private
from streams.worker.sharing import Share
from streams.worker.standbys import Standbys
from streams.worker.transport import Transport

_SESSION_SECONDS = 6.0  # the least that brokers allow (group.min.session.timeout.ms), as they come
_REBALANCE_SECONDS = 20.0  # for which the group waits for a member to join it anew
_REQUEST_SECONDS = 10.0  # for which a broker may hang: its partitions have another leader by then
_HEARTBEAT_SECONDS = 0.3  # by when a worker knows that the group agrees anew, and those that wait for it go on


class _Tables(TableManager):  # type: ignore[misc]
    """Faust's tables, of which there are none: without the second in which it waits for some to be declared."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


class _Boot(BootStrategy):  # type: ignore[misc]
    """What Faust starts: no producer, for the partitions have their own."""

    enable_kafka_producer = False


class FaustApp(faust.App):  # type: ignore[misc]
    """Faust's app with our transport; `readers` take what it consumes."""

    BootStrategy = _Boot
    readers: Sequence[Reader] = ()
    partitions: int
    worker_name = ""
    standbys: Standbys
    client_arguments: Mapping[str, Any]
    generation = -1
    """The group's. Faust is told of none (`consumer_generation_id`), for it drops what it has of the one before."""
    assignments = 0
    """How often the group has given this worker its partitions."""
    on_crash: Callable[[BaseException], None]

    def wants(self, topic: str, partition: int) -> bool:
        """Say whether the topic's reader has room for another fetch of this partition."""
        return any(reader.wants(topic, partition) for reader in self.readers if topic in reader.topics)

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    async def _on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Start as Faust does; later stop nothing, as Faust would, but tell the readers at once."""
        if self.should_stop or not self.tables.recovery.completed.is_set():
            await super()._on_partitions_assigned(assigned, generation_id)
            return
        try:
            self._update_assignment(assigned)
            await self.topics.on_partitions_assigned(assigned)
            await self.on_partitions_assigned.send(assigned)
        except Exception as error:
            await self.crash(error)

    def on_rebalance_return(self) -> None:
        """Note that a rebalance is done, if Faust knows of it."""
        if self.rebalancing:
            super().on_rebalance_return()

    @property
    def share(self) -> Share:
        """Return which copies this worker is to keep."""
        share: Share = self.assignor.share
        return share

    async def rejoin(self) -> None:
        """Tell the group anew what this worker has: it agrees anew if this one leads it or tells something new."""
        await self.consumer.rejoin()

    async def leave(self) -> None:
        """Leave the group at once, if the worker has come that far."""
        if self._consumer is not None:
            await self._consumer.leave()

    async def _on_agent_error(self, agent: Any, exc: BaseException) -> None:
        """Let the worker end: Faust would start another agent, and what was handed to this one would be gone."""
        self.on_crash(exc)

    def _crash(self, reason: BaseException) -> None:
        """Let the worker end with any Faust service's error: it would stay in the group, and read nothing."""
        self.on_crash(reason)
        super()._crash(reason)


def make_faust_app(settings: Settings, address: str) -> FaustApp:
    """Return the app of a worker that the others find at this address, if it has one."""
    folder = settings.data_dir / settings.app_id
    make_private(folder)
    app = FaustApp(
        settings.app_id,
        canonical_url=address or None,
        broker_client_id="fairway",  # in front of the member's id, where Kafka's tools and our pages show it
        store="memory://",
        TableManager=_Tables,
        datadir=str(folder / "faust"),
        value_serializer="raw",
        key_serializer="raw",
        PartitionAssignor=Assignor,
        web_enabled=False,  # it would bind 0.0.0.0 and show rows to anyone
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_group_instance_id=settings.instance_id,
        broker_session_timeout=_SESSION_SECONDS,
        broker_heartbeat_interval=_HEARTBEAT_SECONDS,
        broker_request_timeout=_REQUEST_SECONDS,
        broker_rebalance_timeout=_REBALANCE_SECONDS,
        broker_max_poll_records=2000,
        broker_commit_interval=60.0,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=64,
    )
    app.client_arguments = consumer_arguments(settings)
    app.worker_name = name_worker(settings, address)
    return app

"""A Kafka cluster for tests: one broker or several, each of which can be killed, stopped and started again."""

import os
import signal
from pathlib import Path
from typing import NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.dev import broker, java, processes
from streams.dev.processes import Process
from tests import client
from tests.ports import free_ports

_PATIENCE = 180.0
_NAMED = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")


class Way(NamedTuple):
    """A listener beside the plain one: `port` is what clients are told, `target` where the broker listens."""

    port: int
    target: int


class Node(NamedTuple):
    """One broker, its number from 0 in the cluster, its ports and its folder."""

    number: int
    port: int
    controller_port: int
    ways: tuple[Way, ...]
    folder: Path


class Brokers:
    """Brokers by number; topics of several have three copies, two of which a write waits for.

    Each has `ways` listeners of its own beside the plain one, for proxies that stand between; `jvm` is what Java is
    told beside.
    """

    def __init__(self, folder: Path, count: int = 1, ways: int = 0, jvm: str = "") -> None:
        self._jvm = jvm
        self._cluster = broker.make_cluster_id(folder)
        self.nodes = [_make_node(number, folder, ways) for number in range(count)]
        self._running: dict[int, Process] = {}
        try:
            self.start(*self.numbers)
        except BaseException:
            self.close()
            raise

    @property
    def numbers(self) -> range:
        return range(len(self.nodes))

    @property
    def address(self) -> str:
        """All brokers, as a client's list of them."""
        return ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    @property
    def copies(self) -> int:
        """How many copies a topic has."""
        return min(3, len(self.nodes))

    def start(self, *numbers: int) -> None:
        """Start brokers, on the data that they left if they ran before; return when each answers."""
        jvm = f"{self._jvm} -Xms64m -Xmx{384 if len(self.nodes) == 1 else 256}m -XX:TieredStopAtLevel=1"
        for number in numbers:
            node = self.nodes[number]
            self._running[number] = java.run(node.folder, self._cluster, jvm, self._properties(node))
        for number in numbers:
            node = self.nodes[number]
            server = broker.Broker(node.port, node.controller_port, self._running[number], cluster=self._cluster)
            client.wait_until(lambda server=server: broker.answers(server), _PATIENCE)

    def signal(self, by: signal.Signals, *numbers: int) -> None:
        for number in numbers:
            os.kill(self._running[number].pid, by)

    def kill(self, *numbers: int) -> None:
        """Kill -9, all at once."""
        self.signal(signal.SIGKILL, *numbers)
        for number in numbers:
            os.waitpid(self._running.pop(number).pid, 0)

    def stop(self, number: int) -> None:
        """Ask a broker to end: it hands over what it leads first."""
        processes.stop(self._running.pop(number), signal.SIGTERM, _PATIENCE)

    def wait_until_whole(self) -> None:
        """Return when every broker is there, and every copy of every partition has all that was written."""
        admin = AdminClient({"bootstrap.servers": self.address, "log_level": 2})
        client.wait_until(lambda: self._is_whole(admin), _PATIENCE)

    def _is_whole(self, admin: AdminClient) -> bool:
        try:
            found = admin.list_topics(timeout=10)
        except KafkaException:
            return False
        partitions = [one for topic in found.topics.values() for one in topic.partitions.values()]
        has_all_copies = all(len(one.isrs) == len(one.replicas) for one in partitions)
        return has_all_copies and len(found.brokers) == len(self.nodes)

    def close(self) -> None:
        for number in tuple(self._running):
            self.signal(signal.SIGCONT, number)
            processes.stop(self._running.pop(number), signal.SIGKILL)

    def _properties(self, node: Node) -> dict[str, str]:
        properties = broker.properties(node.port, node.controller_port, "127.0.0.1", str(node.folder / "data"))
        names = [f"WAY{number}" for number in range(len(node.ways))]
        for name, way in zip(names, node.ways, strict=True):
            properties["listeners"] += f",{name}://127.0.0.1:{way.target}"
            properties["advertised.listeners"] += f",{name}://127.0.0.1:{way.port}"
            properties["listener.security.protocol.map"] += f",{name}:PLAINTEXT"
        properties["group.initial.rebalance.delay.ms"] = "500"
        properties["node.id"] = str(node.number + 1)
        voters = [f"{one.number + 1}@127.0.0.1:{one.controller_port}" for one in self.nodes]
        properties["controller.quorum.voters"] = ",".join(voters)
        properties |= {f"{topic}.replication.factor": str(self.copies) for topic in _NAMED}
        properties |= {f"{topic}.min.isr": str(min(2, self.copies)) for topic in _NAMED[1:]}
        return properties


def _make_node(number: int, folder: Path, ways: int) -> Node:
    port, controller_port, *others = free_ports(2 + 2 * ways)
    pairs = tuple(Way(*pair) for pair in zip(others[:ways], others[ways:], strict=True))
    return Node(number, port, controller_port, pairs, folder / f"kafka-{number}")

"""Three brokers, each topic on all of them, of which any can be killed and started again."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from streams.dev import broker, java, processes
from streams.dev.processes import Process
from tests import client

NODES = 3
_JVM = "-Xms64m -Xmx256m -XX:TieredStopAtLevel=1"
_ALONE = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")


class Cluster:
    """The brokers by number from 1; `addresses` are all of theirs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = [_two_ports() for _ in range(NODES)]
        self.addresses = ",".join(f"127.0.0.1:{port}" for port, _ in self._ports)
        self._nodes: dict[int, Process] = {}
        for number in range(1, NODES + 1):
            self.start(number)
        for number in range(1, NODES + 1):
            self.wait_for(number)

    def start(self, number: int) -> None:
        folder = self._folder / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        self._nodes[number] = java.run(folder, broker._CLUSTER, _JVM, self._properties(number))

    def wait_for(self, number: int) -> None:
        """Return when a broker answers."""
        server = broker.Broker(*self._ports[number - 1], self._nodes[number])
        client.wait_until(lambda: broker._answers(server), 120)

    def kill(self, number: int) -> None:
        os.kill(self._nodes[number].pid, signal.SIGKILL)
        os.waitpid(self._nodes[number].pid, 0)

    def close(self) -> None:
        for process in self._nodes.values():
            processes.stop(process, signal.SIGKILL)

    def _properties(self, number: int) -> dict[str, str]:
        port, controller = self._ports[number - 1]
        voters = ",".join(f"{node}@127.0.0.1:{other}" for node, (_, other) in enumerate(self._ports, start=1))
        return broker._properties(port, controller, "127.0.0.1", str(self._folder / str(number) / "data")) | {
            "node.id": str(number),
            "controller.quorum.voters": voters,
            **{f"{topic}.replication.factor": str(NODES) for topic in _ALONE},
            **{f"{topic}.min.isr": "2" for topic in _ALONE[1:]},
        }


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()


def replicate(file: Path) -> None:
    """Let all topics of a file be on all brokers, and be written to two of them at least."""
    content = yaml.safe_load(file.read_text())
    content["defaults"]["replication"] = NODES
    for topic in content["topics"].values():
        topic.setdefault("configs", {})["min.insync.replicas"] = 2
    file.write_text(yaml.safe_dump(content))


def _two_ports() -> tuple[int, int]:
    """Return two ports that no connection gets by chance while the broker is down."""
    return tuple(processes.free_port(*random.SystemRandom().sample(range(12_000, 32_000), 50)) for _ in range(2))  # type: ignore[return-value]

"""A Kafka broker of its own that can be killed, stopped and cut off: a direct way in, and one by proxy a worker."""

import asyncio
import os
import random
import signal
from datetime import UTC, datetime
from pathlib import Path

import yaml

from models.journey import Journey, JourneyStatus
from streams.dev import broker, java, processes
from streams.journeys.records import JourneyState, status_record, version_record
from streams.kafka import provision
from streams.kafka.topics import ACTIVITY, COMMANDS, DEFINITIONS, INBOX, read_topics
from tests import client
from tests.faults.proxy import Network

APP = "faults"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_JVM = "-Xms64m -Xmx384m -XX:TieredStopAtLevel=1"
_WAYS = 5  # more than there are ever workers


class Cluster:
    """The broker, its topics and journeys, and the network to it."""

    def __init__(self, folder: Path, partitions: int) -> None:
        self.folder = folder
        self.partitions = partitions
        ports = [_free_port() for _ in range(2 + 2 * _WAYS)]
        self._port, self._controller, *ways = ports
        self._ways = dict(zip(ways[:_WAYS], ways[_WAYS:], strict=True))
        self.address = f"127.0.0.1:{self._port}"
        self.topics_file = folder / "topics.yaml"
        folder.mkdir(parents=True, exist_ok=True)
        self.start()
        self.network = Network(self._ways)
        self._create_topics()

    def way(self, worker: int) -> str:
        """Return the address by which a worker reaches the broker."""
        return f"127.0.0.1:{self.network.proxies[worker].port}"

    def start(self) -> None:
        """Start the broker, on the data that it left if it ran before."""
        self._process = java.run(self.folder, broker._FIRST_CLUSTER, _JVM, self._properties())
        self._wait_for_it()

    def _wait_for_it(self) -> None:
        server = broker.Broker(self._port, self._controller, self._process)
        client.wait_until(lambda: broker._answers(server), 180)

    def _properties(self) -> dict[str, str]:
        properties = broker._properties(self._port, self._controller, "127.0.0.1", str(self.folder / "data"))
        names = [f"WAY{number}" for number in range(_WAYS)]
        ways = list(zip(names, self._ways.items(), strict=True))
        properties["listeners"] += "".join(f",{name}://127.0.0.1:{target}" for name, (_, target) in ways)
        properties["advertised.listeners"] += "".join(f",{name}://127.0.0.1:{port}" for name, (port, _) in ways)
        properties["listener.security.protocol.map"] += "".join(f",{name}:PLAINTEXT" for name in names)
        properties["group.initial.rebalance.delay.ms"] = "500"
        return properties

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)
        if number is signal.SIGKILL:
            os.waitpid(self._process.pid, 0)

    def close(self) -> None:
        self.network.close()
        processes.stop(self._process, signal.SIGKILL)

    def _create_topics(self) -> None:
        """Create the project's topics; the broker's clock on commands and activity puts them in order."""
        content = yaml.safe_load(Path("topics.yaml").read_text())
        content["defaults"]["partitions"] = self.partitions
        for topic in (COMMANDS, ACTIVITY):
            content["topics"][topic].setdefault("configs", {})["message.timestamp.type"] = "LogAppendTime"
        self.topics_file.write_text(yaml.safe_dump(content))
        topics = read_topics(self.topics_file, APP)
        self.inputs = (*topics.events, INBOX)
        self.changelog = topics.changelog
        asyncio.run(provision.apply(self.address, topics))

    def publish(self, journeys: list[Journey]) -> None:
        """Let the workers know these journeys as ACTIVE."""
        lines = [version_record(journey) for journey in journeys]
        for journey in journeys:
            state = JourneyState(
                journey.tenant_id, journey.id, journey.name, JourneyStatus.ACTIVE, journey.version, LONG_AGO
            )
            lines.append(status_record(state))
        client.produce(
            self.address, [client.Record(DEFINITIONS, key.encode(), value, (), 0) for key, value in lines]
        )


def _free_port() -> int:
    """Return a port that no connection gets by chance while the broker, or a way to it, is down."""
    return processes.free_port(*random.SystemRandom().sample(range(12_000, 32_000), 50))

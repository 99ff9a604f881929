"""A cluster whose brokers and network can be broken: a direct way in, and one by proxy for each worker."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import yaml

from models.journey import Journey, JourneyStatus
from streams.journeys.records import JourneyState, status_record, version_record
from streams.kafka import provision
from streams.kafka.topics import ACTIVITY, COMMANDS, DEFINITIONS, INBOX, read_topics
from streams.settings import Settings
from tests import client
from tests.brokers import Brokers
from tests.faults.proxy import Network

APP = "faults"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_WAYS = 5  # more than there are ever workers


class Cluster:
    """The brokers, their topics and journeys, and the network to them."""

    def __init__(self, folder: Path, partitions: int, brokers: int = 1) -> None:
        self.partitions = partitions
        self.topics_file = folder / "topics.yaml"
        self.brokers = Brokers(folder, brokers, _WAYS)
        self.address = self.brokers.address
        self.network = Network([[node.ways[way] for node in self.brokers.nodes] for way in range(_WAYS)])
        self._create_topics()

    def way(self, worker: int) -> str:
        """Return the address by which a worker reaches the brokers."""
        return self.network.ways[worker].address

    def close(self) -> None:
        self.network.close()
        self.brokers.close()

    def _create_topics(self) -> None:
        """Create the project's topics; the broker's clock on commands and activity puts them in order."""
        content = yaml.safe_load(Path("topics.yaml").read_text())
        content["defaults"] |= {"partitions": self.partitions, "replication": self.brokers.copies}
        content["defaults"]["configs"]["min.insync.replicas"] = min(2, self.brokers.copies)
        for topic in (COMMANDS, ACTIVITY):
            content["topics"][topic].setdefault("configs", {})["message.timestamp.type"] = "LogAppendTime"
        self.topics_file.write_text(yaml.safe_dump(content))
        topics = read_topics(self.topics_file, APP)
        self.inputs = (*topics.events, INBOX)
        self.changelog = topics.changelog
        asyncio.run(provision.apply(Settings(brokers=self.address), topics))

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

"""The main job and a takeover on other versions of Kafka than the one that `fairway dev` runs: `make versions`."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
import yaml

from streams.dev import broker, java, processes
from streams.kafka import provision
from streams.kafka.topics import read_topics
from streams.settings import Settings
from tests import client
from tests.broker import workers
from tests.ports import free_ports

pytestmark = [pytest.mark.versions, pytest.mark.timeout(240)]

_LOCKS = {file.stem: file for file in sorted(Path(__file__).parent.glob("*.lock"))} | {"4.2.1": java.LOCK}
_JVM = "-Xms64m -Xmx384m -XX:TieredStopAtLevel=1"
_NOWHERE = "postgresql://nobody@127.0.0.1:1/none"  # journeys come by Kafka, and history can wait
_EVENTS, _CUSTOMERS = 2_000, 200


@pytest.fixture(params=_LOCKS)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an app on a broker of this version, with its topics."""
    port, controller_port = free_ports(2)
    folder = tmp_path / "kafka"
    cluster = broker.make_cluster_id(folder)
    properties = broker.properties(port, controller_port, "127.0.0.1", str(folder / "data"))
    process = java.run(folder, cluster, _JVM, properties, lock=_LOCKS[request.param])
    try:
        server = broker.Broker(port, controller_port, process, cluster=cluster)
        client.wait_until(lambda: broker.answers(server) or not broker.is_running(server), 90)
        assert broker.is_running(server), java.log_file(folder).read_text()[-4000:]
        content = yaml.safe_load(Path("topics.yaml").read_text())
        content["defaults"]["partitions"] = 4
        file = tmp_path / "topics.yaml"
        file.write_text(yaml.safe_dump(content))
        made = Settings(brokers=server.address, app_id="versions", topics_file=file, data_dir=tmp_path / "data")
        asyncio.run(provision.apply(made, read_topics(file, made.app_id)))
        yield made
    finally:
        processes.stop(process, signal.SIGKILL)


def test_every_event_has_its_command_once_though_a_worker_is_killed(
    settings: Settings, request: pytest.FixtureRequest
) -> None:
    workers.publish(settings, workers.journey())
    events, half = workers.events(range(_EVENTS), _CUSTOMERS), _EVENTS // 2
    started = monotonic()
    with workers.running(settings, 2, FAIRWAY_DATABASE_URL=_NOWHERE) as (first, second):
        client.produce(settings.brokers, events[:half])
        workers.wait_for_commands(settings, workers.expected(half, _CUSTOMERS), 90)
        first.end(signal.SIGKILL)
        killed = monotonic()
        client.produce(settings.brokers, events[half:])
        workers.wait_for_commands(settings, workers.expected(_EVENTS, _CUSTOMERS), 90)
        ended = monotonic()
        assert second.end(signal.SIGTERM) == 0
    name = request.node.callspec.params["settings"]
    print(f"Kafka {name}: {_EVENTS} events in {ended - started:.1f} s, {ended - killed:.1f} s of it after the kill")

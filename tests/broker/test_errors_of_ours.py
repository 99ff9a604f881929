"""An error of ours ends the worker, wherever it is raised: one that stayed would hold up its customers."""

import signal

import pytest

from streams.settings import Settings
from tests import client
from tests.broker.workers import Worker, events

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

_FAIL = """
def fail(*_, **__):
    raise TypeError("an error of ours")
"""


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(
            "from streams.worker.transport import Fetching as it; it._fetch_records = fail",
            id="take what was fetched",
        ),
        pytest.param("from streams.worker.fetch_waits import FetchWaits as it; it.fetch = fail", id="fetch"),
        pytest.param("from streams.worker.assignor import Assignor as it; it.assign = fail", id="share out"),
        pytest.param("from streams.worker.assignor import Assignor as it; it.on_assignment = fail", id="join"),
        pytest.param(
            "from aiokafka.consumer.group_coordinator import GroupCoordinator as it; it._do_heartbeat = fail",
            id="beat",
        ),
        pytest.param("from streams.worker.assignment import Assignment as it; it.take = fail", id="take a fetch"),
        pytest.param(
            "from streams.worker.rebalancing import Rebalancing as it; it._assign = fail", id="hand partitions on"
        ),
    ],
)
def test_a_worker_ends_with_an_error_of_ours(settings: Settings, patch: str) -> None:
    client.produce(settings.brokers, events(range(10), 10))
    worker = Worker(settings, "one", f"{_FAIL}\n{patch}")
    try:
        assert worker.process.wait(30) != 0
        said = worker.log.read_text()
        assert "an error of ours" in said
        assert "Kafka can't be used" not in said
    finally:
        worker.end(signal.SIGKILL)

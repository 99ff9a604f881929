"""An error of ours ends the worker, wherever it is raised: one that stayed would hold up its customers.

So does a library that ends for good what a worker needs; where it only cancels something, that is begun anew.
"""

import signal

import pytest

from streams.settings import Settings
from tests import client
from tests.broker.workers import Worker, events, expected, journey, publish, running, wait_for_commands

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

_FAIL = """
def fail(*_, **__):
    raise TypeError("an error of ours")
"""
_CANCEL_ONCE = """
from asyncio import CancelledError
from streams.kafka.transactions import Transactions

cancelled = []
send = Transactions.send_offsets

async def send_offsets(self, *given):
    if not cancelled:
        cancelled.append(self)
        raise CancelledError
    await send(self, *given)

Transactions.send_offsets = send_offsets
"""
_END = """
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator

def end_if(cls, name, is_meant):
    work = getattr(cls, name)

    async def end(self):
        if not is_meant(self):
            return await work(self)
        {}

    setattr(cls, name, end)

end_if(Fetcher, "_fetch_requests_routine", lambda one: {} and hasattr(one._subscriptions, "on_error"))
end_if(GroupCoordinator, "_coordination_routine", lambda _: not {})
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


@pytest.mark.parametrize("is_fetcher", [True, False], ids=["fetcher", "coordinator"])
@pytest.mark.parametrize("way", ["pass", "raise __import__('asyncio').CancelledError"], ids=["ended", "cancelled"])
def test_a_worker_ends_where_aiokafka_does_nothing_more_and_says_nothing(
    settings: Settings, way: str, is_fetcher: bool
) -> None:
    worker = Worker(settings, "one", f"{_END.format(way, is_fetcher, is_fetcher)}")
    try:
        assert worker.process.wait(30) != 0
        assert "has ended, and nobody asked it to" in worker.log.read_text()
    finally:
        worker.end(signal.SIGKILL)


def test_a_transaction_that_a_library_cancels_is_done_anew(settings: Settings) -> None:
    publish(settings, journey())
    client.produce(settings.brokers, events(range(100), 10))
    with running(settings, patch=_CANCEL_ONCE) as workers:
        wait_for_commands(settings, expected(100, 10))
        assert "a library cancelled its transaction" in workers[0].log.read_text()

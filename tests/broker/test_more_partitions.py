"""A topic that is given more partitions: nobody reads the new ones, and nobody goes on as if there were none."""

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from streams.settings import Settings
from tests import client
from tests.broker.workers import TOPIC, ask_every, event, journey, publish, running

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def test_a_running_worker_and_one_that_starts_end_with_a_sentence_that_names_the_topic(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings, patch=ask_every(5)) as (worker,):
        client.produce(settings.brokers, [event(1, "ann")])
        client.wait_until(lambda: "The worker is ready." in worker.log.read_text(), 60)
        admin = AdminClient({"bootstrap.servers": settings.brokers})
        admin.create_partitions([NewPartitions(TOPIC, 6)])[TOPIC].result(client.PATIENCE)
        client.wait_until(lambda: worker.process.poll() is not None, 100)
        told = worker.log.read_text()
        assert worker.process.returncode == 1
        assert f"reads '{TOPIC}' with 6 partitions, this worker with 4: stop all workers" in told
        assert "Traceback" not in told
    with running(settings) as (again,):
        assert again.wait() == 1
        assert f"Topic '{TOPIC}' has 6 partitions, but must have 4" in again.log.read_text()

"""Workers whose topics.yaml differ, at a real broker: what one of them does not know, it does not spoil."""

import re
import signal
from pathlib import Path

import pytest
import yaml
from confluent_kafka.admin import AdminClient, NewPartitions

from streams.kafka.topics import DEFINITIONS, read_topics
from streams.settings import Settings
from tests import client
from tests.broker.workers import (
    Worker,
    ask_every,
    events,
    expected,
    journey,
    publish,
    running,
    wait_for_commands,
)
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
OTHER = "teetime.cancelled"


@pytest.fixture
def without(settings: Settings) -> Settings:
    """Settings of a worker whose topics.yaml lacks the other topic."""
    content = yaml.safe_load(settings.topics_file.read_text())
    del content["topics"][OTHER]
    return settings.model_copy(update={"topics_file": write(settings, "without", content)})


def write(settings: Settings, name: str, content: object) -> Path:
    file = settings.topics_file.with_name(f"{name}.yaml")
    file.write_text(yaml.safe_dump(content))
    return file


def others(numbers: range) -> list[Record]:
    return [
        event._replace(topic=OTHER) for event in events(range(numbers.start + 10_000, numbers.stop + 10_000), 20)
    ]


def refusal(worker: Worker) -> str:
    """Return the sentence with which a worker ended by itself."""
    assert worker.wait() == 1
    return worker.log.read_text().splitlines()[-1]


def test_a_topic_is_read_once_the_leader_knows_it_and_who_does_not_know_it_then_is_refused(
    settings: Settings, without: Settings
) -> None:
    publish(settings, journey(), journey("Sorry", event=OTHER))
    with running(without) as workers:
        client.produce(settings.brokers, [*events(range(100), 20), *others(range(100))])
        wait_for_commands(settings, expected(100, 20))
        workers.append(Worker(settings, "newer"))
        waits = (
            f"Events in '{OTHER}' wait, for the worker that leads the group '{settings.app_id}' does not know the "
            "topic: give all workers the same topics.yaml, and start them again."
        )
        client.wait_until(lambda: waits in workers[1].log.read_text())
        client.produce(settings.brokers, events(range(100, 200), 20))
        wait_for_commands(settings, expected(200, 20))
        assert workers[0].end(signal.SIGTERM) == 0
        wait_for_commands(settings, expected(200, 20) | expected(100, 20, "Sorry"))
        workers.append(Worker(without, "older"))
        assert refusal(workers[2]) == (
            f"fairway: The group '{settings.app_id}' reads '{OTHER}', which this worker's topics.yaml lacks: "
            "give all workers the same file, and start this one again."
        )
        client.produce(settings.brokers, [*events(range(200, 300), 20), *others(range(100, 200))])
        wait_for_commands(settings, expected(300, 20) | expected(200, 20, "Sorry"))
        assert "was lost" not in workers[1].log.read_text()


@pytest.mark.timeout(300)
def test_a_topic_that_is_no_longer_listed_is_let_be_and_goes_on_where_it_was_when_it_returns(
    settings: Settings, without: Settings
) -> None:
    publish(settings, journey(), journey("Sorry", event=OTHER))
    for number, (listing, sorry) in enumerate([(settings, 100), (without, 100), (settings, 200), (without, 200)]):
        if number == 3:
            client.delete_topics(settings.brokers, [OTHER])
        with running(listing) as (worker,):
            news = events(range(number * 100, number * 100 + 100), 20)
            client.produce(
                settings.brokers, news if listing is without else [*news, *others(range(sorry - 100, sorry))]
            )
            wait_for_commands(settings, expected(number * 100 + 100, 20) | expected(sorry, 20, "Sorry"))
            assert worker.end(signal.SIGTERM) == 0
            assert re.findall("was lost|in order", worker.log.read_text()) == []


def test_a_worker_with_another_number_of_partitions_is_refused(settings: Settings) -> None:
    publish(settings, journey())
    topics = read_topics(settings.topics_file, settings.app_id)
    with running(settings, patch=ask_every(600)) as workers:  # who leads does not see what grows, and end
        client.produce(settings.brokers, events(range(100), 20))
        wait_for_commands(settings, expected(100, 20))
        admin = AdminClient({"bootstrap.servers": settings.brokers})
        grown = admin.create_partitions(
            [NewPartitions(topic.name, 8) for topic in topics.all if topic.name != DEFINITIONS]
        )
        for done in grown.values():
            done.result(client.PATIENCE)
        content = yaml.safe_load(settings.topics_file.read_text())
        content["defaults"]["partitions"] = 8
        eight = settings.model_copy(update={"topics_file": write(settings, "eight", content)})
        workers.append(Worker(eight, "eight"))
        assert refusal(workers[1]) == (
            f"fairway: The group '{settings.app_id}' reads 'customer.deleted' with 4 partitions, this worker "
            "with 8: stop all workers, run 'fairway topics plan', and start them with the same topics.yaml."
        )
        assert workers[0].end(signal.SIGTERM) == 0


def test_a_named_worker_that_comes_back_with_a_longer_list_reads_it(settings: Settings, without: Settings) -> None:
    publish(settings, journey(), journey("Sorry", event=OTHER))
    with running(without, FAIRWAY_INSTANCE_ID="one") as workers:
        client.produce(settings.brokers, [*events(range(100), 20), *others(range(100))])
        wait_for_commands(settings, expected(100, 20))
        assert workers[0].end(signal.SIGTERM) == 0
        workers.append(Worker(settings, "again", FAIRWAY_INSTANCE_ID="one"))
        wait_for_commands(settings, expected(100, 20) | expected(100, 20, "Sorry"))

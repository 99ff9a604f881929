"""Workers at a real broker: every command once, whatever happens to worker, partition, record or topic."""

import asyncio
import re
import shutil
import signal
from collections import Counter

import msgspec
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from models.customer import decode
from models.ids import customer_key
from streams.failpoints import NAMES
from streams.kafka import provision
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, read_topics
from streams.partition.internal_rows import POSITION
from streams.settings import Settings
from tests import client
from tests.broker.workers import (
    TENANT,
    TOPIC,
    Worker,
    command_ids,
    event,
    events,
    expected,
    journey,
    publish,
    running,
    stores,
    wait_for_commands,
)
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


def state(settings: Settings) -> dict[bytes, bytes]:
    """Return the last row of every key on the changelog."""
    rows: dict[bytes, bytes] = {}
    for record in client.read_committed(settings.brokers, f"{settings.app_id}-customers-changelog"):
        assert record.key is not None
        rows.pop(record.key, None)
        if record.value:
            rows[record.key + b"@%d" % record.partition if record.key.startswith(b":") else record.key] = (
                record.value
            )
    return rows


def test_every_event_gives_its_command_once_and_bad_ones_go_to_the_dead_letters(settings: Settings) -> None:
    publish(settings, journey())
    bad = {
        "not-json": Record(TOPIC, b"k", b"{", (("h", b"1"),)),
        "not-utf8": Record(TOPIC, None, b"\xff\xfe"),
        "schema": Record(TOPIC, b"k", b"{}"),
        "too-deep": Record(TOPIC, b"k", b"[" * 50),
        "too-large": Record(TOPIC, b"k", b"x" * (256 * 1024 + 1)),
    }
    feed = events(range(1000), 40)
    for place, record in enumerate(bad.values()):
        feed.insert(place * 200, record)
    with running(settings) as (worker,):
        client.produce(settings.brokers, feed)
        wait_for_commands(settings, expected(1000, 40))
        assert worker.end(signal.SIGTERM) == 0
    letters = client.read_committed(settings.brokers, DEAD_LETTERS)
    assert {dict(letter.headers)["dlq.code"].decode(): letter.value for letter in letters} == {
        code: record.value for code, record in bad.items()
    }
    assert len(letters) == len(bad)
    first = next(letter for letter in letters if letter.value == b"{")
    headers = dict(first.headers)
    assert (first.key, headers["h"], headers["dlq.topic"]) == (b"k", b"1", TOPIC.encode())
    assert headers["dlq.reason"] == b"The value is not JSON."
    assert {"dlq.partition", "dlq.offset", "dlq.timestamp", "dlq.at"} <= headers.keys()
    assert len(client.read_committed(settings.brokers, ACTIVITY)) == 1000


def test_a_command_carries_its_headers(settings: Settings) -> None:
    publish(settings, journey())
    trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    traced = event(0, "c-0")._replace(headers=(("traceparent", trace),))
    with running(settings):
        client.produce(settings.brokers, [traced])
        wait_for_commands(settings, expected(1, 1))
    (command,) = client.read_committed(settings.brokers, COMMANDS)
    id_ = msgspec.json.decode(command.value or b"")["commandId"].encode()
    assert command.key == b"pinehurst:c-0"
    assert dict(command.headers) == {
        "command-id": id_, "tenant-id": TENANT.encode(), "channel": b"EMAIL", "traceparent": trace,
    }  # fmt: skip


def test_an_event_on_a_foreign_partition_is_handled_where_its_customer_lives(settings: Settings) -> None:
    publish(settings, journey())
    feed = events(range(400), 20)
    astray = [record._replace(partition=number % 4, key=None) for number, record in enumerate(feed)]
    with running(settings):
        client.produce(settings.brokers, astray)
        wait_for_commands(settings, expected(400, 20))
    for command in client.read_committed(settings.brokers, COMMANDS):
        assert command.partition == partition_of(command.key or b"", 4)
    for activity in client.read_committed(settings.brokers, ACTIVITY):
        cause = msgspec.json.decode(activity.value or b"")["cause"]
        assert cause["topic"] == TOPIC
        assert f"e-{cause['offset'] * 4 + cause['partition']}" == cause["eventId"]


def test_a_worker_that_is_killed_half_way_and_started_again_finishes_the_work(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(3000), 100))
        client.wait_until(lambda: len(command_ids(settings)) > 300)
        workers[0].end(signal.SIGKILL)
        workers.append(Worker(settings, "again"))
        wait_for_commands(settings, expected(3000, 100))
        assert workers[1].end(signal.SIGTERM) == 0
    rows = state(settings)
    customers = [decode(row) for key, row in rows.items() if not key.startswith(b":")]
    assert sorted(customer.records for customer in customers) == [30] * 100


def test_partitions_move_between_workers_without_loss(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(1500), 50))
        client.wait_until(lambda: len(command_ids(settings)) > 100)
        workers.append(Worker(settings, "second"))
        client.produce(settings.brokers, events(range(1500, 3000), 50))
        client.wait_until(lambda: len(command_ids(settings)) > 2000)
        assert workers[0].end(signal.SIGTERM) == 0
        client.produce(settings.brokers, events(range(3000, 4000), 50))
        wait_for_commands(settings, expected(4000, 50))
        assert workers[1].end(signal.SIGTERM) == 0


def test_a_worker_that_was_stopped_past_its_session_changes_nothing_when_it_goes_on(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(500), 50))
        wait_for_commands(settings, expected(500, 50))
        workers[0].process.send_signal(signal.SIGSTOP)
        client.produce(settings.brokers, events(range(500, 1500), 50))
        workers.append(Worker(settings, "second"))
        wait_for_commands(settings, expected(1500, 50), patience=2 * client.PATIENCE)
        workers[0].process.send_signal(signal.SIGCONT)
        client.produce(settings.brokers, events(range(1500, 2500), 50))
        wait_for_commands(settings, expected(2500, 50))
        assert workers[0].end(signal.SIGTERM) == 0
        assert workers[1].end(signal.SIGTERM) == 0


@pytest.mark.parametrize("point", NAMES)
def test_a_worker_that_dies_at_a_failpoint_finishes_the_work_when_started_again(
    settings: Settings, point: str
) -> None:
    publish(settings, journey())
    client.produce(settings.brokers, events(range(200), 20))
    fixed = {"FAIRWAY_INSTANCE_ID": "one"}  # static membership: the group does not wait for the dead one
    with running(settings, FAIRWAY_FAILPOINT=f"{point}:2", **fixed) as workers:
        assert workers[0].wait() == -signal.SIGKILL
        workers.append(Worker(settings, "again", **fixed))
        wait_for_commands(settings, expected(200, 20))


def test_a_store_that_was_removed_is_restored_from_the_changelog(settings: Settings) -> None:
    publish(settings, journey())
    for part, worker_name in enumerate(("first", "second")):
        with running(settings) as workers:
            client.produce(settings.brokers, events(range(part * 200, part * 200 + 200), 20))
            wait_for_commands(settings, expected(part * 200 + 200, 20))
            assert workers[0].end(signal.SIGTERM) == 0, worker_name
        shutil.rmtree(stores(settings))


@pytest.mark.timeout(240)
def test_a_store_of_a_changelog_that_was_made_anew_is_not_trusted(settings: Settings) -> None:
    topics = read_topics(settings.topics_file, settings.app_id)
    elsewhere = settings.model_copy(update={"data_dir": settings.data_dir / "elsewhere"})
    for listing, first in ((settings, 0), (elsewhere, 0), (settings, 300)):
        if listing is elsewhere:
            client.delete_topics(settings.brokers, [topic.name for topic in topics.all])
            asyncio.run(provision.apply(settings, topics))
        publish(settings, journey())
        with running(listing) as (worker,):
            client.produce(settings.brokers, events(range(first, first + 300), 20))
            wait_for_commands(settings, expected(first + 300, 20))
            assert worker.end(signal.SIGTERM) == 0
            told = re.findall(
                r"store-.' can't be used \(it was made from topic .* of cluster", worker.log.read_text()
            )
            assert len(told) == (4 if first else 0)


@pytest.mark.parametrize("codec", ["gzip", "lz4", "zstd", "snappy"])
def test_compressed_topics_are_read(settings: Settings, codec: str) -> None:
    publish(settings, journey())
    with running(settings):
        client.produce(settings.brokers, events(range(200), 20), **{"compression.type": codec})
        wait_for_commands(settings, expected(200, 20))


def test_records_of_an_aborted_transaction_are_not_read(settings: Settings) -> None:
    publish(settings, journey())
    producer = Producer({
        "bootstrap.servers": settings.brokers, "transactional.id": f"{settings.app_id}-test",
        "partitioner": "murmur2_random",
    })  # fmt: skip
    producer.init_transactions(client.PATIENCE)
    for keep in (False, True):
        producer.begin_transaction()
        for record in events(range(100), 20):
            producer.produce(record.topic, record.value, record.key)
        producer.commit_transaction(client.PATIENCE) if keep else producer.abort_transaction(client.PATIENCE)
    with running(settings):
        wait_for_commands(settings, expected(100, 20))


def test_the_group_s_offsets_are_those_of_the_transactions_and_never_go_back(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as (worker,):
        for part in range(3):
            client.produce(settings.brokers, events(range(part * 100, part * 100 + 100), 20))
            wait_for_commands(settings, expected(part * 100 + 100, 20))
        assert worker.end(signal.SIGTERM) == 0
    consumer = Consumer({"bootstrap.servers": settings.brokers, "group.id": settings.app_id})
    try:
        committed = consumer.committed([TopicPartition(TOPIC, number) for number in range(4)], client.PATIENCE)
    finally:
        consumer.close()
    rows = state(settings)
    positions = [msgspec.json.decode(rows[POSITION + b"@%d" % number])[TOPIC] for number in range(4)]
    counts = Counter(partition_of(customer_key(TENANT, f"c-{number % 20}"), 4) for number in range(300))
    assert [place.offset for place in committed] == positions == [counts[number] for number in range(4)]


def test_R21_a_wait_fires_once_and_not_before_its_time(settings: Settings) -> None:
    publish(settings, journey(wait="1 second"))
    with running(settings):
        now = "2026-11-23T10:00:00Z"
        client.produce(settings.brokers, events(range(100), 100, occurredAt=now))
        wait_for_commands(settings, expected(100, 100))
    for record in client.read_committed(settings.brokers, ACTIVITY):
        written = msgspec.json.decode(record.value or b"")
        for entry in written["entries"]:
            if entry["type"] == "step.completed" and entry["stepId"] == "wait":
                assert entry["result"]["firedAt"] >= entry["result"]["waitingUntil"]


def test_missing_topics_are_refused_with_a_sentence(settings: Settings) -> None:
    client.delete_topics(settings.brokers, [COMMANDS])
    client.wait_until(
        lambda: COMMANDS not in client.AdminClient({"bootstrap.servers": settings.brokers}).list_topics().topics
    )
    with running(settings) as (worker,):
        assert worker.wait() == 1
        assert worker.log.read_text() == (
            f"fairway: Topics are missing on {settings.brokers}: '{COMMANDS}'. Run 'fairway topics apply'.\n"
        )
    client.create_topics(settings.brokers, {COMMANDS: 4})

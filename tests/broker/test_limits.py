"""What does not fit the topic that it goes to is decided before the transaction, and holds nobody up."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from models.ids import customer_key
from models.journey import Journey
from streams.engine.inputs import Enroll
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, COMMANDS, DEAD_LETTERS, INBOX
from streams.settings import Settings
from tests import client
from tests.broker.workers import (
    TENANT,
    TOPIC,
    command_ids,
    event,
    events,
    expected,
    journey,
    publish,
    running,
    wait_for_commands,
)
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]


def set_limit(settings: Settings, topic: str, size: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": settings.brokers})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(client.PATIENCE)


def letters(settings: Settings) -> list[tuple[str, str]]:
    """Return code and reason of each dead letter."""
    found = []
    for record in client.read_committed(settings.brokers, DEAD_LETTERS):
        headers = dict(record.headers)
        found.append((headers["dlq.code"].decode(), headers["dlq.reason"].decode()))
    return found


def failures(settings: Settings) -> list[dict[str, Any]]:
    records = client.read_committed(settings.brokers, ACTIVITY)
    entries = (entry for one in records for entry in msgspec.json.decode(one.value or b"")["entries"])
    return [entry for entry in entries if entry["type"] == "enrollment.failed"]


def test_a_due_wait_that_leads_to_more_than_fits_fails_and_its_neighbours_are_served(settings: Settings) -> None:
    steps = [
        {"type": "TRIGGER", "config": {"eventType": "email.opened", "conditions": []}},
        {"id": "wait", "type": "WAIT", "config": {"duration": "3 seconds"}},
        {
            "type": "CONDITION",
            "config": {"rules": [{"field": "trigger.text", "operator": "contains", "value": "x"}] * 45},
        },
    ]
    telling = Journey.model_validate(
        {"tenantId": TENANT, "name": "Telling", "triggerType": "email.opened", "steps": steps}
    )
    publish(settings, journey(), telling)
    whose = next(number for number in range(99) if partition_of(customer_key(TENANT, f"w-{number}"), 4) == 0)
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(100), 20))
        wait_for_commands(settings, expected(100, 20))
        opened = event(9_000, f"w-{whose}", occurredAt=datetime.now(UTC).isoformat(), data={"text": "x" * 200_000})
        client.produce(settings.brokers, [opened._replace(topic="email.opened")])
        client.wait_until(lambda: len(failures(settings)) == 1)
        client.produce(settings.brokers, events(range(100, 200), 20))
        wait_for_commands(settings, expected(200, 20))
        assert "was lost" not in workers[0].log.read_text()
    (failed,) = failures(settings)
    assert failed["stepId"] == "wait"
    assert failed["error"].startswith("A record of 9")
    assert f"for '{TENANT}:w-{whose}' would go to 'fairway.activity', which takes 83" in failed["error"]


def test_what_an_input_would_send_is_held_to_what_the_commands_topic_takes(settings: Settings) -> None:
    set_limit(settings, COMMANDS, 100_000)
    publish(settings, journey())
    large = event(9_000, "c-1", data={"text": "x" * 150_000})
    with running(settings) as workers:
        client.produce(settings.brokers, [*events(range(100), 20), large, *events(range(100, 200), 20)])
        wait_for_commands(settings, expected(200, 20))
        client.wait_until(lambda: len(letters(settings)) == 1)
        assert "was lost" not in workers[0].log.read_text()
    ((code, reason),) = letters(settings)
    assert code == "too-large"
    assert f"for '{TENANT}:c-1' would go to 'fairway.commands', which takes 9" in reason


def test_a_limit_that_is_lowered_while_a_worker_runs_is_learned_from_the_refusal(settings: Settings) -> None:
    publish(settings, journey())
    with running(settings) as workers:
        client.produce(settings.brokers, events(range(100), 20))
        wait_for_commands(settings, expected(100, 20))
        set_limit(settings, COMMANDS, 60_000)
        noise = Random(1).randbytes(80_000).hex()
        large = event(9_000, "c-1", data={"text": noise})
        client.produce(settings.brokers, [large, *events(range(100, 200), 20)])
        wait_for_commands(settings, expected(200, 20))
        client.wait_until(lambda: len(letters(settings)) == 1)
        assert workers[0].log.read_text().count("was lost") <= 2


def test_messages_of_the_inbox_that_are_too_large_are_put_aside(settings: Settings) -> None:
    publish(settings, journey())
    now = datetime.now(UTC)
    manual = [
        msgspec.json.encode(Enroll(journey().id, now, {"text": "x" * size})) for size in (1_000_000, 5_000_000)
    ]
    messages = [Record(INBOX, customer_key(TENANT, f"m-{number}"), value) for number, value in enumerate(manual)]
    with running(settings) as workers:
        client.produce(settings.brokers, [*messages, *events(range(100), 20)], **{"message.max.bytes": "8000000"})
        wait_for_commands(settings, expected(100, 20))
        client.wait_until(lambda: len(letters(settings)) == 2)
        assert "was lost" not in workers[0].log.read_text()
    assert {code for code, _ in letters(settings)} == {"too-large"}
    assert len(command_ids(settings)) == 100


def test_a_topic_that_takes_next_to_nothing_holds_nobody_up(settings: Settings) -> None:
    """Nothing that Fairway would write of an event fits; dead letters are written all the same."""
    set_limit(settings, ACTIVITY, 1_000)
    publish(settings, journey())
    with running(settings):
        client.produce(settings.brokers, [*events(range(20), 20), Record(TOPIC, b"k", json.dumps({}).encode())])
        client.wait_until(lambda: len(letters(settings)) == 21)
    assert {code for code, _ in letters(settings)} == {"too-large", "schema"}

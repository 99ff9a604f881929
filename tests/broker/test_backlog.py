"""R32 at a real broker: what had arrived when a wait was due is read before the wait fires."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from models.ids import customer_key
from models.journey import Journey
from streams.kafka.topics import ACTIVITY, COMMANDS, INBOX
from streams.settings import Settings
from tests import client
from tests.broker.workers import TENANT, Worker, publish, running
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]
CUSTOMERS = 400
ATTEMPTS = 8, 60
"""Seconds until the waits are due: a machine that is too busy for the first is given more."""


def dunning(**wait: object) -> Journey:
    """Return a journey that dunns whoever has not paid after a while."""
    steps = [
        {"type": "TRIGGER", "config": {"eventType": "payment.failed", "conditions": []}},
        {"id": "wait", "type": "WAIT", "config": wait},
        {
            "type": "CONDITION",
            "config": {"rules": [{"field": "customer.paid", "operator": "isTrue"}]},
            "nextStepYesId": "end",
        },
        {"id": "send", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "dunning"}},
        {"id": "end", "type": "END", "config": {}},
    ]
    return Journey.model_validate(
        {"tenantId": TENANT, "name": "Dunning", "triggerType": "payment.failed", "steps": steps}
    )


def events(topic: str, group: str, **data: object) -> list[Record]:
    """Return an event of each customer of a group."""
    now = datetime.now(UTC).isoformat()
    return [
        Record(
            topic,
            customer_key(TENANT, f"{group}-{number}"),
            json.dumps({
                "eventId": f"{topic}-{group}-{number}", "tenantId": TENANT, "customerId": f"{group}-{number}",
                "occurredAt": now, "data": data,
            }).encode(),
        )
        for number in range(CUSTOMERS)
    ]  # fmt: skip


def counted(settings: Settings, type_: str, group: str) -> int:
    records = (msgspec.json.decode(one.value or b"") for one in client.read_committed(settings.brokers, ACTIVITY))
    entries = (entry for one in records if of_group(one, group) for entry in one["entries"])
    return sum(entry["type"] == type_ for entry in entries)


def of_group(value: dict[str, Any], group: str) -> bool:
    return str(value["customerId"]).startswith(f"{group}-")


def dunned(settings: Settings, group: str) -> int:
    records = client.read_committed(settings.brokers, COMMANDS)
    return sum(of_group(msgspec.json.decode(one.value or b""), group) for one in records)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_R32_nobody_is_dunned_who_paid_while_no_worker_ran(settings: Settings, by: signal.Signals) -> None:
    publish(settings, dunning(until={"field": "trigger.due"}))
    groups = {f"within-{seconds}": timedelta(seconds=seconds) for seconds in ATTEMPTS}
    in_time = next((group for group, wait in groups.items() if pay_meanwhile(settings, by, group, wait)), None)
    assert in_time, "too slow to tell"
    assert dunned(settings, in_time) == 0


def pay_meanwhile(settings: Settings, by: signal.Signals, group: str, wait: timedelta) -> bool:
    """Let a group wait, pay while no worker runs, and be done; say whether the worker ended before the waits."""
    with running(settings) as workers:
        client.produce(settings.brokers, events("payment.failed", f"before-{group}", due="2999-01-01T00:00:00Z"))
        client.wait_until(lambda: counted(settings, "enrollment.started", f"before-{group}") == CUSTOMERS)
        due = datetime.now(UTC) + wait
        client.produce(settings.brokers, events("payment.failed", group, due=due.isoformat()))
        client.wait_until(lambda: counted(settings, "enrollment.started", group) == CUSTOMERS)
        workers[0].end(by)
        is_in_time = datetime.now(UTC) < due
        client.produce(settings.brokers, events("customer.updated", group, paid=True))
        client.wait_until(lambda: datetime.now(UTC) > due + timedelta(seconds=1), 2 * wait.total_seconds())
        workers.append(Worker(settings, "again"))
        client.wait_until(lambda: counted(settings, "enrollment.completed", group) == CUSTOMERS)
    return is_in_time


def test_R32_a_wait_does_not_wait_for_what_only_ends_a_transaction(settings: Settings) -> None:
    """The last offset of a topic that transactions write to is their end's, which nobody reads."""
    publish(settings, dunning(duration="3 seconds"))
    with running(settings) as workers:
        astray = [record._replace(partition=0, key=None) for record in events("payment.failed", "c")]
        client.produce(settings.brokers, astray)  # most are sent on by inbox
        client.wait_until(lambda: counted(settings, "enrollment.started", "c") == CUSTOMERS)
        workers[0].end(signal.SIGTERM)
        assert client.read_committed(settings.brokers, INBOX)
        workers.append(Worker(settings, "again"))
        client.wait_until(lambda: dunned(settings, "c") == CUSTOMERS)
    assert client.read_committed(settings.brokers, COMMANDS)

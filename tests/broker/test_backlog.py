"""R32 at a real broker: what had arrived when a wait was due is read before the wait fires."""

import json
import signal
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from models.ids import customer_key
from models.journey import Journey
from streams.kafka.topics import ACTIVITY, COMMANDS, INBOX
from streams.settings import Settings
from tests import client
from tests.broker.workers import TENANT, Worker, command_ids, publish, running
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
CUSTOMERS = 400


def dunning(wait: str) -> Journey:
    """Return a journey that dunns whoever has not paid after a while."""
    steps = [
        {"type": "TRIGGER", "config": {"eventType": "payment.failed", "conditions": []}},
        {"id": "wait", "type": "WAIT", "config": {"duration": wait}},
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


def events(topic: str, start: int, **data: object) -> list[Record]:
    now = datetime.now(UTC).isoformat()
    return [
        Record(
            topic,
            customer_key(TENANT, f"c-{number}"),
            json.dumps({
                "eventId": f"{topic}-{start}-{number}", "tenantId": TENANT, "customerId": f"c-{number}",
                "occurredAt": now, "data": data,
            }).encode(),
        )
        for number in range(CUSTOMERS)
    ]  # fmt: skip


def counted(settings: Settings, type_: str) -> int:
    records = client.read_committed(settings.brokers, ACTIVITY)
    entries = (entry for record in records for entry in msgspec.json.decode(record.value or b"")["entries"])
    return sum(entry["type"] == type_ for entry in entries)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_R32_nobody_is_dunned_who_paid_while_no_worker_ran(settings: Settings, by: signal.Signals) -> None:
    publish(settings, dunning("25 seconds"))
    with running(settings) as workers:
        due = datetime.now(UTC) + timedelta(seconds=25)
        client.produce(settings.brokers, events("payment.failed", 0))
        client.wait_until(lambda: counted(settings, "enrollment.started") == CUSTOMERS)
        workers[0].end(by)
        assert datetime.now(UTC) < due, "too slow to tell"
        client.produce(settings.brokers, events("customer.updated", 0, paid=True))
        client.wait_until(lambda: datetime.now(UTC) > due + timedelta(seconds=1))
        workers.append(Worker(settings, "again"))
        client.wait_until(lambda: counted(settings, "enrollment.completed") == CUSTOMERS, 60)
    assert command_ids(settings) == []


def test_R32_a_wait_does_not_wait_for_what_only_ends_a_transaction(settings: Settings) -> None:
    """The last offset of a topic that transactions write to is their end's, which nobody reads."""
    publish(settings, dunning("3 seconds"))
    with running(settings) as workers:
        astray = [record._replace(partition=0, key=None) for record in events("payment.failed", 0)]
        client.produce(settings.brokers, astray)  # most are sent on by inbox
        client.wait_until(lambda: counted(settings, "enrollment.started") == CUSTOMERS)
        workers[0].end(signal.SIGTERM)
        assert client.read_committed(settings.brokers, INBOX)
        workers.append(Worker(settings, "again"))
        client.wait_until(lambda: len(command_ids(settings)) == CUSTOMERS, 40)
    assert client.read_committed(settings.brokers, COMMANDS)

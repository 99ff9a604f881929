"""Worker processes of a test, the journeys they run, and what has to come out."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from models.ids import command_id, customer_key, enrollment_id, journey_id
from models.journey import Journey, JourneyStatus
from streams.journeys.records import JourneyState, status_record, version_record
from streams.kafka.topics import COMMANDS, DEFINITIONS
from streams.settings import Settings, environment
from tests import client
from tests.client import Record

TOPIC = "teetime.booked"
TENANT = "pinehurst"
NOWHERE = "postgresql://fairway@127.0.0.1:1/fairway"  # not the usual place, where another's Postgres may be
MORNING = datetime(2026, 11, 23, 10, tzinfo=UTC)
_START = "from streams.cli import main; import sys; sys.argv[1:] = ['worker']; main()"


def ask_every(seconds: int) -> str:
    """Return the patch by which a worker asks so often what topics are like, rather than once a minute."""
    return f"from streams.worker import transport; transport._METADATA_MS = {1000 * seconds}"


def long_session(seconds: float) -> str:
    """Return the patch by which Kafka lets go of a worker that says nothing after so long, rather than six seconds.

    What is to be seen before that is seen then also on a busy machine.
    """
    return f"from streams.worker import faust_app; faust_app._SESSION_SECONDS = {float(seconds)}"


class Worker:
    """A worker process, in which a patch may run first; its output goes to a file that a failing test shows."""

    def __init__(self, settings: Settings, name: str, patch: str = "", **variables: str) -> None:
        self.log = settings.data_dir.parent / f"worker-{name}.log"
        given = {
            "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
            "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
            "FAIRWAY_DATABASE_URL": NOWHERE,
        }  # fmt: skip
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", f"{patch}\n{_START}"],
                stdout=log,
                stderr=log,
                env=environment() | given | variables,
            )

    def end(self, by: signal.Signals) -> int:
        """Send a signal and return the exit code. It has said something by then: at first it would just die."""
        client.wait_until(lambda: self.process.poll() is not None or self.log.stat().st_size > self._said_before)
        self.process.send_signal(by)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(client.PATIENCE)


@contextmanager
def running(settings: Settings, count: int = 1, patch: str = "", **variables: str) -> Iterator[list[Worker]]:
    """Run workers; those still there at the end are killed, and every log is printed for whom it may help."""
    workers = [Worker(settings, str(number), patch, **variables) for number in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
        for log in {worker.log for worker in workers}:
            print(f"--- {log.name}\n{log.read_text()}")


def journey(name: str = "Reminder", *, event: str = TOPIC, wait: str | None = None, **fields: Any) -> Journey:
    """Return a journey that sends once for each event, after a wait if one is given."""
    steps: list[dict[str, Any]] = [
        {"id": "start", "type": "TRIGGER", "config": {"eventType": event, "conditions": []}},
        {"id": "send", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "reminder"}},
        {"id": "end", "type": "END", "config": {}},
    ]
    if wait is not None:
        steps.insert(1, {"id": "wait", "type": "WAIT", "config": {"duration": wait}})
    given = {"tenantId": TENANT, "name": name, "triggerType": event, "allowReentry": True, "steps": steps}
    return Journey.model_validate(given | fields)


def publish(settings: Settings, *journeys: Journey, status: JourneyStatus = JourneyStatus.ACTIVE) -> None:
    """Let the workers know these journeys."""
    records = []
    for one in journeys:
        known = JourneyState(one.tenant_id, one.id, one.name, status, one.version, MORNING)
        records += [version_record(one), status_record(known)]
    client.produce(settings.brokers, [Record(DEFINITIONS, key.encode(), value) for key, value in records])


def events(numbers: range, customers: int, **extra: Any) -> list[Record]:
    """Return events of so many customers in turn, keyed as the contract says."""
    return [event(number, f"c-{number % customers}", **extra) for number in numbers]


def event(number: int, customer: str, **fields: Any) -> Record:
    value = {"eventId": f"e-{number}", "tenantId": TENANT, "customerId": customer, "data": {"n": number}}
    value |= {"occurredAt": "2026-11-23T10:00:00Z"} | fields
    return Record(TOPIC, customer_key(TENANT, customer), json.dumps(value).encode())


def expected(events_: int, customers: int, name: str = "Reminder") -> set[str]:
    """Return the ids of the commands that come of so many events."""
    entries = Counter(f"c-{number % customers}" for number in range(events_))
    id_ = journey_id(TENANT, name)
    return {
        command_id(enrollment_id(id_, customer, "", number), "send", 1)
        for customer, count in entries.items()
        for number in range(1, count + 1)
    }


def command_ids(settings: Settings) -> list[str]:
    """Return the ids of the committed commands of this test."""
    records = client.read_committed(settings.brokers, COMMANDS)
    return [msgspec.json.decode(record.value or b"")["commandId"] for record in records]


def wait_for_commands(settings: Settings, ids: set[str], patience: float = client.PATIENCE) -> None:
    """Return when all these commands were committed, and fail unless each was exactly once."""
    client.wait_until(lambda: set(command_ids(settings)) >= ids, patience)
    found = command_ids(settings)
    assert len(found) == len(set(found)), "doubled"
    assert set(found) == ids


def stores(settings: Settings) -> Path:
    return settings.data_dir / settings.app_id


class Group:
    """The group of the workers, as the broker describes it."""

    def __init__(self, settings: Settings) -> None:
        self.admin = AdminClient({"bootstrap.servers": settings.brokers})
        self.id = settings.app_id

    def stands(self) -> tuple[ConsumerGroupState, int]:
        """Return the group's state, and how many members it has."""
        found = self.admin.describe_consumer_groups([self.id])[self.id].result(client.PATIENCE)
        return found.state, len(found.members)

    def is_stable(self, members: int) -> bool:
        """Say whether so many members have agreed on who works on what."""
        return self.stands() == (ConsumerGroupState.STABLE, members)

    def delete(self) -> None:
        """Let the broker forget the group, which must have no members."""
        self.admin.delete_consumer_groups([self.id])[self.id].result(client.PATIENCE)

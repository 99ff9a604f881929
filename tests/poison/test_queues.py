"""Many kinds of bad records in each queue of a running worker, among good ones: what each costs is its own place.

Every good event is handled within five seconds and once, also by a worker that is started again; every bad record
is found where the page and the metric say. `make poison` takes 200 kinds, and each queue by itself.
"""

import json
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from models.journey import Journey, JourneyStatus
from streams.engine.decoding import Rejection, decode
from streams.journeys.catalogue import Catalogue
from streams.journeys.catalogue import read as read_definitions
from streams.journeys.records import JourneyState, status_record, version_record
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import ACTIVITY, DEFINITIONS, INBOX, read_topics
from streams.partition.inputs import read_message
from streams.settings import Settings
from tests import client
from tests.broker.workers import MORNING, TENANT, TOPIC, event, journey
from tests.history.build import value
from tests.history.test_poison import BAD, WHOLE
from tests.partition.model import Source
from tests.poison import test_poison as pure
from tests.poison.mutants import Raw
from tests.poison.stage import PARTITIONS, Stage, in_time, kinds, record
from tests.poison.strangers import is_closed, send_bytes, send_requests

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]

KINDS = int(os.environ.get("FAIRWAY_POISON_KINDS", "30"))
ENTERED = "SELECT count(*) FROM journey_enrollments e JOIN journeys j ON j.id = e.journey_id WHERE j.name"
EVENTS = (TOPIC, "customer.updated", "customer.merged", "customer.deleted", "customer.unsubscribed")
Found = Callable[[], object]
"""Says whether all that is bad is found; asked until it is so."""


def poison_events(stage: Stage) -> Found:
    bad = kinds(lambda number: pure.event(number, f"bad-{number % 9}"), 1, KINDS)
    client.produce(stage.brokers, [record(EVENTS[number % len(EVENTS)], raw) for number, raw in enumerate(bad)])
    lying = client.read_committed(stage.brokers, *EVENTS)
    refused = {
        (one.topic, one.partition, one.offset)
        for one in lying
        if isinstance(decode(one.value, one.headers, one.topic), Rejection)
    }
    assert len(refused) > KINDS / 3
    return lambda: refused <= {letter.place for letter in stage.letters()}


def poison_inbox(stage: Stage) -> Found:
    bad = kinds(lambda number: pure.message(number, f"bad-{number % 9}"), 2, KINDS)
    client.produce(stage.brokers, [record(INBOX, raw) for raw in bad])
    refused = {
        (INBOX, one.partition, one.offset)
        for one in client.read_committed(stage.brokers, INBOX)
        if isinstance(
            read_message(one.partition, PARTITIONS, Source(one.offset, one.value, one.key, one.headers, 0)),
            Rejection,
        )
    }
    assert len(refused) > KINDS / 3
    return lambda: refused <= {letter.place for letter in stage.letters()}


SIZES = (10, 1_000, 60_000, 200_000, 250_000)
ODD = (None, "soon", 5, {}, [], "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-02-30")
TELLS = {"field": "trigger.text", "operator": "contains", "value": "x"}
SEND = {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "late"}}
AFTER: tuple[list[dict[str, Any]], ...] = (
    [{"type": "CONDITION", "config": {"rules": [TELLS] * 45}}, SEND],
    [{"type": "CONDITION", "config": {"rules": [TELLS] * 20}}] * 3,
    [SEND] * 20,
    [{"type": "UPDATE", "config": {"updates": [{"field": "text", "operation": "increment", "value": 1}]}}],
    [{"type": "WAIT", "config": {"until": {"field": "trigger.odd"}, "ifPast": "fail"}}],
)
"""What comes after a wait: some of it more than fits, some that can't be done."""


def poison_due_waits(stage: Stage) -> Found:
    for number in range(KINDS):
        data = {"text": "x" * SIZES[number // 5 % 5], "odd": ODD[number % 8], "after": number % 5}
        one = event(9_000 + number, f"due-{number}", occurredAt=datetime.now(UTC).isoformat(), data=data)
        client.produce(stage.brokers, [one._replace(topic="email.opened")])
    entered = f"{ENTERED} LIKE 'After%'"
    failed = KINDS // 5 - 5  # at least: those that add to what is no number

    def late() -> int:
        """Return how many came when their wait was over, so that all at once was too large."""
        return sum(letter.place[0] == "email.opened" for letter in stage.letters())

    return lambda: (
        stage.query(entered) + late() == KINDS
        and stage.query(f"{entered} AND e.status = 'FAILED'") >= failed
        and stage.query(f"{entered} AND e.status = 'ACTIVE' AND e.waiting_until < now()") == 0
    )


def _waiting(number: int, steps: list[dict[str, Any]]) -> Journey:
    rule = {"field": "after", "operator": "equals", "value": number}
    first = {"id": "first", "type": "WAIT", "config": {"duration": "3 seconds"}}
    trigger = {"type": "TRIGGER", "config": {"eventType": "email.opened", "conditions": [rule]}}
    return journey(f"After {number}", event="email.opened", steps=[trigger, first, *steps])


def poison_definitions(stage: Stage) -> Found:
    bad = [raw._replace(key=raw.key) for raw in kinds(_definition, 4, KINDS) if raw.key]
    client.produce(stage.brokers, [record(DEFINITIONS, raw, 0) for raw in bad])
    lying = client.read_committed(stage.brokers, DEFINITIONS)
    refused = read_definitions(Catalogue(), [(one.key, one.value) for one in lying]).refused
    assert len(refused) > KINDS / 3
    return lambda: stage.metric("fairway_definitions_refused") >= len(refused)


def _definition(number: int) -> Raw:
    """Return a record of a journey of its own: its version, or how it stands."""
    one = journey(f"Other {number}", event="email.opened", wait="1 day", maxEnrollments=5)
    state = JourneyState(TENANT, one.id, one.name, JourneyStatus.ACTIVE, 1, MORNING)
    key, value_ = status_record(state) if number % 3 == 0 else version_record(one)
    return Raw(key.encode(), value_)


def poison_outbox(stage: Stage) -> Found:
    insert = "INSERT INTO outbox (key, value) SELECT * FROM unnest(CAST(:keys AS text[]), CAST(:values AS bytea[]))"
    bad = kinds(_definition, 5, KINDS)
    keys = [(raw.key or b"").decode(errors="replace").replace("\0", "") or "none" for raw in bad]
    large = [random.Random(number).randbytes(1_200_000) for number in range(3)]
    values = [*(raw.value for raw in bad[: len(bad) - len(large)]), *large]
    stage.query(insert, keys=keys, values=values)
    good = journey("After the bad ones", event="email.opened")
    stage.author(good, publish=False)
    return lambda: (
        any(one.key == f"{TENANT}:{good.id}".encode() for one in client.read_committed(stage.brokers, DEFINITIONS))
        and stage.query("SELECT count(*) FROM outbox WHERE retry_at IS NOT NULL") > 0
        and stage.metric("fairway_outbox_parked_total") > 0
    )


def poison_activity(stage: Stage) -> Found:
    named = [Raw(b"t:c", bad) for bad in BAD.values()]
    made = kinds(lambda _: Raw(b"t:c", value(*WHOLE)), 6, KINDS)
    client.produce(stage.brokers, [record(ACTIVITY, raw) for raw in (*named, *made)])
    beats = (
        "SELECT count(*) FROM journey_enrollments e JOIN journeys j ON j.id = e.journey_id WHERE j.name = 'Pulse'"
    )
    before = stage.query(beats)
    return lambda: (
        stage.query("SELECT count(*) FROM history_parked") >= len(BAD)
        and stage.metric("fairway_history_parked_total") >= len(BAD)
        and stage.query(beats) > before + 100
    )


def poison_runs(stage: Stage) -> Found:
    id_ = stage.query("SELECT id FROM journeys WHERE name = 'Pulse'")
    insert = (
        "INSERT INTO runs (tenant_id, journey_id, idempotency_key, action, total, created_at, created_by,"
        " customer_ids, data)"
        " SELECT t, :id, k, 'enroll', 3, now(), 'ann', string_to_array(i, ','), CAST(d AS jsonb)"
        " FROM unnest(CAST(:t AS text[]), CAST(:k AS text[]), CAST(:i AS text[]), CAST(:d AS text[]))"
        " AS given (t, k, i, d)"
    )
    ids = ("a,b,c", "é" * 256, "x" * 5_000, ":", " ", "a:b", "\x7f", None)
    data = (
        {},
        {"a": "x" * 400_000},
        {"a": "x" * 2_000_000},
        {"a": 1e300},
        json.loads('{"d":' * 60 + "1" + "}" * 60),
    )
    numbers = range(KINDS)
    stage.query(
        insert, id=id_, t=[TENANT for _ in numbers], k=[f"bad-{number}" for number in numbers],
        i=[ids[number % len(ids)] for number in numbers], d=[json.dumps(data[number % 5]) for number in numbers],
    )  # fmt: skip
    stage.query(insert, id=id_, t=["other"], k=["good"], i=["x,y,z"], d=["{}"])
    ended = "SELECT count(*) FROM runs WHERE finished_at IS NOT NULL AND"
    return lambda: stage.query(f"{ended} idempotency_key = 'good'") == 1


def poison_requests(stage: Stage) -> Found:
    """Half of the strangers send requests, half something else and then wait, with the connection open."""
    waiting = list(send_bytes(stage.port, KINDS))
    counted = send_requests(stage.port, KINDS)
    assert sum(counted.values()) > KINDS / 2
    assert not {status for status in counted if status >= 500}, counted

    def are_rid_of() -> bool:
        """Say whether none of those who wait is still connected."""
        return all(connection.fileno() < 0 or is_closed(connection) for connection in waiting)

    return are_rid_of


QUEUES = {
    "events": poison_events, "inbox": poison_inbox, "due waits": poison_due_waits,
    "definitions": poison_definitions, "outbox": poison_outbox, "activity": poison_activity, "runs": poison_runs,
    "requests": poison_requests,
}  # fmt: skip
EACH = [[name] for name in QUEUES]


@pytest.mark.parametrize("names", EACH if KINDS >= 200 else [list(QUEUES)], ids=",".join)
def test_bad_records_in_a_queue_hold_nothing_up(settings: Settings, database_url: str, names: list[str]) -> None:
    stage = Stage(settings, database_url)
    with in_time(stage, *(_waiting(number, steps) for number, steps in enumerate(AFTER))) as pulse:
        found = {name: QUEUES[name](stage) for name in names}
        pulse.wait_for(50)
        for name, is_found in found.items():
            client.wait_until(is_found, 2 * client.PATIENCE)  # history may hold hundreds of megabytes of it
            print(name, "is found")
        # Of runs over many customers some may still be on their way when the bad ones are all found.
        client.wait_until(lambda: stage.metric("fairway_dead_letters_total") == len(stage.letters()))
        assert {stage.get(page).status_code for page in ("/", "/dead-letters", "/table", "/topics")} == {200}


def test_bad_rows_of_the_changelog_are_told_and_hold_up_no_other_customer(
    settings: Settings, database_url: str
) -> None:
    stage = Stage(settings, database_url)
    changelog = read_topics(settings.topics_file, settings.app_id).changelog
    bad = [raw for raw in kinds(lambda n: Raw(*pure.row(n, f"bad-{n}")), 3, KINDS) if raw.key]
    bad = [raw for raw in bad if raw.key != b":partitions"]
    client.produce(stage.brokers, [record(changelog, raw, partition_of(raw.key or b"", PARTITIONS)) for raw in bad])
    with in_time(stage) as pulse:
        client.produce(stage.brokers, [event(9_000 + number, f"bad-{number}") for number in range(KINDS)])
        pulse.wait_for(50)
        told = [letter for letter in stage.letters() if letter.code == "damaged"]
        assert len(told) > KINDS / 5
        client.wait_until(
            lambda: stage.metric("fairway_damaged_customers") >= len(told)
        )  # counted after the commit
        assert {stage.get(page).status_code for page in ("/table", "/dead-letters")} == {200}

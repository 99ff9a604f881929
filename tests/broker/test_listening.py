"""R31 to R43 in a worker: what `fairway simulate` tells of a case comes of it there too, in real time."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from models.ids import customer_key
from streams.dev import processes
from streams.kafka.topics import ACTIVITY, COMMANDS
from streams.settings import Settings
from tests import client
from tests.broker.workers import TENANT, event, expected, journey, publish, running, wait_for_commands
from tests.simulation.cases import Clock, make_journeys, make_lines, read_cases, tell

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

CASES = {f"case-{number}": case for number, case in enumerate(read_cases()) if case.live}
HOUR = timedelta(seconds=1)
LONGEST = 24
"""Hours after noon at which the last wait of a case has fired."""


def by_customer(told: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What was told of each customer, without its time: a worker's clock is nobody's."""
    found = defaultdict[str, list[str]](list)
    for tenant, one in told:
        customer, _, what = one.rpartition(": ")
        found[f"{tenant} {customer}"].append(what.rpartition(" ")[0])
    return dict(found)


def play(settings: Settings, clock: Clock) -> None:
    """Produce the events of all cases, each at its time; fail where that is not so."""
    lines = [line for tenant, case in CASES.items() for line in make_lines(case, tenant, clock)]
    producer = Producer({"bootstrap.servers": settings.brokers, "partitioner": "murmur2_random", "linger.ms": 0})
    for at, line in sorted(lines, key=lambda line: line[0]):
        time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        key = customer_key(line["tenantId"], line["customerId"])
        producer.produce(line["eventType"], json.dumps(line).encode(), key)
        producer.poll(0)
    assert producer.flush(client.PATIENCE) == 0
    assert datetime.now(UTC) - at < HOUR, "the machine is too busy to tell"


def read_activity(settings: Settings) -> list[dict[str, Any]]:
    """Return the activity records of all cases."""
    values = [msgspec.json.decode(one.value or b"") for one in client.read_committed(settings.brokers, ACTIVITY)]
    return [value for value in values if value["tenantId"] in CASES]


def read_told(settings: Settings, clock: Clock) -> dict[str, list[str]]:
    return by_customer((one["tenantId"], told) for one in read_activity(settings) for told in tell(one, clock))


def test_what_is_simulated_comes_of_it_in_a_worker_too(settings: Settings) -> None:
    assert len(CASES) > 60
    authored = [one for tenant, case in CASES.items() for one in make_journeys(case, tenant, HOUR)]
    publish(settings, journey(), *authored)
    wanted = by_customer((tenant, told) for tenant, case in CASES.items() for told in case.told)
    with running(settings):
        client.produce(settings.brokers, [event(0, "c-0")])
        wait_for_commands(settings, expected(1, 1))  # the worker is at work
        clock = Clock(datetime.now(UTC) + 3 * HOUR, HOUR)
        play(settings, clock)
        processes.wait_until(lambda: read_told(settings, clock) == wanted, LONGEST)
        found = read_told(settings, clock)
    differ = {name: (CASES[name.split()[0]].name, found.get(name), told) for name, told in wanted.items()}
    assert {name: both for name, both in differ.items() if both[1] != both[2]} == {}
    results = [entry.get("result", {}) for one in read_activity(settings) for entry in one["entries"]]
    commands = [msgspec.json.decode(one.value or b"") for one in client.read_committed(settings.brokers, COMMANDS)]
    ids = [one["commandId"] for one in commands if one["tenantId"] != TENANT]
    assert sorted(ids) == sorted(result["messageId"] for result in results if result.get("sent"))
    assert len(set(ids)) == len(ids)

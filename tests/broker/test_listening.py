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
from tests.simulation.cases import Case, Clock, make_journeys, make_lines, read_cases, tell

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

CASES = [case for case in read_cases() if case.live]
HOURS = (timedelta(seconds=1), timedelta(seconds=4))
"""How long an hour lasts; what differs where the machine was too busy is played again, more slowly."""
LONGEST = 24
"""Hours after noon at which the last wait of a case has fired."""

Played = dict[str, Case]
"""Cases by the tenant under which they are played."""


def by_customer(told: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """What was told of each customer, without its time: a worker's clock is nobody's."""
    found = defaultdict[str, list[str]](list)
    for tenant, one in told:
        customer, _, what = one.rpartition(": ")
        found[f"{tenant} {customer}"].append(what.rpartition(" ")[0])
    return dict(found)


def produce(settings: Settings, cases: Played, clock: Clock) -> None:
    """Produce the events of cases, each at its time."""
    lines = [line for tenant, case in cases.items() for line in make_lines(case, tenant, clock)]
    producer = Producer({"bootstrap.servers": settings.brokers, "partitioner": "murmur2_random", "linger.ms": 0})
    for at, line in sorted(lines, key=lambda line: line[0]):
        time.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
        key = customer_key(line["tenantId"], line["customerId"])
        producer.produce(line["eventType"], json.dumps(line).encode(), key)
        producer.poll(0)
    assert producer.flush(client.PATIENCE) == 0


def read_activity(settings: Settings, cases: Played) -> list[dict[str, Any]]:
    """Return the activity records of cases."""
    values = [msgspec.json.decode(one.value or b"") for one in client.read_committed(settings.brokers, ACTIVITY)]
    return [value for value in values if value["tenantId"] in cases]


def play(settings: Settings, cases: Played, hour: timedelta) -> Played:
    """Play cases; return those of which something else came than is simulated."""
    clock = Clock(datetime.now(UTC) + 3 * HOURS[0], hour)
    produce(settings, cases, clock)
    wanted = by_customer((tenant, told) for tenant, case in cases.items() for told in case.told)

    def read() -> dict[str, list[str]]:
        activity = read_activity(settings, cases)
        return by_customer((one["tenantId"], told) for one in activity for told in tell(one, clock))

    processes.wait_until(lambda: read() == wanted, (LONGEST * hour).total_seconds())
    found = read()
    differ = {name.split()[0] for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)}
    print({name: (wanted.get(name), found.get(name)) for name in wanted if name.split()[0] in differ})
    return {tenant: cases[tenant] for tenant in differ}


def test_what_is_simulated_comes_of_it_in_a_worker_too(settings: Settings) -> None:
    assert len(CASES) > 60
    rounds = [{f"case-{n}-{number}": case for number, case in enumerate(CASES)} for n in range(len(HOURS))]
    for cases, hour in zip(rounds, HOURS, strict=True):
        publish(settings, *(one for tenant, case in cases.items() for one in make_journeys(case, tenant, hour)))
    publish(settings, journey())
    played, left = Played(), CASES
    with running(settings):
        client.produce(settings.brokers, [event(0, "c-0")])
        wait_for_commands(settings, expected(1, 1))  # the worker is at work
        for cases, hour in zip(rounds, HOURS, strict=True):
            again = {tenant: case for tenant, case in cases.items() if case in left}
            played |= again
            left = list(play(settings, again, hour).values()) if again else []
    assert left == []
    entries = [entry for one in read_activity(settings, played) for entry in one["entries"]]
    results = [entry.get("result", {}) for entry in entries]
    commands = [msgspec.json.decode(one.value or b"") for one in client.read_committed(settings.brokers, COMMANDS)]
    ids = [one["commandId"] for one in commands if one["tenantId"] != TENANT]
    assert sorted(ids) == sorted(result["messageId"] for result in results if result.get("sent"))
    assert len(set(ids)) == len(ids)

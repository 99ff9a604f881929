"""`fairway state get`, `dump` and `verify` on a real changelog, and on the stores of a worker at work."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from models.ids import customer_key
from streams.cli import app
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import read_topics
from streams.settings import Settings
from streams.state.rocksdb import RocksMap
from tests import client
from tests.broker import workers
from tests.broker.workers import TENANT, events, journey, publish, running
from tests.client import Record

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]
CUSTOMERS = 12


def run(settings: Settings, *words: str) -> Result:
    variables = {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip
    return CliRunner().invoke(app, ["state", *words], env=variables)


def dump(settings: Settings, *words: str) -> list[Any]:
    result = run(settings, "dump", *words)
    assert result.exit_code == 0, result.exception
    return [json.loads(line) for line in result.output.splitlines()]


def verify(settings: Settings) -> tuple[int, list[Any]]:
    result = run(settings, "verify", "--json")
    assert result.stdout, result.exception
    return result.exit_code, json.loads(result.stdout)


def write(settings: Settings, key: bytes, row: bytes, partition: int) -> None:
    changelog = read_topics(settings.topics_file, settings.app_id).changelog
    client.produce(settings.brokers, [Record(changelog, key, row, partition=partition)])


@pytest.fixture
def state(settings: Settings) -> Iterator[Settings]:
    """The state of customers who wait, and a worker that has it open."""
    publish(settings, journey(wait="P300D"))
    client.produce(settings.brokers, events(range(CUSTOMERS), CUSTOMERS))
    with running(settings):
        client.wait_until(lambda: sum(row["key"][0] != ":" for row in dump(settings)) == CUSTOMERS)
        yield settings


def test_rows_are_read_whole_and_found_sound_while_a_worker_works(state: Settings) -> None:
    rows = dump(state)
    of_customers = {row["key"]: row for row in rows if not row["key"].startswith(":")}
    assert set(of_customers) == {f"{TENANT}:c-{number}" for number in range(CUSTOMERS)}
    assert all(not row["problem"] for row in rows)
    assert all(one["state"]["enrollments"] for one in of_customers.values())
    got = json.loads(run(state, "get", "--tenant", TENANT, "--customer", "c-3").output)
    assert got == of_customers[f"{TENANT}:c-3"]
    assert got["partition"] == partition_of(customer_key(TENANT, "c-3"), 4)
    assert [row["key"] for row in dump(state, "--partition", str(got["partition"]), "--tenant", TENANT)] == sorted(
        key for key, row in of_customers.items() if row["partition"] == got["partition"]
    )
    code, reports = verify(state)
    assert (code, sum(one["rows"]["customers"] for one in reports)) == (0, CUSTOMERS)
    assert sum(one["rows"]["waits"] for one in reports) == CUSTOMERS
    stores = [store for one in reports for store in one["stores"]]
    assert (len(stores), {store["note"] for store in stores}) == (4, {""})
    assert sum(store["marks"] for store in stores) == 2 * CUSTOMERS
    assert "all can be used." in run(state, "verify", "--partition", "0").output


def test_bad_rows_and_stores_that_differ_fail_the_check_and_are_named(state: Settings) -> None:
    assert run(state, "get", "--tenant", TENANT, "--customer", "c-none").exit_code == 1
    key = customer_key(TENANT, "broken")
    here = partition_of(key, 4)
    write(state, key, b'{"tenantId":"pinehurst","customerId":"broken","records":"many"}', here)
    write(state, customer_key(TENANT, "astray"), b"{", (here + 1) % 4)
    write(state, b":joined", b'"nonsense"', here)  # which the worker does not write meanwhile
    write(state, b"", b"{}", here)
    got = run(state, "get", "--tenant", TENANT, "--customer", "broken")
    assert (got.exit_code, json.loads(got.stdout)["state"]["records"]) == (1, "many")
    assert "The row can't be used. It can't be decoded: Expected `int`, got `str`" in str(got.exception)
    assert [row["key"] for row in dump(state) if row["problem"]].count(f"{TENANT}:broken") == 1
    code, reports = verify(state)
    faults = {fault["key"] for one in reports for fault in one["rows"]["faults"]}
    assert (code, faults) == (1, {f"{TENANT}:broken", f"{TENANT}:astray", ":joined", ""})
    said = run(state, "verify")
    assert f"'{TENANT}:broken': It can't be decoded" in said.output
    assert "The state is not sound on partition" in str(said.exception)


def test_a_store_that_lost_a_wait_is_found(settings: Settings) -> None:
    publish(settings, journey(wait="P300D"))
    client.produce(settings.brokers, events(range(CUSTOMERS), CUSTOMERS))
    with running(settings) as processes:
        client.wait_until(lambda: sum(row["key"][0] != ":" for row in dump(settings)) == CUSTOMERS)
        assert processes[0].end(workers.signal.SIGTERM) == 0
    assert verify(settings)[0] == 0
    keys = [customer_key(TENANT, f"c-{number}") for number in range(CUSTOMERS)]
    here = partition_of(keys[1], 4)
    asleep, changed = [key for key in keys if partition_of(key, 4) == here][:2]
    entries = RocksMap(workers.stores(settings) / f"store-{here}", f"{settings.app_id}, partition {here}")
    (wait,) = [mark for mark, _ in entries.items(b"w", b"x", 100) if mark.endswith(asleep)]
    entries.write([(wait, None), (b"r" + changed, b"{}")])
    entries.close()
    code, reports = verify(settings)
    (store,) = reports[here]["stores"]
    assert (code, store["differing"], store["missing"], store["useless"]) == (1, 1, 1, 2)
    assert sorted((fault["key"], fault["problem"]) for fault in store["faults"]) == sorted(
        [
            (asleep.decode(), "A wait of it has no mark, so that nothing finds it."),
            (changed.decode(), "It is other than the changelog's."),
        ]
    )

"""`fairway dev`: real servers, found again, ended by their own, their data kept."""

import asyncio
import socket
from pathlib import Path

import asyncpg
import pytest

from streams.dev import broker as kafka_server
from streams.dev import postgres as postgres_server
from streams.dev import processes, servers
from streams.errors import FairwayError
from tests import client
from tests.ports import free_ports

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(180)]


def query(url: str, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def test_servers_are_found_again_and_a_restart_keeps_data_and_ports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = list(free_ports(3))  # which nobody takes while the servers are down
    try:
        with monkeypatch.context() as patch:
            patch.setattr(processes, "free_port", lambda *_: ports.pop())
            first = servers.start(tmp_path)
        assert servers.start(tmp_path) == first == servers.find(tmp_path)
        name, _, address = first.database_url.removesuffix("/fairway").partition("@")
        assert name.startswith("postgresql://fairway:")  # with the password, which is not shown
        assert str(first) == f"Kafka answers at {first.brokers}, Postgres at {address}."
        client.create_topics(first.brokers, {"kept": 1})
        client.produce(first.brokers, [client.Record("kept", b"k", b"v")])
        query(first.database_url, "CREATE TABLE kept AS SELECT 7 AS n")
        assert servers.stop(tmp_path)
        assert not servers.stop(tmp_path)
        assert servers.start(tmp_path) == first
        assert [record.value for record in client.read_committed(first.brokers, "kept")] == [b"v"]
        assert query(first.database_url, "SELECT n FROM kept") == 7
    finally:
        servers.stop(tmp_path)


def take_first(monkeypatch: pytest.MonkeyPatch, *ports: int | None) -> None:
    """Let these be chosen first, as if they were free then; None is whichever is free."""
    ahead, choose = list(ports), processes.free_port
    monkeypatch.setattr(processes, "free_port", lambda *wanted: (ahead and ahead.pop(0)) or choose(*wanted))


def test_another_broker_that_was_quicker_to_take_the_port_is_not_mistaken_for_the_own(
    tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_first(monkeypatch, int(broker.rpartition(":")[2]))
    try:
        own = kafka_server.start(tmp_path)
        assert own.address != broker
        assert kafka_server.is_running(own)
        assert kafka_server.start(tmp_path) == own
    finally:
        kafka_server.stop(tmp_path)


def test_a_program_that_was_quicker_to_take_kafka_s_other_port_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        take_first(monkeypatch, None, taken)
        try:
            assert kafka_server.start(tmp_path).controller_port != taken
        finally:
            kafka_server.stop(tmp_path)


def test_another_postgres_that_was_quicker_to_take_the_port_is_not_mistaken_for_the_own(
    tmp_path: Path, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(postgres.rpartition(":")[2].partition("/")[0])
    take_first(monkeypatch, taken)
    try:
        own = postgres_server.start(tmp_path)
        assert own.port != taken
        assert query(own.url("postgres"), "SELECT 7") == 7
        assert postgres_server.start(tmp_path) == own
    finally:
        postgres_server.stop(tmp_path)


def test_without_servers_the_sentence_says_how_to_start_them(tmp_path: Path) -> None:
    with pytest.raises(FairwayError) as refused:
        servers.find(tmp_path)
    assert str(refused.value) == ("Kafka and Postgres do not run here: start them with 'fairway dev up --detach'.")

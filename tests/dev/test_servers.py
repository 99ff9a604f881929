"""`fairway dev`: real servers, found again, ended by their own, their data kept."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from streams.dev import broker as kafka_server
from streams.dev import processes, servers
from streams.errors import FairwayError
from tests import client

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(180)]


def query(url: str, statement: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def test_servers_are_found_again_and_a_restart_keeps_data_and_ports(tmp_path: Path) -> None:
    try:
        first = servers.start(tmp_path)
        assert servers.start(tmp_path) == first == servers.find(tmp_path)
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


def test_another_broker_that_was_quicker_to_take_the_port_is_not_mistaken_for_the_own(
    tmp_path: Path, broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    free_port = processes.free_port
    looks = [int(broker.rpartition(":")[2])]  # free when it was looked at, and taken when Kafka comes to it
    monkeypatch.setattr(processes, "free_port", lambda *wanted: looks.pop() if looks else free_port(*wanted))
    try:
        own = kafka_server.start(tmp_path)
        assert own.address != broker
        assert kafka_server.is_running(own)
        assert kafka_server.start(tmp_path) == own
    finally:
        kafka_server.stop(tmp_path)


def test_without_servers_the_sentence_says_how_to_start_them(tmp_path: Path) -> None:
    with pytest.raises(FairwayError) as refused:
        servers.find(tmp_path)
    assert str(refused.value) == ("Kafka and Postgres do not run here: start them with 'fairway dev up --detach'.")

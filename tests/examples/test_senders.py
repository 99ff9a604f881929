"""Each example sender: every command once, whatever comes twice, too late, in vain or to a busy provider."""

import asyncio
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import asyncpg
import pytest
import yaml
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from streams.kafka import provision
from streams.kafka.topics import COMMANDS, read_topics
from streams.settings import Settings
from tests import client
from tests.broker import workers
from tests.client import Record
from tests.examples.programs import CLIENTS, Start
from tests.examples.provider import Provider, serve

pytestmark = [pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(300)]

EVENTS = 100
GROUP = "sender-EMAIL"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Commands(NamedTuple):
    """What lies on the topic: from a worker by channel, and what a test wrote beside it."""

    mails: list[Record]
    texts: list[Record]
    lasting: list[Record]
    late: list[Record]
    aborted: list[Record]


def id_of(record: Record) -> str:
    return str(json.loads(record.value or b"")["commandId"])


@pytest.fixture(scope="module")
def commands(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Commands of a worker, whose headers make them CloudEvents too, and what else may lie on their topic."""
    folder = tmp_path_factory.mktemp("commands")
    content = yaml.safe_load(Path("topics.yaml").read_text())
    content["defaults"]["partitions"] = 4
    (folder / "topics.yaml").write_text(yaml.safe_dump(content))
    topics = read_topics(folder / "topics.yaml", folder.name)
    asyncio.run(provision.apply(Settings(brokers=broker), topics))
    settings = Settings(
        brokers=broker, app_id=folder.name, topics_file=folder / "topics.yaml", data_dir=folder / "data"
    )
    yield add_others(broker, work(settings))
    client.delete_topics(broker, [topic.name for topic in topics.all])


def work(settings: Settings) -> list[Record]:
    """Let a worker answer events, and return its commands: a mail and a text for each event."""
    text = {"id": "send", "type": "SEND", "config": {"channel": "sms", "templateId": "reminder"}}
    steps = [workers.journey().steps[0], text, workers.journey().steps[-1]]
    workers.publish(settings, workers.journey(), workers.journey("Text", steps=steps))
    events = [
        event._replace(headers=(("traceparent", TRACE.encode()),)) for event in workers.events(range(EVENTS), 30)
    ]
    client.produce(settings.brokers, events)

    def read() -> list[Record]:
        return client.read_committed(settings.brokers, COMMANDS)

    with workers.running(settings, FAIRWAY_CLOUDEVENTS="on") as (worker,):
        client.wait_until(lambda: len(read()) >= 2 * EVENTS)
        assert worker.end(signal.SIGTERM) == 0
    return read()


def add_others(broker: str, sent: list[Record]) -> Commands:
    """Write, in transactions, what else a sender must cope with."""
    mails = [record for record in sent if ("channel", b"EMAIL") in record.headers]
    now = datetime.now(UTC)
    lasting = [alter(record, "lasting", notAfter=now + timedelta(days=1)) for record in mails[:3]]
    late = [alter(record, "late", notAfter=now - timedelta(seconds=1)) for record in mails[:3]]
    yesterday = int((now - timedelta(hours=25)).timestamp() * 1000)
    late += [alter(record, "old")._replace(timestamp=yesterday) for record in mails[:3]]
    aborted = [alter(record, "aborted") for record in mails[:10]]
    write(broker, aborted, commit=False)
    write(broker, [*mails[:20], *late, *lasting], commit=True)
    return Commands(mails, [record for record in sent if record not in mails], lasting, late, aborted)


def alter(record: Record, name: str, **fields: datetime) -> Record:
    """Return a command like another, with an id of its own."""
    command = json.loads(record.value or b"")
    command["commandId"] = str(uuid5(NAMESPACE_URL, name + command["commandId"]))
    command |= {field: moment.isoformat().replace("+00:00", "Z") for field, moment in fields.items()}
    headers = dict(record.headers) | {"command-id": command["commandId"].encode()}
    return record._replace(value=json.dumps(command).encode(), headers=tuple(headers.items()))


def write(broker: str, records: list[Record], *, commit: bool) -> None:
    producer = Producer({"bootstrap.servers": broker, "transactional.id": "test", "compression.type": "snappy"})
    producer.init_transactions()
    producer.begin_transaction()
    for record in records:
        producer.produce(
            record.topic, record.value, record.key, record.partition, timestamp=record.timestamp,
            headers=list(record.headers),
        )  # fmt: skip
    producer.flush()
    (producer.commit_transaction if commit else producer.abort_transaction)()
    client.await_marks(broker, "test")


async def fail_once(database: asyncpg.Connection, command_id: str) -> None:
    """Let the database fail when this command is to be noted for the first time: it is sent by then."""
    await database.execute(f"""
        CREATE SEQUENCE notes;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF nextval('notes') = 1 THEN RAISE 'down'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER fail BEFORE INSERT ON handled_commands FOR EACH ROW
            WHEN (NEW.command_id = '{command_id}') EXECUTE FUNCTION fail();
    """)


async def run_until(is_done: Callable[[], Any], start: Start, name: str, variables: Mapping[str, str]) -> None:
    """Run a sender, again whenever it ends, until all is done; then end it in order."""
    process = start(name, "sender", variables)
    async with asyncio.timeout(2 * client.PATIENCE):
        while not await is_done():
            if process.poll() is not None:
                process = start(name, "sender", variables)
            await asyncio.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, client.PATIENCE) in (0, 128 + signal.SIGTERM)


def committed(broker: str) -> dict[int, int]:
    """Return the group's next offsets, and delete the group for the next sender."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": GROUP})
    offsets = consumer.committed([TopicPartition(COMMANDS, partition) for partition in range(4)], client.PATIENCE)
    consumer.close()
    client.wait_until(lambda: is_deleted(broker))
    return {found.partition: found.offset for found in offsets}


def is_deleted(broker: str) -> bool:
    """Delete the group, unless a sender that ended at once still counts as its member; say whether it is."""
    admin = AdminClient({"bootstrap.servers": broker})
    error = admin.delete_consumer_groups([GROUP])[GROUP].exception(client.PATIENCE)
    if error is not None and error.args[0].code() != KafkaError.NON_EMPTY_GROUP:
        raise error
    return error is None


@pytest.mark.parametrize("name", CLIENTS)
async def test_every_command_is_sent_once(
    name: str,
    start: Start,
    variables: dict[str, str],
    database: asyncpg.Connection,
    broker: str,
    commands: Commands,
) -> None:
    ids = [id_of(record) for record in commands.mails]
    busy, bad, forgotten = ids[3], ids[5], ids[50]
    others = [record for record in commands.mails if record.partition != commands.mails[3].partition]
    provider = Provider(bad, busy, until=id_of(others[-1]))  # in vain, if a busy provider stops all partitions
    await fail_once(database, forgotten)
    late, lasting = ({id_of(record) for record in some} for some in (commands.late, commands.lasting))

    async def is_done() -> bool:
        return await database.fetchval("SELECT count(*) FROM handled_commands") == len({*ids, *late, *lasting})

    with serve(provider):
        await run_until(is_done, start, name, variables | {"PROVIDER_URL": provider.url})
    offsets = committed(broker)

    outcomes = {str(row[0]): row[1] for row in await database.fetch("SELECT * FROM handled_commands")}
    sent = {*ids, *lasting} - {bad}
    assert outcomes == dict.fromkeys(sent, "sent") | dict.fromkeys(late, "expired") | {bad: "refused"}
    assert provider.taken.keys() == sent
    assert provider.tries.count(busy) > 1
    again = Counter(key for key in provider.tries if key != busy) - Counter([*sent - {busy}, bad])
    assert_interrupted(again, forgotten, commands)
    assert all(provider.traces[id_of(record)] == TRACE for record in commands.mails if id_of(record) != bad)
    assert all(provider.taken[id_of(record)] == json.loads(record.value or b"") for record in commands.lasting)
    for record in commands.mails:
        assert offsets[record.partition] > record.offset
    assert_order(commands.mails, provider, bad)


def assert_interrupted(again: Counter[str], forgotten: str, commands: Commands) -> None:
    """What the end at `forgotten` kept from being noted came again: it, and one of each other partition at most."""
    partitions = {id_of(record): record.partition for record in (*commands.mails, *commands.lasting)}
    assert forgotten in again
    assert set(again.values()) == {1}
    assert len({partitions[key] for key in again}) == len(again)


def test_kafkajs_alone_stops_at_commands(kafkajs: Path, broker: str, commands: Commands) -> None:
    script = f"""
        const {{ Kafka, logLevel }} = require('kafkajs')
        const kafka = new Kafka({{ brokers: ['{broker}'], logLevel: logLevel.NOTHING }})
        const consumer = kafka.consumer({{ groupId: 'plain' }})
        consumer.on('consumer.crash', ({{ payload }}) => {{ console.log(payload.error.message); process.exit() }})
        consumer.connect()
            .then(() => consumer.subscribe({{ topic: '{COMMANDS}', fromBeginning: true }}))
            .then(() => consumer.run({{ eachMessage: async () => {{}} }}))
    """
    done = subprocess.run(
        ["node", "-e", script], cwd=kafkajs, capture_output=True, text=True, timeout=client.PATIENCE
    )
    assert done.stdout == "Snappy compression not implemented\n"


def assert_order(mails: list[Record], provider: Provider, bad: str) -> None:
    """Each customer's messages were taken in the order of their commands."""
    position = {key: number for number, key in enumerate(provider.taken)}
    by_customer: dict[bytes | None, list[int]] = {}
    for record in sorted(mails, key=lambda record: record.offset):
        if id_of(record) != bad:
            by_customer.setdefault(record.key, []).append(position[id_of(record)])
    assert all(positions == sorted(positions) for positions in by_customer.values())

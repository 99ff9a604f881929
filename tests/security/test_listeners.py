"""Every client of Kafka's by every kind of listener, and what is said where Kafka does not take it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from streams.control.publishing import OutgoingRecord, read_commands, send
from streams.errors import FairwayError
from streams.kafka.changelog import ChangelogReader
from streams.kafka.clients import admin, started
from streams.kafka.connection import consumer_arguments
from streams.kafka.limits import Limits
from streams.kafka.producer import Producers
from streams.kafka.readiness import check_topics
from streams.kafka.records import Commit
from streams.kafka.standing import Membership
from streams.kafka.topics import COMMANDS, INBOX, read_topics
from streams.settings import Settings
from tests import client
from tests.security.acl import allow_everything
from tests.security.issuer import CLIENT, SECRET, Issuer
from tests.security.secure_broker import WAYS, SecureBroker

pytestmark = pytest.mark.broker


@pytest.fixture
def topics(secure: SecureBroker, prefix: str, topics_file: Path) -> Any:
    """The topics of an app, on which everybody may do everything."""
    found = read_topics(topics_file, prefix)
    client.create_topics(secure.address, {topic.name: topic.partitions for topic in found.all})
    allow_everything(secure.address)
    yield found
    client.delete_topics(secure.address, [topic.name for topic in found.all])


@pytest.fixture
def oauth(issuer: Issuer) -> dict[str, str]:
    """The settings that lead to the issuer."""
    return {
        "kafka_oauth_token_url": issuer.url,
        "kafka_oauth_client_id": CLIENT,
        "kafka_oauth_client_secret": SECRET,
    }


@pytest.mark.parametrize("way", [way for way in WAYS if way != "EXPIRED"])
async def test_every_client_comes_by_every_kind_of_listener(
    secure: SecureBroker, oauth: dict[str, str], topics: Any, prefix: str, way: str
) -> None:
    settings = secure.settings(way, **(oauth if way == "OAUTH" else {}), app_id=prefix, kafka_client_rack="a")
    assert await check_topics(settings, topics) == topics.partitions
    assert await send(settings, [OutgoingRecord(COMMANDS, b"t:c", b'{"n":1}')]) == 1
    assert [value async for value in read_commands(settings, from_start=True, follow=False)] == [b'{"n":1}']
    producers = Producers(settings, topics.changelog, Limits(), "one")
    producer = producers.make(1)
    async with member(settings) as membership:
        producers.standing.join(membership)
        await producer.fence()
        await producer.commit(Commit({b"t:c": b"row"}, {}, {INBOX: 0}))
        await producer.fence()  # as the next owner does: from then on all that was committed can be read
    await producers.close()
    async with started(ChangelogReader(settings, topics.changelog, 1)) as reader:
        pages = [page async for page in reader.read(0)]
    assert [row for page in pages for row in page.rows] == [(b"t:c", b"row")]


@asynccontextmanager
async def member(settings: Settings) -> AsyncIterator[Membership]:
    """Be the group's only member."""
    consumer = AIOKafkaConsumer(COMMANDS, **consumer_arguments(settings), group_id=settings.app_id)
    await consumer.start()
    try:
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=50)
        found = consumer._coordinator
        yield Membership(settings.app_id, found.generation, found.member_id, None, frozenset({1}))
    finally:
        await consumer.stop()


async def refusal(settings: Settings) -> str:
    """Return what is said where Kafka does not take these settings."""
    with pytest.raises(FairwayError) as caught:
        async with admin(settings) as asking:
            await asking.ask(lambda one: one.describe_topics())
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("way", "given", "sentence"),
    [
        ("SCRAM", {"kafka_sasl_password": "wrong-secret"},
         "Kafka at '{at}' refuses the user 'worker' with its password (SCRAM-SHA-512): see "
         "FAIRWAY_KAFKA_SASL_USERNAME, FAIRWAY_KAFKA_SASL_PASSWORD and FAIRWAY_KAFKA_SASL_MECHANISM."),
        ("SCRAM", {"kafka_sasl_mechanism": "PLAIN"},
         "Kafka at '{at}' does not offer PLAIN there: set FAIRWAY_KAFKA_SASL_MECHANISM, or the port, "
         "to one of the broker's."),
        ("PLAIN", {"kafka_sasl_password": "wrong-secret"},
         "Kafka at '{at}' refuses the user 'worker' with its password (PLAIN): "),
        ("OPEN", {"kafka_sasl_username": "nobody"},
         "Kafka at '{at}' refuses the user 'nobody' with its password (SCRAM-SHA-256)"),
        ("OPEN", {"kafka_security_protocol": "SASL_SSL"}, "Kafka at '{at}' does not speak TLS there"),
        ("OPEN", {"kafka_security_protocol": "PLAINTEXT"},
         "Kafka at '{at}' closed the connection, for it expects TLS there, or a user: "
         "FAIRWAY_KAFKA_SECURITY_PROTOCOL is PLAINTEXT, so see whether SSL or SASL_SSL is meant, or another port."),
        ("SCRAM", {"kafka_security_protocol": "PLAINTEXT"},
         "Kafka at '{at}' closed the connection, for it expects TLS"),
        ("MUTUAL", {"kafka_ssl_certfile": None, "kafka_ssl_keyfile": None},
         "Kafka at '{at}' closed the connection, for it may want a certificate of ours: set "
         "FAIRWAY_KAFKA_SSL_CERTFILE and FAIRWAY_KAFKA_SSL_KEYFILE."),
        ("EXPIRED", {}, "The certificate of Kafka at '{at}' has expired: the broker needs a new one."),
        ("SCRAM", {"kafka_ssl_cafile": "stranger"},
         "The certificate of Kafka at '{at}' is of a CA that is not trusted here (unable to get local issuer "
         "certificate): name that CA's certificate in FAIRWAY_KAFKA_SSL_CAFILE."),
        ("SCRAM", {"host": "127.0.0.1"},
         "The certificate of Kafka at '{at}' is for another name: write FAIRWAY_BROKERS with "),
        ("MUTUAL", {"certificate": "stranger"},
         "Kafka at '{at}' closed the connection, for it may not trust the CA of the certificate in "),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_told_in_a_sentence(
    secure: SecureBroker, way: str, given: dict[str, Any], sentence: str
) -> None:
    given, at = dict(given), secure.brokers(way, given.get("host", "localhost"))
    if given.get("kafka_ssl_cafile"):
        given["kafka_ssl_cafile"] = secure.stranger.file
    if given.pop("certificate", None):
        files = secure.stranger.issue("worker")
        given |= {"kafka_ssl_certfile": files.cert, "kafka_ssl_keyfile": files.key}
    if given.pop("host", None):
        given["brokers"] = at
    assert (await refusal(secure.settings(way, **given))).startswith(sentence.format(at=at))


async def test_a_dead_broker_that_is_named_first_is_in_nobody_s_way(secure: SecureBroker) -> None:
    settings = secure.settings("SCRAM", brokers=f"localhost:1,{secure.brokers('SCRAM')}")
    async with admin(settings) as asking:
        assert await asking.ask(lambda one: one.describe_cluster())
    assert "refuses the user" in await refusal(settings.model_copy(update={"kafka_sasl_username": "nobody"}))


async def test_a_token_that_kafka_does_not_take_is_told_with_what_kafka_says(
    secure: SecureBroker, issuer: Issuer, oauth: dict[str, str]
) -> None:
    issuer.lifetime = timedelta(days=-1).total_seconds()
    said = await refusal(secure.settings("OAUTH", **oauth))
    assert said.startswith(f"Kafka at '{secure.brokers('OAUTH')}' does not take the token of FAIRWAY_KAFKA_OAUTH_")


async def test_a_token_that_is_refused_is_told_with_the_address(
    secure: SecureBroker, issuer: Issuer, oauth: dict[str, str]
) -> None:
    said = await refusal(secure.settings("OAUTH", **oauth | {"kafka_oauth_client_id": "nobody"}))
    assert said.startswith(
        f"'{issuer.url}' refuses a token (401, invalid_client): see FAIRWAY_KAFKA_OAUTH_CLIENT_ID"
    )

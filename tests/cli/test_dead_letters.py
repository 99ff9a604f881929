"""`fairway dead-letters` on a real Kafka and Postgres: found, shown, and dealt with as pages and API do it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer
from typer.testing import CliRunner, Result

from streams.cli import app
from streams.cli.letters import read_position, read_since, read_state
from streams.clock import now
from streams.database import create_engine, upgrade
from streams.doctor.dead_letters import check_dead_letters
from streams.doctor.finding import Findings
from streams.errors import FairwayError
from streams.kafka.topics import DEAD_LETTERS, read_topics
from streams.settings import Settings
from tests import client

TOPIC = "teetime.booked"
HOUR = timedelta(hours=1)
LETTERS = (
    # code, topic, key, age in hours
    ("schema", TOPIC, "pinehurst:c-1", 50),
    ("schema", TOPIC, "pinehurst:c-2", 3),
    ("not-json", "payment.failed", "pinehurst:c-1", 2),
    ("schema", TOPIC, "augusta:c-1", 1),
    ("repaired", "", "pinehurst:c-9", 0),
)

MENDED = json.dumps(
    {"eventId": "e-1", "tenantId": "pinehurst", "customerId": "c-1", "occurredAt": "2026-01-01T00:00:00Z"}
).encode()


@pytest.fixture
def place(settings: Settings, database_url: str) -> dict[str, str]:
    """The letters, each in a transaction on one partition, and the variables by which commands find them."""
    producer = Producer({"bootstrap.servers": settings.brokers, "transactional.id": settings.app_id})
    producer.init_transactions(client.PATIENCE)
    for number, (code, topic, key, age) in enumerate(LETTERS):
        told = [("dlq.code", code), ("dlq.reason", f"Why {number}."), ("dlq.topic", topic), ("own", "header")]
        headers = [(name, text.encode()) for name, text in told if text]
        written = int((now() - age * HOUR).timestamp() * 1000)
        producer.begin_transaction()
        producer.produce(DEAD_LETTERS, b"letter %d" % number, key, partition=2, headers=headers, timestamp=written)
        producer.commit_transaction()
    client.await_marks(settings.brokers, settings.app_id)

    async def make_tables() -> None:
        engine = create_engine(database_url)
        await upgrade(engine)
        await engine.dispose()

    asyncio.run(make_tables())
    return {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATABASE_URL": database_url,
    }  # fmt: skip


def run(place: dict[str, str], *words: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(app, ["dead-letters", *words], env=place, input=given)


def values(place: dict[str, str], *words: str) -> list[int]:
    """Return which letters are listed, by number."""
    result = run(place, "list", "--json", *words)
    assert result.exit_code == 0, result.exception
    return [int(row["value"].split()[1]) for row in json.loads(result.output)]


def position(place: dict[str, str], number: int) -> str:
    rows = json.loads(run(place, "list", "--state", "all", "--json").output)
    return next(f"{row['partition']}:{row['offset']}" for row in rows if row["value"] == f"letter {number}")


@pytest.mark.broker
@pytest.mark.database
def test_dead_letters_are_listed_by_what_is_asked_for(place: dict[str, str]) -> None:
    for words, numbers in (
        ([], [4, 3, 2, 1, 0]),
        (["--code", "schema"], [3, 1, 0]),
        (["--topic", "payment.failed"], [2]),
        (["--tenant", "pinehurst"], [4, 2, 1, 0]),
        (["--customer", "c-1", "--tenant", "pinehurst"], [2, 0]),
        (["--since", "1 day", "--code", "schema"], [3, 1]),
        (["--since", "150 minutes"], [4, 3, 2]),
        (["--since", "2999-01-01"], []),
        (["--limit", "2"], [4, 3]),
        (["--state", "discarded"], []),
    ):
        assert values(place, *words) == numbers, words


@pytest.mark.broker
@pytest.mark.database
def test_they_are_counted_by_code_reason_and_state(
    place: dict[str, str], settings: Settings, database_url: str
) -> None:
    assert run(place, "discard", position(place, 1)).exit_code == 0
    findings, given = Findings(), settings.model_copy(update={"database_url": database_url})
    asyncio.run(check_dead_letters(findings, given, read_topics(settings.topics_file, settings.app_id)))
    assert [one.text for one in findings.all] == ["4 dead letters are open; 1 other is dealt with."]

    def count(*words: str) -> list[tuple[object, ...]]:
        rows = json.loads(run(place, "count", "--json", *words).output)
        return [(row["letters"], row["code"], row["state"], row["reason"]) for row in rows]

    of_schema = [one for one in count("--code", "schema") if one[1] == "schema"]
    assert of_schema == [(2, "schema", "open", "Why …."), (1, "schema", "discarded", "Why 1.")]
    assert sum(one[0] for one in count()) == 5  # type: ignore[misc]
    assert count("--code", "schema", "--since", "1 day", "--state", "open") == [(1, "schema", "open", "Why 3.")]
    assert run(place, "count", "--since", "2999-01-01").output == "There is no such dead letter.\n"


@pytest.mark.broker
@pytest.mark.database
def test_a_letter_without_a_key_is_found_by_the_customer_whom_its_value_names(
    place: dict[str, str], settings: Settings
) -> None:
    """A producer that forgets the key, or a field: the value says whose it is, and each field is a reason."""
    for field in ("occurredAt", "occurredAt", "tenantId"):
        named = {"tenantId": "pinehurst", "customerId": "op-bert"}
        value = json.dumps({name: text for name, text in named.items() if name != field}).encode()
        told = ("dlq.code", b"schema"), ("dlq.reason", f"The field '{field}' is required.".encode()), (
            "dlq.topic", TOPIC.encode())  # fmt: skip
        client.produce(settings.brokers, [client.Record(DEAD_LETTERS, None, value, told)])
    listed = json.loads(run(place, "list", "--json", "--customer", "op-bert").output)
    assert sorted(row["tenantId"] for row in listed) == ["", "pinehurst", "pinehurst"]
    where = next(f"{row['partition']}:{row['offset']}" for row in listed if row["tenantId"])
    shown = run(place, "show", where).output
    assert "tenantId: pinehurst" in shown
    assert "customerId: op-bert" in shown
    counted = json.loads(run(place, "count", "--json", "--customer", "op-bert").output)
    assert [(row["letters"], row["reason"]) for row in counted] == [
        (2, "The field 'occurredAt' is required."), (1, "The field 'tenantId' is required."),
    ]  # fmt: skip
    of_tenant = ["--tenant", "pinehurst", "--customer", "op-bert"]
    assert json.loads(run(place, "count", "--json", *of_tenant).output)[0]["letters"] == 2
    assert run(place, "discard", *of_tenant).output == "2 records were discarded.\n"
    assert run(place, "count", "--state", "open", "--customer", "op-bert").output.count("schema") == 1


@pytest.mark.broker
@pytest.mark.database
def test_one_is_shown_with_its_headers_and_its_value_byte_for_byte(place: dict[str, str]) -> None:
    where = position(place, 1)
    shown = run(place, "show", where).output
    assert all(word in shown for word in ("state: open", "reason: Why 1.", "own: header", "letter 1"))
    assert json.loads(run(place, "show", where, "--json").output)["key"] == "pinehurst:c-2"
    assert run(place, "show", where, "--value").stdout_bytes == b"letter 1"
    table = run(place, "list").output
    assert where in table
    assert "Why 1." in table


@pytest.mark.broker
@pytest.mark.database
def test_what_is_decided_is_done_and_kept(place: dict[str, str], settings: Settings) -> None:
    looked = run(place, "replay", "--code", "schema", "--since", "1 day", "--dry-run")
    assert (looked.output.count(TOPIC), client.read_committed(settings.brokers, TOPIC)) == (2, [])
    assert looked.output.endswith("Nothing was sent: this is what 'replay' would do.\n")
    assert run(place, "replay", "--code", "schema", "--since", "1 day").output == "2 records were sent again.\n"
    sent = client.read_committed(settings.brokers, TOPIC)
    assert sorted((one.key, one.value, one.headers) for one in sent) == [
        (b"augusta:c-1", b"letter 3", (("own", b"header"),)),
        (b"pinehurst:c-2", b"letter 1", (("own", b"header"),)),
    ]
    tried = run(place, "replay", position(place, 2), "--value", "-", "--dry-run", given=b"{}")
    assert str(tried.exception) == str(
        run(place, "replay", position(place, 2), "--value", "-", given=b"{}").exception
    )
    assert str(tried.exception) == (
        "The new value would come back as a dead letter, code 'schema': The field 'eventId' is required and must "
        "be a text of 1 to 256 characters without U+0000. Nothing was sent."
    )
    assert client.read_committed(settings.brokers, "payment.failed") == []
    looked = run(place, "replay", position(place, 2), "--value", "-", "--dry-run", given=MENDED)
    assert "The new value can be used: payment.failed 'e-1' of customer 'c-1' of 'pinehurst'." in looked.output
    mended = run(place, "replay", position(place, 2), "--value", "-", given=MENDED)
    assert mended.output == "1 record was sent again.\n"
    again = run(place, "replay", position(place, 2), position(place, 4))
    assert "was sent again before; if that shall be done once more, run 'fairway dead" in str(again.exception)
    assert [one.value for one in client.read_committed(settings.brokers, "payment.failed")] == [MENDED]
    assert run(place, "discard", position(place, 0)).exit_code == 0
    assert values(place) == [4]
    assert values(place, "--state", "replayed") == [3, 2, 1]
    assert values(place, "--state", "discarded") == [0]
    assert run(place, "reopen", position(place, 0), position(place, 3)).exit_code == 0
    assert values(place) == [4, 3, 0]
    impossible = run(place, "replay", "--all")
    assert impossible.output.startswith("2 records were sent again.\n")
    assert "1 was not: the topic that it came from" in str(impossible.exception)
    assert run(place, "resolve", "--all").output == "1 record was marked as resolved.\n"
    assert values(place) == []


@pytest.mark.broker
@pytest.mark.database
def test_what_is_not_there_is_said_and_nothing_is_done(place: dict[str, str], settings: Settings) -> None:
    missing = run(place, "discard", position(place, 0), "2:999999")
    assert str(missing.exception) == "There is no dead letter 2:999999, or it is no longer kept."
    assert len(values(place)) == len(LETTERS)
    client.delete_topics(settings.brokers, [DEAD_LETTERS])
    client.wait_until(lambda: "is missing" in str(run(place, "list").exception))
    client.create_topics(settings.brokers, {DEAD_LETTERS: 4})


@pytest.mark.parametrize("words", [["replay"], ["discard"], ["replay", "--all", "1:1"], ["replay", "--value", "x"]])
def test_whoever_does_not_say_which_is_asked(words: list[str]) -> None:
    assert run({}, *words).exit_code == 2


def test_moments_states_and_places_are_read_or_refused_by_a_sentence() -> None:
    at = datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert read_since("1 day", at) == at - 24 * HOUR
    assert read_since("PT2H", at) == at - 2 * HOUR
    assert read_since("Yesterday", at) == datetime(2026, 11, 22, tzinfo=UTC)
    assert read_since("today", at) == datetime(2026, 11, 23, tzinfo=UTC)
    assert read_since("2026-11-22T10:00:00Z", at) == at - 24 * HOUR
    assert (read_state("all"), read_state("open")) == (None, "open")
    assert read_position("3:12") == read_position("3/12") == (3, 12)
    for wrong in (lambda: read_since("soon", at), lambda: read_state("lost"), lambda: read_position("3:-1")):
        with pytest.raises(FairwayError):
            wrong()

"""A changelog is read to its end, committed rows only, and told from another of its name."""

from contextlib import aclosing

import pytest
from confluent_kafka import Producer

from streams.cancellation import end_tasks
from streams.kafka import changelog, provision
from streams.kafka.changelog import ChangelogReader
from streams.kafka.clients import started
from streams.kafka.errors import MigratedError
from streams.kafka.topics import read_topics
from streams.settings import Settings
from tests import client

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]


async def read(
    settings: Settings, topic: str, offset: int = 0
) -> tuple[str, list[tuple[bytes, bytes | None]], int]:
    """Return which changelog it is, its rows from an offset, and where it ends."""
    rows: list[tuple[bytes, bytes | None]] = []
    async with started(ChangelogReader(settings, topic, 1)) as reader:
        async with aclosing(reader.read(offset)) as pages:
            async for page in pages:
                rows += page.rows
                end = page.offset
        return await reader.identity(), rows, end


def write(settings: Settings, topic: str, *values: bytes, commits: bool = True) -> None:
    producer = Producer({"bootstrap.servers": settings.brokers, "transactional.id": f"{settings.app_id}-rows"})
    producer.init_transactions(client.PATIENCE)
    producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, b"k", partition=1)
    producer.commit_transaction(client.PATIENCE) if commits else producer.abort_transaction(client.PATIENCE)
    client.await_marks(settings.brokers, f"{settings.app_id}-rows")


async def test_committed_rows_are_read_to_the_end_and_the_next_time_those_after_it(settings: Settings) -> None:
    topic = read_topics(settings.topics_file, settings.app_id).changelog
    assert (await read(settings, topic))[1:] == ([], 0)
    write(settings, topic, b"1", b"2")
    write(settings, topic, b"3", commits=False)
    _, rows, end = await read(settings, topic)
    assert rows == [(b"k", b"1"), (b"k", b"2")]
    write(settings, topic, b"4")
    assert (await read(settings, topic, end))[1] == [(b"k", b"4")]


async def test_a_changelog_of_which_nothing_more_comes_is_given_up(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = read_topics(settings.topics_file, settings.app_id).changelog
    write(settings, topic, b"1")
    monkeypatch.setattr(changelog, "_SILENCE_SECONDS", 0.5)
    async with started(ChangelogReader(settings, topic, 1)) as reader, aclosing(reader.read(0)) as pages:
        await anext(pages)
        assert reader._consumer is not None
        await end_tasks(reader._consumer._fetcher._fetch_task)  # as if it hung
        with pytest.raises(MigratedError, match="from 0 on"):
            async for _ in pages:
                pass


async def test_a_topic_that_is_made_anew_is_another(settings: Settings) -> None:
    topics = read_topics(settings.topics_file, settings.app_id)
    first, *_ = await read(settings, topics.changelog)
    assert (await read(settings, topics.changelog))[0] == first
    client.delete_topics(settings.brokers, [topics.changelog])
    admin = client.AdminClient({"bootstrap.servers": settings.brokers})
    client.wait_until(lambda: topics.changelog not in admin.list_topics().topics)
    await provision.apply(settings, topics)
    assert (await read(settings, topics.changelog))[0] != first


async def test_a_broker_that_does_not_answer_loses_the_partition() -> None:
    with pytest.raises(MigratedError, match=r"^its changelog can't be read: "):
        async with started(ChangelogReader(Settings(brokers="127.0.0.1:1"), "topic", 1)):
            pass

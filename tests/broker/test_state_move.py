"""The state goes to more partitions and to fewer, while events come and the mover is killed: each counts once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import yaml
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner

from streams.cli import app, moving
from streams.cli.copying import Moved
from streams.errors import FairwayError
from streams.kafka.limits import Limits
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producers
from streams.kafka.records import Commit
from streams.kafka.standing import Membership
from streams.kafka.topics import COMMANDS, INBOX, read_topics
from streams.partition.internal_rows import MOVED_TO
from streams.settings import Settings, environment
from tests import client
from tests.broker.load import commands, producing, publish_load, wait_for
from tests.broker.workers import Group, running

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

_MOVE = "from streams.cli import main; import sys; sys.argv[1:] = ['state', 'move', *sys.argv[1:]]; main()"


def variables(settings: Settings) -> dict[str, str]:
    return {
        "FAIRWAY_BROKERS": settings.brokers, "FAIRWAY_APP_ID": settings.app_id,
        "FAIRWAY_TOPICS_FILE": str(settings.topics_file), "FAIRWAY_DATA_DIR": str(settings.data_dir),
    }  # fmt: skip


def move(settings: Settings, *words: str) -> str:
    """Return what `fairway state move` says, or why it refuses."""
    done = CliRunner().invoke(app, ["state", "move", *words], env=variables(settings))
    print(words, done.exit_code, done.output, done.exception)
    return done.stdout if done.exit_code == 0 else str(done.exception)


def kill(settings: Settings, failpoint: str, *words: str) -> None:
    """Let a mover die at a failpoint."""
    given = environment() | variables(settings) | {"FAIRWAY_FAILPOINT": failpoint}
    done = subprocess.run(
        [sys.executable, "-c", _MOVE, *words], env=given, capture_output=True, timeout=2 * client.PATIENCE
    )
    assert done.returncode == -9, (failpoint, done.returncode, done.stdout, done.stderr)


def with_partitions(settings: Settings, app_id: str, partitions: int) -> Settings:
    """Return the settings of workers of an app id whose state has so many partitions."""
    content = yaml.safe_load(settings.topics_file.read_text())
    content["topics"]["<appId>-customers-changelog"]["partitions"] = partitions
    content["defaults"]["partitions"] = 8
    file = settings.topics_file.with_name(f"{app_id}.yaml")
    file.write_text(yaml.safe_dump(content))
    return settings.model_copy(update={"app_id": app_id, "topics_file": file})


@contextmanager
def at_work(settings: Settings, at_least: int, count: int = 1) -> Iterator[None]:
    """Let so many workers work together until there are so many commands, and end them in order."""
    group = Group(settings)
    with running(settings, count) as workers:
        client.wait_until(lambda: group.is_stable(count), 2 * client.PATIENCE)
        client.wait_until(lambda: len(commands(settings)["Reminder"]) >= at_least, 2 * client.PATIENCE)
        yield
        for worker in workers:
            assert worker.end(signal.SIGTERM) == 0
    client.wait_until(lambda: group.stands()[1] == 0)


def refusal(settings: Settings) -> str:
    """Return what a worker logs that does not start."""
    with running(settings) as (worker,):
        before = worker.log.read_text() if worker.log.exists() else ""
        client.wait_until(lambda: worker.process.poll() is not None)
        assert worker.process.returncode == 1
        return worker.log.read_text().removeprefix(before)


async def test_what_a_worker_does_that_came_while_the_state_was_marked_is_moved_and_the_mark_lies_behind_it(
    settings: Settings, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changelog = own(settings)
    target = with_partitions(settings, f"{prefix}-d", 8)
    key = next(key for number in range(100) if partition_of(key := b"pinehurst:c-%d" % number, 4) == 1)
    alone = AIOKafkaConsumer(
        COMMANDS, bootstrap_servers=settings.brokers, group_id=settings.app_id, **client.PATIENT_MEMBER
    )
    await alone.start()
    while not alone.assignment():
        await alone.getmany(timeout_ms=50)
    member = Membership(
        settings.app_id, alone._coordinator.generation, alone._coordinator.member_id, None, frozenset({1})
    )
    worker = Producers(settings, changelog, Limits(), "one")
    worker.standing.join(member)
    partition = worker.make(1)
    await partition.fence()
    refuse, looks = moving._refuse_workers, 0

    async def look(given: Settings, *apps: str) -> None:
        """Let the worker be passed over, as if it came just after that; then it commits once more, and leaves."""
        nonlocal looks
        looks += 1
        if looks == 2:
            with pytest.raises(FairwayError, match=r"has workers that run \(1\)"):
                await refuse(given, *apps)
            await partition.commit(Commit({key: b"{}"}, {}, {INBOX: 0}))
            await worker.close()
            await alone.stop()
            await refuse(given, *apps)

    monkeypatch.setattr(moving, "_refuse_workers", look)
    try:
        moved = await moving.move(settings, target.app_id, 8, lambda _done, _total: None, skips_history=True)
        assert moved == Moved(rows=1)
        kept = [one.key for one in client.read_committed(settings.brokers, changelog) if one.partition == 1]
        assert kept == [MOVED_TO, key, MOVED_TO]
        (row,) = [one for one in client.read_committed(settings.brokers, own(target)) if one.key == key]
        assert (row.partition, row.value) == (partition_of(key, 8), b"{}")
    finally:
        await worker.close()
        await alone.stop()
        client.delete_topics(settings.brokers, [own(target)])


def own(settings: Settings) -> str:
    return read_topics(settings.topics_file, settings.app_id).changelog


def test_the_state_goes_to_more_partitions_and_to_fewer_and_nothing_is_lost_or_doubled(
    settings: Settings, prefix: str
) -> None:
    publish_load(settings)
    eight = with_partitions(settings, f"{prefix}-b", 8)
    three = with_partitions(settings, f"{prefix}-c", 3)
    try:
        with producing(settings) as producer:
            to_eight = ("--to", eight.app_id, "--to-partitions", "8", "--skip-history")
            with at_work(settings, 100, 2):
                assert "has workers that run (2)" in move(settings, *to_eight)
                told = move(settings, *to_eight, "--dry-run")
                assert f"with 4 partitions, would be moved to '{eight.app_id}', with 8." in told
                assert f"'{INBOX}' would be given partitions, up to 8." in told
            # Eight marks and four of the old state, twice; the rows of four; and the last one: 29 transactions.
            kill(settings, "commit.before:10", *to_eight)
            assert "is being moved here, and not all of it has come" in refusal(eight)
            assert f"with '{settings.app_id}' again" in move(settings, *to_eight, "--give-up")
            for failpoint in ("commit.before:20", "commit.after:26", "commit.after:29"):
                kill(settings, failpoint, *to_eight)
            assert f"was moved to '{eight.app_id}' already" in move(settings, *to_eight)
            assert "is complete: start workers of that app id" in move(settings, *to_eight, "--give-up")
            with at_work(eight, producer.count):
                pass
            done = move(eight, "--to", three.app_id, "--to-partitions", "3", "--skip-history")
            assert "The move is complete" in done
            assert "left out" not in done
            with running(three):
                wait_for(three, producer.stop())
    finally:
        client.delete_topics(settings.brokers, [own(eight), own(three)])

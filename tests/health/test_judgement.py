"""The judgement on an observation: a table of what may be the matter, with the line that an operator reads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.health.judgement import judge
from streams.health.observation import (
    RUNNING,
    SILENT,
    UNASKED,
    UNOWNED,
    Link,
    Observation,
    Partition,
    Thresholds,
    Worker,
)

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
LIMITS = Thresholds()


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def worker(number: int, *partitions: int, **fields: Any) -> Worker:
    given = {"version": "1.0", "joined": ago(900), "heard": ago(1)} | fields
    return Worker(f"w{number}", partitions=partitions, **given)


def running(*numbers: int, **fields: Any) -> list[Partition]:
    return [Partition(number, **{"worker": "w", "stage": RUNNING, "lag": 0} | fields) for number in numbers]


def seen(workers: list[Worker], partitions: list[Partition], **fields: Any) -> Observation:
    given = {"looked": ago(1), "kafka": Link(ago(2)), "postgres": Link(ago(2))} | fields
    return Observation(NOW, workers=tuple(workers), partitions=tuple(partitions), **given)


PAIR = [worker(1, 0, 1), worker(2, 2, 3)]
ALL = running(0, 1, 2, 3)
STILL = worker(2, 2, 3, heard=ago(6), is_asked_in_vain=True)

CASES = {
    "all is well": (seen(PAIR, ALL), "Well: 2 workers, 4 partitions running, 0 events waiting."),
    "a few wait": (
        seen(PAIR, running(0, 1, lag=2, oldest=ago(3))), "Well: 2 workers, 2 partitions running, 4 events waiting.",
    ),
    "nothing was looked at": (Observation(NOW), "Degraded: Kafka has not been looked at yet."),
    "the look is old": (
        seen(PAIR, ALL, looked=ago(42)),
        "Degraded: workers were not asked for 42 s; what follows is from then.",
    ),
    "Kafka is away": (
        seen(PAIR, ALL, kafka=Link(ago(25), ago(20))),
        "Down: Kafka can't be reached for 20 s; what is told of partitions is from before.",
    ),
    "Kafka never answered": (
        Observation(NOW, kafka=Link(None, ago(70))), "Down: Kafka can't be reached for 1 min 10 s.",
    ),
    "no worker": (seen([], [Partition(0, lag=7), Partition(1, lag=1)]), "Down: no worker runs, 8 events wait."),
    "the only one that is left is gone": (
        seen([worker(1, gone=ago(3), heard=ago(14))], [Partition(0)]), "Down: no worker runs.",
    ),
    "one is silent": (
        seen([PAIR[0], STILL], [*running(0, 1), *running(2, 3, stage=SILENT, closed_since=ago(6), lag=2_460)]),
        "Degraded: worker w2 silent for 6 s, partitions 2, 3 hold 4,920 events.",
    ),
    "a silent one has one partition and nothing waits": (
        seen([PAIR[0], worker(2, 2, heard=ago(6), is_asked_in_vain=True)],
             [*running(0, 1), *running(2, stage=SILENT, closed_since=ago(6))]),
        "Degraded: worker w2 silent for 6 s, partition 2 stands still.",
    ),
    "a silent one has no partitions": (
        seen([worker(1, 0), worker(2, heard=ago(9), is_asked_in_vain=True)], running(0)),
        "Degraded: worker w2 silent for 9 s, it has no partitions.",
    ),
    "one has missed one question": (
        seen([PAIR[0], worker(2, 2, 3, heard=ago(4), is_asked_in_vain=True)], ALL),
        "Well: 2 workers, 4 partitions running, 0 events waiting.",
    ),
    "one has not been asked for long": (
        seen([PAIR[0], worker(2, 2, 3, heard=ago(40))], ALL),
        "Well: 2 workers, 4 partitions running, 0 events waiting.",
    ),
    "the only one is silent": (
        seen([worker(1, 0, 1, heard=ago(8), is_asked_in_vain=True)],
             running(0, 1, stage=SILENT, closed_since=ago(8))),
        "Down: worker w1 silent for 8 s, partitions 0, 1 stand still.",
    ),
    "one was killed and another took over": (
        seen([worker(1, 0, 1, 2, 3), worker(2, heard=ago(75), gone=ago(65), had=(2, 3))],
             running(0, 1, 2, 3, worker="w1")),
        "Degraded: worker w2 gone for 1 min 15 s without having been stopped;"
        " its partitions 2, 3 went to worker w1.",
    ),
    "one was killed and others took over a part": (
        seen([worker(1, 0), worker(3, 1), worker(2, heard=ago(12), gone=ago(2), had=(1, 2, 3, 4))],
             [*running(0, worker="w1"), *running(1, worker="w3"), Partition(2, "w1", "fencing", ago(1)),
              Partition(3, closed_since=ago(2)), Partition(4, closed_since=ago(2))]),
        "Degraded: worker w2 gone for 12 s without having been stopped; its partitions 3, 4 are without a worker,"
        " partition 2 went to worker w1, partition 1 went to worker w3.",
    ),
    "one was killed and nobody took over": (
        seen([worker(1, 0), worker(2, heard=ago(22), gone=ago(12), had=(1,))],
             [*running(0), Partition(1, closed_since=ago(12))]),
        "Degraded: partition 1 without a worker for 12 s;"
        " worker w2 gone for 22 s without having been stopped; its partition 1 is without a worker.",
    ),
    "one was killed that had nothing": (
        seen([worker(1, 0), worker(2, heard=ago(22), gone=ago(12))], running(0)),
        "Degraded: worker w2 gone for 22 s without having been stopped; it had no partitions.",
    ),
    "partitions are nobody's": (
        seen([worker(1, 0)],
             [*running(0), *running(1, 2, 3, worker="", stage=UNOWNED, closed_since=ago(11), lag=1)]),
        "Degraded: partitions 1\N{EN DASH}3 without a worker for 11 s, 3 events wait.",
    ),
    "a rebalance takes its second": (
        seen([worker(1, 0)], [*running(0), Partition(1, stage="fencing", closed_since=ago(2))]),
        "Settling: 1 worker, 1 of 2 partitions running, 0 events waiting.",
    ),
    "partitions are restored": (
        seen(PAIR, [*running(0, 1), *running(2, 3, stage="restoring", closed_since=ago(12), rows_left=6_000,
                                             seconds_left=8.4)]),
        "Degraded: partitions 2, 3 being restored for 12 s, 12,000 rows left, for about 8 s more.",
    ),
    "all partitions are restored": (
        seen(PAIR[:1], running(0, 1, stage="restoring", closed_since=ago(12), rows_left=1)),
        "Down: partitions 0, 1 being restored for 12 s, 2 rows left.",
    ),
    "a partition is lost again and again": (
        seen(PAIR, [*running(0, 1, 2), *running(3, stage="lost", closed_since=ago(30), lag=1)]),
        "Degraded: partition 3 lost and being opened again for 30 s, 1 event waits.",
    ),
    "events wait for long": (
        seen(PAIR, [*running(0, 1), *running(2, 3, worker="w2", lag=50, oldest=ago(90))]),
        "Degraded: 100 events waiting on partitions 2, 3 with worker w2, the oldest for 1 min 30 s.",
    ),
    "events of a worker that can't be asked wait for long": (
        seen([PAIR[0], worker(2, 2, 3, heard=None, is_asked_in_vain=True)],
             [*running(0, 1), *running(2, 3, worker="w2", stage=UNASKED, lag=50, oldest=ago(90))]),
        "Degraded: 100 events waiting on partitions 2, 3 with worker w2, the oldest for 1 min 30 s.",
    ),
    "Postgres is away": (
        seen(PAIR, ALL, postgres=Link(ago(40), ago(35)), unwritten=1_200),
        "Degraded: Postgres can't be reached for 35 s, history is 1,200 records behind; journeys go on.",
    ),
    "history is far behind": (
        seen(PAIR, ALL, unwritten=100_001), "Degraded: history is 100,001 records behind; journeys go on.",
    ),
    "the outbox is stuck": (
        seen(PAIR, ALL, unsent=2),
        "Degraded: 2 changes of journeys not sent to the workers for more than a minute.",
    ),
    "four things at once": (
        seen([PAIR[0], STILL],
             [*running(0, lag=1, oldest=ago(70)), *running(2, 3, stage=SILENT, closed_since=ago(6)),
              *running(1, stage="lost", closed_since=ago(30))], postgres=Link(None, ago(5))),
        "Degraded: worker w2 silent for 6 s, partitions 2, 3 stand still; "
        "partition 1 lost and being opened again for 30 s; and 2 more.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("observation", "line"), CASES.values(), ids=CASES)
def test_the_line_says_how_it_is_and_each_cause_says_what_to_do(observation: Observation, line: str) -> None:
    judgement = judge(observation, LIMITS)
    assert judgement.line == line
    told = {"Settling" if line.startswith("Settling") else judgement.level.capitalize()}
    assert {judgement.line.partition(":")[0]} == told
    assert line.startswith("Settling") <= (judgement.level == "well")
    assert all(cause.todo.endswith(".") and not cause.text.endswith(".") for cause in judgement.causes)
    assert all(cause.since is None or cause.since <= NOW for cause in judgement.causes)


def test_every_cause_that_holds_work_up_names_a_runbook_that_there_is() -> None:
    text = Path("docs/runbooks.md").read_text()
    anchors = {f"docs/runbooks.md#{line[4:].lower()}" for line in text.splitlines() if line.startswith("### ")}
    causes = [cause for observation, _ in CASES.values() for cause in judge(observation, LIMITS).causes]
    assert {cause.runbook for cause in causes if cause.check != "health"} - {""} <= anchors
    without = {cause.text for cause in causes if not cause.runbook and cause.weight != "notice"}
    assert without == {
        "Kafka has not been looked at yet",
        "workers were not asked for 42 s; what follows is from then",
    }


def test_of_a_silent_worker_it_is_said_where_its_process_is_and_how_to_end_it() -> None:
    told = judge(seen([PAIR[0], msgspec.structs.replace(STILL, host="10.0.0.2", pid=4711)], ALL), LIMITS)
    (todo,) = [cause.todo for cause in told.causes]
    assert todo.startswith("See whether its process 4711 on 10.0.0.2 runs, and what it logs.")
    assert "End one that hangs with SIGKILL (kill -9 4711), and start it again" in todo
    (unknown,) = [cause.todo for cause in judge(seen([PAIR[0], STILL], ALL), LIMITS).causes]
    assert unknown.startswith(
        "See whether its process runs, and what it logs. End one that hangs with SIGKILL, and"
    )


NOTICES = {
    "mixed versions": (
        [worker(1, 0), worker(2, 1, version="1.1"), worker(3, 2, version="")],
        "workers are of different versions: 1.0 (1), 1.1 (1), older (1)",
    ),
    "one that can't be asked": (
        [worker(1, 0), worker(2, 1, 2, heard=None, is_asked_in_vain=True)], "1 worker never answered from here: w2",
    ),
    "many that can't be asked": (
        [worker(number, number, heard=None, is_asked_in_vain=True) for number in range(5)],
        "5 workers never answered from here: w0, w1, w2 and 2 more",
    ),
    "one to spare": (
        [worker(1, 0), worker(2, 1), worker(3, 2), worker(4)],
        "worker w4 has no partitions, for there are 3 in all",
    ),
    "two to spare": (
        [worker(1, 0, 1), worker(2, 2), worker(3), worker(4)],
        "2 workers have no partitions, for there are 3 in all",
    ),
    "one that copies": ([worker(1, 0, 1, 2), worker(2)], "worker w2 has no partitions yet"),
}  # fmt: skip


@pytest.mark.parametrize(("workers", "text"), NOTICES.values(), ids=NOTICES)
def test_what_leaves_all_well_is_told_beside(workers: list[Worker], text: str) -> None:
    judgement = judge(seen(workers, running(0, 1, 2)), LIMITS)
    assert judgement.level == "well"
    assert [cause.text for cause in judgement.causes] == [text]


def test_a_worker_that_comes_up_is_not_told_as_one_that_can_t_be_asked() -> None:
    new = worker(2, 1, heard=None, is_asked_in_vain=True, joined=ago(20))
    assert judge(seen([worker(1, 0), new], running(0, 1)), LIMITS).causes == ()


def test_thresholds_say_from_when_on_something_is_told() -> None:
    late = seen(
        [worker(1, 0, heard=ago(3), is_asked_in_vain=True), worker(2, 1, 2)],
        [*running(0), *running(1, lag=1, oldest=ago(20)), *running(2, stage="lost", closed_since=ago(8))],
        unwritten=50,
    )
    assert judge(late, LIMITS).level == "well"
    strict = Thresholds(timedelta(seconds=3), timedelta(seconds=8), timedelta(seconds=20), 49)
    assert [cause.check for cause in judge(late, strict).causes] == ["workers", "partitions", "lag", "history"]


moments = st.none() | st.integers(0, 3_600).map(ago)
names = st.sampled_from(["", "w1", "w2", "w3"])
numbers = st.integers(0, 9)
workers_ = st.builds(
    Worker, names, st.just("h"), st.sampled_from(["", "1.0", "1.1"]),
    st.lists(numbers, unique=True).map(tuple), moments, moments, st.booleans(), moments,
)  # fmt: skip
partitions_ = st.builds(
    Partition, numbers, names, st.sampled_from([RUNNING, SILENT, UNASKED, UNOWNED, "restoring", "odd"]), moments,
    st.none() | numbers, st.none() | st.floats(0, 1e6), st.none() | numbers, moments, st.none() | st.floats(0, 1e6),
)  # fmt: skip
links = st.builds(Link, moments, moments)
observations = st.builds(
    Observation, st.just(NOW), moments, links, links, st.lists(workers_).map(tuple),
    st.lists(partitions_).map(tuple), st.integers(0, 200_000), st.integers(0, 3),
)  # fmt: skip


@given(observations)
def test_whatever_is_observed_is_judged_and_the_level_is_that_of_the_worst_cause(observation: Observation) -> None:
    judgement = judge(observation, LIMITS)
    weights = {cause.weight for cause in judgement.causes}
    worst = "down" if "down" in weights else "degraded" if "degraded" in weights else "well"
    assert judgement.level == worst
    assert judgement == judge(observation, LIMITS)
    assert len(judgement.line) < 1_000

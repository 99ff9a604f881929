"""Who runs against whom: each workload and baseline as a program, its journeys and its events."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from operator import gt

import msgspec

from models.journey import Journey
from streams.kafka.topics import COMMANDS
from tests import client
from tests.benchmarks import prepare, workloads
from tests.benchmarks.progress import PATIENCE, Broker, Figure, History, measure
from tests.benchmarks.stage import BARE, FAIRWAY, RUNTIME, STOCK, Setting, Stage, wait_for
from tests.benchmarks.workloads import Event, make_events, make_many, make_rows

Events = Callable[[int], Iterator[Event]]
_ROWS_RESTORED_AT_LEAST = 10_000  # a second; a worker that is slower has failed


class Contest(msgspec.Struct, frozen=True):
    """A program under measure: over `share` of the events, each of `units` of work."""

    name: str
    title: str
    program: tuple[str, ...] | Callable[[], tuple[str, ...]]  # or what makes it ready first
    journeys: tuple[Journey, ...] = ()
    events: Events = make_events
    share: float = 1.0
    units: int = 1
    variables: dict[str, str] = {}
    workers: int = 1
    by_commands: bool = False
    customers: int = 0  # whose rows are there before the run
    by_and_by: bool = False  # the events come when every partition is open: some take much longer than others to


def _make_tenth(tenants: int) -> Events:
    return lambda count: make_events(count, tenants, wanted_each=10)


ONE_TENANT, TWENTY_TENANTS = _make_tenth(1), _make_tenth(20)

CONTESTS = (
    Contest("bare", "bare aiokafka loop, one transaction a batch", BARE),
    Contest("plain", "bare aiokafka loop, no guarantees", BARE, variables={"BENCH_PLAIN": "1"}, by_commands=True),
    Contest("stock", "stock Faust agent with Table, at_least_once", STOCK, share=0.1, by_commands=True),
    Contest(
        "exact", "stock Faust agent with Table, exactly_once", STOCK,
        share=0.1, by_commands=True, variables={"BENCH_GUARANTEE": "exactly_once"},
    ),
    Contest("quix", "Quix Streams: one row, one command, exactly-once", prepare.quix_streams, share=4),
    Contest("kstreams", "Kafka Streams: one row, one command, exactly_once_v2", prepare.kafka_streams, share=4),
    Contest("a", "events that no journey wants", FAIRWAY, (workloads.UNWANTED,), share=6),
    Contest("r", "the runtime alone: one row, one command", RUNTIME, share=4),
    Contest("b", "trigger, 3 conditions, SEND", FAIRWAY, (workloads.SENDING,), share=2),
    Contest("n", "entering: trigger, condition, SEND, WAIT", FAIRWAY, (workloads.ENTERING,), share=2),
    Contest(
        "c", "a whole journey of 8 steps (steps/s)", FAIRWAY, (workloads.WHOLE,),
        units=workloads.STEPS_OF_WHOLE,
    ),
    Contest("d1", "1 ACTIVE journey, 10 % of events enter", FAIRWAY, tuple(make_many(1, 1)), ONE_TENANT, share=3),
    Contest(
        "d", "100 ACTIVE journeys of 20 tenants, 10 % of events enter", FAIRWAY,
        tuple(make_many(100, 20)), TWENTY_TENANTS, share=3,
    ),
)  # fmt: skip
BY_NAME = {contest.name: contest for contest in CONTESTS}


def run(stage: Stage, contest: Contest, events: int) -> Figure:
    """Measure one program once, over a share of `events` that lie in their topic already."""
    count = max(1000, int(events * contest.share))
    topic = stage.make_topic() if contest.by_and_by else stage.fill(contest.events, max(count, events))
    setting = stage.set_up(topic, contest.journeys)
    setting.fill_rows(make_rows(contest.customers))
    program = contest.program() if callable(contest.program) else contest.program
    broker = Broker(stage.brokers, stage.partitions)
    filled = broker.ends(setting.changelog)
    counter = broker.records("bare.commands") if contest.by_commands else broker.inputs(setting.app_id, topic)
    with ExitStack() as running:
        pids = [
            running.enter_context(setting.running(program, **contest.variables)) for _ in range(contest.workers)
        ]
        patience = PATIENCE + contest.customers / _ROWS_RESTORED_AT_LEAST
        if contest.by_and_by:  # a partition writes to its changelog when it opens for the first time
            client.wait_until(lambda: all(map(gt, broker.ends(setting.changelog), filled)), patience)
            stage.feed(topic, contest.events(count))
        figure = measure(counter, count, pids, patience)
    return figure._replace(rate=figure.rate * contest.units, cost=figure.cost / contest.units)


def _work_through(stage: Stage, journey: Journey, make: Events, events: int) -> Setting:
    """Let a worker take as many events, and end it; what it wrote is there for what comes next."""
    topic = stage.fill(make, events)
    setting = stage.set_up(topic, (journey,))
    with setting.running(FAIRWAY) as pid:
        measure(Broker(stage.brokers, stage.partitions).inputs(setting.app_id, topic), events, [pid])
    return setting


def run_waits(stage: Stage, events: int) -> Figure:
    """Let customers enter, stop the worker until all waits are due, and measure how fast they fire."""
    due = int(time.time()) + 60 + events // 1000  # time enough for all to enter
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(due))
    setting = _work_through(stage, workloads.WAITING, lambda count: make_events(count, remindAt=at), events)
    broker = Broker(stage.brokers, stage.partitions)
    assert not any(broker.records(COMMANDS)()), "waits fired before the clock ran"
    wait_for(due + 1)
    with setting.running(FAIRWAY) as pid:
        return measure(broker.records(COMMANDS), events, [pid])


def run_heard(stage: Stage, events: int, every: int = 1) -> Figure:
    """Return how fast customers who wait for an event are given one each; one in `every` ends its wait.

    The others are of another tee time.
    """
    setting = _work_through(
        stage, workloads.LISTENING, lambda count: make_events(count, teeTimeId=workloads.HEARD_KEY), events
    )
    inputs = Broker(stage.brokers, stage.partitions).inputs(setting.app_id, setting.topic)
    before = inputs()
    stage.feed(setting.topic, workloads.make_heard(events, events, every))
    with setting.running(FAIRWAY) as pid:
        return measure(lambda: [now - then for now, then in zip(inputs(), before, strict=False)], events, [pid])


def run_restore(stage: Stage, events: int) -> Figure:
    """Return rows restored a second: how much longer the first command takes a worker that holds nothing yet."""
    setting = _work_through(stage, workloads.ENTERING, make_events, events)
    warm = stage.time_first_command(setting, events)
    cold = stage.time_first_command(
        setting, events + stage.partitions, FAIRWAY_DATA_DIR=str(stage.folder / "empty")
    )
    return Figure(events / max(0.001, cold - warm), 0.0)


def run_projection(stage: Stage, events: int) -> Figure:
    """Return how fast the activity records of workload b get into a Postgres that comes up after them."""
    setting = _work_through(stage, workloads.SENDING, make_events, events)
    with stage.history() as url, setting.running(FAIRWAY, FAIRWAY_DATABASE_URL=url) as pid:
        return measure(History(url).records, events, [pid])

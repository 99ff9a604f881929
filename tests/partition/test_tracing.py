"""Spans are told of what is committed, once, and of nothing that is not sampled."""

from datetime import timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from models.customer import decode
from streams.engine.advance import advance
from streams.kafka.errors import MigratedError
from streams.kafka.partitioner import partition_of
from streams.kafka.topics import DEAD_LETTERS, INBOX
from tests.engine.build import hours, journey, send, update, wait
from tests.partition.model import event
from tests.partition.traced import HEADER, PRODUCER, TOPIC, TRACE, Partition

SCORE = {"field": "score", "value": 1}


async def test_an_event_that_is_sent_on_carries_the_span_of_that_and_is_decided_below_it() -> None:
    name = next(f"c-{number}" for number in range(99) if partition_of(b"pinehurst:c-%d" % number, 2) == 1)
    astray = Partition(journey(send()), partitions=2)
    await astray.take(TOPIC, event(1, name))
    hop, commit = astray.spans
    assert (hop.name, hop.kind, hop.parent, commit.parent) == ("send on", "producer", PRODUCER, hop.context)
    (message,) = astray.broker.emitted[INBOX, 1]
    home = Partition(journey(send()))
    await home.take(INBOX, message.value or b"", headers=message.headers, key=message.key or b"")
    assert home.named("decide event")[0].parent == hop.context
    assert home.named("send command")[0].context.trace_id == TRACE


async def test_a_dead_letter_is_an_error_with_its_code_in_the_trace_of_its_record() -> None:
    partition = Partition(journey(send()))
    await partition.take(TOPIC, b"canary")
    await partition.take(TOPIC, b"canary", headers=())
    (letter,) = partition.spans
    assert (letter.name, letter.parent, letter.is_failed) == ("dead letter", PRODUCER, True)
    assert letter.attributes["fairway.code"] == "not-json"
    assert letter.attributes["messaging.kafka.offset"] == 0
    assert "canary" not in str(partition.spans)
    assert len(partition.broker.emitted[DEAD_LETTERS, 0]) == 2


@pytest.mark.parametrize("ratio", [0.0, 1.0])
async def test_what_is_not_sampled_is_as_without_tracing(ratio: float) -> None:
    one = journey(send(), wait(), update("score", SCORE), send("later"))
    unsampled = (("traceparent", HEADER[1][:-2] + b"00"),)
    untraced, traced = Partition(one, is_traced=False), Partition(one, ratio=ratio)
    for partition in (untraced, traced):
        await partition.take(TOPIC, event(1, "c-7"), headers=unsampled)
        if not ratio:
            await partition.take(TOPIC, event(2, "c-8"), headers=())
        await partition.step(hours(2))
    assert traced.spans == []
    assert traced.broker.emitted == untraced.broker.emitted
    assert traced.broker.changelog == untraced.broker.changelog


async def test_an_event_without_a_trace_begins_one_that_its_enrolment_remembers() -> None:
    partition = Partition(journey(send(), wait(), send("later")), ratio=1.0)
    await partition.take(TOPIC, event(1, "c-7"), headers=())
    decide, _, sending = partition.spans
    assert (decide.parent, sending.parent) == (None, decide.context)
    (enrollment,) = decode(partition.broker.rows(99)[b"pinehurst:c-7"]).enrollments.values()
    assert enrollment.traceparent == decide.context.traceparent
    await partition.step(hours(2))
    assert partition.named("decide wait")[0].link == decide.context


async def test_what_is_not_committed_is_not_told_and_done_again_it_has_the_same_ids() -> None:
    one = journey(send())
    lost, undisturbed = Partition(one), Partition(one)
    lost.session = await lost.task.open()
    lost.task._producer.fault = "lost before"  # type: ignore[attr-defined]
    with pytest.raises(MigratedError):
        await lost.take(TOPIC, event(1, "c-7"))
    assert lost.spans == []
    again = Partition(one, broker=lost.broker)
    for each in (again, undisturbed):
        await each.take(TOPIC, event(1, "c-7"))
    assert again.spans == undisturbed.spans != []
    assert again.sent() == undisturbed.sent() != []


async def test_an_input_that_is_done_by_itself_since_another_failed_is_told_once() -> None:
    calls = list[Any]()

    def fail_once(*given: Any, **more: Any) -> Any:
        calls.append(given)
        if len(calls) == 2:
            raise RuntimeError("no")
        return advance(*given, **more)

    partition = Partition(journey(send()), decide=fail_once)
    await partition.take(TOPIC, event(1, "c-7"), event(2, "c-8"))
    assert len(partition.named("decide event")) == 2
    assert len({span.context for span in partition.spans}) == len(partition.spans) == 6
    assert partition.sent() == [span.context for span in partition.named("send command")]


def count(result: str) -> float:
    return REGISTRY.get_sample_value("fairway_traced_inputs_total", {"result": result}) or 0.0


async def test_beyond_so_many_inputs_in_a_second_traces_go_on_as_they_came() -> None:
    partition, before = Partition(journey(send())), {result: count(result) for result in ("traced", "passed-over")}
    await partition.take(TOPIC, *(event(number, f"c-{number}") for number in range(250)))
    assert {span.context.trace_id for span in partition.spans} == {TRACE}
    assert len(partition.named("decide event")) == 200
    sent = partition.sent()
    assert sent[:200] == [span.context for span in partition.named("send command")]
    assert sent[200:] == [PRODUCER] * 50
    assert {result: count(result) - was for result, was in before.items()} == {"traced": 200, "passed-over": 50}
    partition.now += timedelta(seconds=1)
    await partition.take(TOPIC, event(250, "c-7"))
    assert len(partition.named("decide event")) == 201


async def test_R67_a_send_that_is_held_is_traced_when_it_goes() -> None:
    partition = Partition(journey(send()), rates="EMAIL=1/hour")
    await partition.take(TOPIC, event(1, "c-1"), event(2, "c-2"))
    assert len(partition.sent()) == len(partition.named("send command")) == 1
    await partition.step(hours(2))
    assert len(partition.sent()) == len(partition.named("send command")) == 2
    (first,) = partition.named("decide wait")
    assert first.link is not None
    assert first.link.trace_id == TRACE

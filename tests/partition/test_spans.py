"""What comes of an event is in its trace; what comes after a wait is in one of its own, with a link to that."""

from typing import Any

import msgspec
import pytest

from streams.kafka.topics import COMMANDS, PROFILE_UPDATES
from streams.partition.traces import PARTITION, SpanContext
from tests.engine.build import hours, journey, send, update, wait
from tests.partition.model import event
from tests.partition.traced import HEARD, PRODUCER, TOPIC, TRACE, Partition

OTHER = SpanContext("f" * 32, "e" * 16)
SCORE = {"field": "score", "value": 1}


async def test_a_command_is_sent_in_the_trace_of_its_event_below_the_decision() -> None:
    partition = Partition(journey(send()))
    await partition.take(TOPIC, event(1, "c-7"))
    decide, commit, sending = partition.spans
    assert [span.name for span in partition.spans] == ["decide event", "commit", "send command"]
    assert {span.context.trace_id for span in partition.spans} == {TRACE}
    assert (decide.parent, commit.parent, sending.parent) == (PRODUCER, decide.context, decide.context)
    assert partition.sent() == [sending.context]
    assert len({span.context for span in partition.spans}) == 3
    assert not any(span.link or span.is_failed for span in partition.spans)


async def test_a_span_says_ids_and_places_and_nothing_else() -> None:
    partition, one = Partition(journey(send())), journey(send())
    await partition.take(TOPIC, event(1, "canary", name="canary"))
    decide, commit, sending = (span.attributes for span in partition.spans)
    (command,) = partition.broker.emitted[COMMANDS, 0]
    value = msgspec.json.decode(command.value or b"")
    ours = {"fairway.tenant_id": "pinehurst", PARTITION: 0}
    assert decide == ours | {
        "fairway.activity_id": decide["fairway.activity_id"],
        "fairway.journey_ids": (one.id,),
        "messaging.system": "kafka",
        "messaging.destination.name": TOPIC,
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
    }
    assert commit == {PARTITION: 0}
    assert sending == ours | {
        "messaging.system": "kafka",
        "messaging.destination.name": COMMANDS,
        "messaging.message.id": value["commandId"],
        "fairway.journey_id": one.id,
        "fairway.enrollment_id": value["enrollmentId"],
        "fairway.step_id": "mail",
    }
    assert "canary" not in str(partition.spans)


async def test_what_comes_after_a_wait_has_a_trace_of_its_own_with_a_link_to_the_event_s() -> None:
    partition = Partition(journey(send(), wait(), update("score", SCORE), send("later")))
    await partition.take(TOPIC, event(1, "c-7"))
    (entered,) = partition.named("decide event")
    partition.spans.clear()
    await partition.step(hours(2))
    decide, _, *sends = partition.spans
    assert (decide.name, decide.parent, decide.link) == ("decide wait", None, entered.context)
    assert decide.context.trace_id != TRACE
    assert decide.attributes["fairway.step_id"] == "wait"
    assert [span.name for span in sends] == ["send profile update", "send command"]
    for span in sends:
        assert (span.parent, span.link, span.context.trace_id) == (
            decide.context, entered.context, decide.context.trace_id,
        )  # fmt: skip
    assert partition.sent(PROFILE_UPDATES) == [sends[0].context]
    assert partition.sent()[1:] == [sends[1].context]


@pytest.mark.parametrize("headers", [(("traceparent", OTHER.traceparent.encode()),), ()])
async def test_an_event_that_ends_a_wait_sends_in_its_own_trace_if_it_has_one(headers: Any) -> None:
    listening = wait("wait", "9 days", events=[{"eventType": HEARD}])
    partition = Partition(journey(listening, send()))
    await partition.take(TOPIC, event(1, "c-7"))
    (entered,) = partition.named("decide event")
    partition.spans.clear()
    await partition.take(HEARD, event(2, "c-7"), headers=headers)
    decide, _, sending = partition.spans
    assert partition.sent() == [sending.context]
    assert (sending.parent, sending.link) == (decide.context, entered.context)
    if headers:
        assert (decide.parent, decide.link, decide.context.trace_id) == (OTHER, None, OTHER.trace_id)
    else:
        assert (decide.parent, decide.link) == (None, entered.context)
        assert decide.context.trace_id not in (TRACE, OTHER.trace_id)


async def test_who_has_to_be_admitted_sends_in_the_trace_of_the_event() -> None:
    partition = Partition(journey(send(), maxEnrollments=1))
    await partition.take(TOPIC, event(1, "c-7"))
    await partition.pass_inbox()
    (asked,), (admitted,) = partition.named("decide event"), partition.named("decide admission")
    (sending,) = partition.named("send command")
    assert (asked.parent, admitted.parent, sending.parent) == (PRODUCER, asked.context, admitted.context)
    assert (sending.context.trace_id, sending.link) == (TRACE, None)
    assert partition.sent() == [sending.context]


async def test_what_a_merge_held_back_is_handled_in_the_trace_that_it_came_with() -> None:
    partition = Partition(journey(send()))
    await partition.take("customer.merged", event(1, "c-7", fromCustomerId="c-8"))
    await partition.take(TOPIC, event(2, "c-7"), headers=(("traceparent", OTHER.traceparent.encode()),))
    assert partition.sent() == []
    await partition.pass_inbox()
    (merging,) = partition.named("decide event")[:1]
    assert merging.parent == PRODUCER
    (sending,) = partition.named("send command")
    assert partition.sent() == [sending.context]
    assert (sending.context.trace_id, sending.link) == (OTHER.trace_id, None)


async def test_a_step_that_fails_is_an_error() -> None:
    partition = Partition(journey(update("bad", {"field": "score", "operation": "increment", "value": 1}), send()))
    await partition.take("customer.updated", event(1, "c-7", score="canary"), headers=())
    await partition.take(TOPIC, event(2, "c-7"))
    assert [span.is_failed for span in partition.named("decide event")] == [True]
    assert "canary" not in str(partition.spans)


async def test_a_wait_that_fires_later_after_a_crash_begins_the_same_trace() -> None:
    contexts = []
    for later in (2, 3):
        partition = Partition(journey(wait(), send()))
        await partition.take(TOPIC, event(1, "c-7"))
        await partition.step(hours(later))
        contexts.append([span.context for span in partition.spans] + partition.sent())
    assert contexts[0] == contexts[1]

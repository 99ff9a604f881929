"""The demo's figures come from committed records alone."""

from typing import Any

from streams.demo.tally import CommandCount, Latency, Tally


def command(number: int, **changes: Any) -> dict[str, Any]:
    return {"commandId": f"c{number}", "channel": "EMAIL", "templateId": "hello", "variants": {"ab": "B"}} | changes


def activity(event_id: str, *entries: dict[str, Any], kind: str = "event") -> dict[str, Any]:
    return {"cause": {"kind": kind, "eventId": event_id}, "entries": list(entries)}


def sent(number: int) -> dict[str, Any]:
    return {"type": "step.completed", "result": {"sent": True, "messageId": f"c{number}"}}


def test_latency_counts_from_an_event_s_first_publishing_to_the_command_it_led_to() -> None:
    tally = Tally()
    for at, event_id in ((10.0, "e1"), (20.0, "e2"), (25.0, "e2")):
        tally.publish(event_id, at)
    tally.receive_command(command(1), 10.03)
    tally.receive_activity(activity("e1", sent(1)))
    tally.receive_activity(activity("e2", sent(2)))
    tally.receive_command(command(2), 20.05)
    tally.receive_command(command(3), 99.0)
    tally.receive_activity(activity("e1", sent(3), kind="wait"))
    assert tally.summarize().latency_ms == Latency(p50=50.0, p99=50.0)


def test_a_command_that_comes_twice_is_counted_once_and_told() -> None:
    tally = Tally()
    assert tally.receive_command(command(1), 1.0)
    assert not tally.receive_command(command(1), 2.0)
    summary = tally.summarize()
    assert (summary.commands, summary.duplicate_commands) == (1, 1)
    assert summary.commands_by_template == (CommandCount("EMAIL", "hello", "ab=B", 1),)


def test_it_is_finished_when_everybody_who_entered_has_left() -> None:
    tally = Tally()
    tally.receive_activity(activity("e1", {"type": "enrollment.started", "enrollmentId": "n1"}))
    tally.receive_activity(activity("e1", {"type": "enrollment.started", "enrollmentId": "n2"}))
    tally.receive_activity(activity("e1", {"type": "enrollment.completed", "enrollmentId": "n1"}))
    assert not tally.summarize().finished
    tally.receive_activity(activity("e1", {"type": "enrollment.exited", "enrollmentId": "n2"}, kind="wait"))
    summary = tally.summarize()
    assert summary.finished
    assert summary.entered == 2


def test_refusals_and_dead_letters_are_counted_by_their_reason() -> None:
    tally = Tally()
    tally.receive_activity(activity("e1", {"type": "enrollment.refused", "reason": "conditions"}))
    tally.receive_dead_letter("not-json")
    summary = tally.summarize()
    assert (summary.refused, summary.refused_by_reason) == (1, {"conditions": 1})
    assert (summary.dead_letters, summary.dead_letters_by_code) == (1, {"not-json": 1})

"""Names that must be known elsewhere."""

import pytest

from streams.engine.check import find_unknown
from tests.engine.build import journey, send, wait

EVENTS = ("teetime.booked", "payment.failed")
CHANNELS = ("EMAIL", "SMS")


@pytest.mark.parametrize("type_", ["teetime.booked", "payment.failed", "MANUAL"])
@pytest.mark.parametrize("channel", ["EMAIL", "email", " Sms "])
def test_what_is_known_in_whatever_case_is_not_told(type_: str, channel: str) -> None:
    one = journey(send(config={"channel": channel}), triggerType=type_)
    assert list(find_unknown(one, EVENTS, CHANNELS)) == []


def test_what_is_unknown_is_told_with_what_may_be_meant() -> None:
    one = journey(
        send(config={"channel": "EMIAL"}), send("b", config={"channel": "FAX"}), triggerType="payment.fail"
    )
    assert list(find_unknown(one, EVENTS, CHANNELS)) == [
        (None, "'triggerType' is 'payment.fail', which is no event topic of topics.yaml; "
         "did you mean 'payment.failed'?"),
        ("mail", "'config.channel' is 'EMIAL', which FAIRWAY_CHANNELS lacks; did you mean 'EMAIL'?"),
        ("b", "'config.channel' is 'FAX', which FAIRWAY_CHANNELS lacks."),
    ]  # fmt: skip
    assert [step for step, _ in find_unknown(one, None, CHANNELS)] == ["mail", "b"]


def test_every_event_that_is_listened_for_is_asked_too() -> None:
    known, unknown = {"eventType": "payment.failed"}, {"eventType": "payment.faild"}
    one = journey(
        wait("w", events=[known, unknown]),
        exits=[{"rules": [{"field": "x", "operator": "isNull"}]}, known, unknown],
        goal={"events": [unknown]},
        follow=[unknown],
    )
    told = list(find_unknown(one, EVENTS, CHANNELS))
    assert [(step, sentence.partition("'")[2].partition("'")[0]) for step, sentence in told] == [
        (None, "exits#3.eventType"), (None, "goal.events#1.eventType"), (None, "follow#1.eventType"),
        ("w", "config.events#2.eventType"),
    ]  # fmt: skip
    assert {sentence.partition(", which")[2] for _, sentence in told} == {
        " is no event topic of topics.yaml; did you mean 'payment.failed'?"
    }
    assert list(find_unknown(one, None, CHANNELS)) == []

"""Names that must be known elsewhere."""

import pytest

from streams.engine.check import find_unknown
from tests.engine.build import journey, send

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

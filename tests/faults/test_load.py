"""The load of the fault tests is what it says to be: else a clean run would prove nothing."""

from datetime import UTC, datetime

import pytest

from streams.engine.decoding import Rejection, decode
from tests.faults.foretold import foretell
from tests.faults.load import events, journeys
from tests.faults.poison import POISON

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.mark.parametrize("value", POISON)
def test_poison_is_no_event(value: bytes | None) -> None:
    assert isinstance(decode(value, (), "teetime.booked"), Rejection)


def test_there_are_more_than_forty_kinds_of_poison() -> None:
    assert len(set(POISON)) == len(POISON) > 40


def test_what_is_foretold_does_not_depend_on_the_order_of_arrival() -> None:
    load = [one.event for one in events(7, 3000, 300, 6, START, 1000) if one.event]
    in_order = foretell(load, journeys())
    shifted = [
        type(event)(event.event_id, event.tenant_id, event.customer_id, START, event.event_type, data=event.data)
        for event in reversed(load)
    ]
    assert foretell(shifted, journeys()) == in_order
    assert len(in_order.commands) > 2000

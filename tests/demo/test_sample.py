"""The sample is the same whenever it is made, and holds what the demo promises."""

from datetime import UTC, datetime

import msgspec

from models.messages import Event
from streams.demo.sample import CUSTOMERS, make_sample
from streams.engine.decoding import decode

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
SAMPLE = make_sample("run", START)
GOOD = [sample for sample in SAMPLE if sample.event_id]


def test_the_same_run_and_start_give_the_same_sample() -> None:
    assert make_sample("run", START) == SAMPLE
    assert {sample.event_id for sample in make_sample("other", START)}.isdisjoint(s.event_id for s in GOOD)


def test_it_tells_of_200_customers_and_spoils_one_event_in_a_hundred() -> None:
    customers = {msgspec.json.decode(sample.value)["customerId"] for sample in GOOD}
    assert len(customers) == CUSTOMERS == 200
    assert round(100 * (len(SAMPLE) - len(GOOD)) / len(SAMPLE)) == 1


def test_every_good_event_is_as_the_contract_says_and_lies_in_order_of_time() -> None:
    events = [decode(sample.value, (), "") for sample in GOOD]
    times = [event.occurred_at for event in events if isinstance(event, Event)]
    assert len(times) == len(GOOD)
    assert times == sorted(times)
    assert [sample.after for sample in SAMPLE] == sorted(sample.after for sample in SAMPLE)

"""Events that come without a pause, and how often what they lead to came out, whoever worked meanwhile."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from models.ids import command_id, enrollment_id, journey_id
from streams.kafka.topics import COMMANDS
from streams.settings import Settings
from tests import client
from tests.broker.workers import TENANT, TOPIC, event, journey, publish

_EACH = 4  # events of a customer, one after another
_PLACES = 7


def publish_load(settings: Settings) -> None:
    """Publish a journey for each event, one for each customer with a wait, and one that has places for a few."""
    few = [
        {"id": "start", "type": "TRIGGER", "config": {"eventType": TOPIC, "conditions": []}},
        {"id": "send", "type": "SEND", "config": {"channel": "EMAIL", "templateId": "few"}},
        {"id": "wait", "type": "WAIT", "config": {"duration": "P300D"}},
        {"id": "end", "type": "END", "config": {}},
    ]
    publish(
        settings, journey(), journey("Once", wait="PT3S", allowReentry=False),
        journey("Few", allowReentry=False, maxEnrollments=_PLACES, steps=few),
    )  # fmt: skip


class Producing(threading.Thread):
    """Writes a hundred events a second to the four partitions that their topic has, until it is told to stop."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._ended = threading.Event()
        self.count = 0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._ended.wait(0.2):
                numbers = range(self.count, self.count + 20)
                client.produce(self._settings.brokers, [event(n, f"c-{n // _EACH}") for n in numbers])
                self.count += 20
        except BaseException as error:
            self.error = error

    def stop(self) -> int:
        """Return how many events were written."""
        self._ended.set()
        self.join()
        assert self.error is None
        return self.count


@contextmanager
def producing(settings: Settings) -> Iterator[Producing]:
    producer = Producing(settings)
    producer.start()
    try:
        yield producer
    finally:
        producer.stop()


def commands(settings: Settings) -> dict[str, list[str]]:
    """Return the ids of the committed commands by the name of their journey."""
    found: dict[str, list[str]] = {"Reminder": [], "Once": [], "Few": []}
    for record in client.read_committed(settings.brokers, COMMANDS):
        value = msgspec.json.decode(record.value or b"")
        found[value["journeyName"]].append(value["commandId"])
    return found


def expected(name: str, customers: Counter[str]) -> set[str]:
    return {
        command_id(enrollment_id(journey_id(TENANT, name), customer, "", number), "send", 1)
        for customer, count in customers.items()
        for number in range(1, count + 1)
    }


def wait_for(settings: Settings, events: int) -> None:
    """Return when all these events have led to what they must, and fail unless to each once."""
    customers = Counter(f"c-{number // _EACH}" for number in range(events))
    reminders, once = expected("Reminder", customers), expected("Once", Counter(set(customers)))

    def is_all_there() -> bool:
        found = commands(settings)
        return set(found["Reminder"]) >= reminders and set(found["Once"]) >= once

    client.wait_until(is_all_there, 100)
    found = commands(settings)
    for name, ids in (("Reminder", reminders), ("Once", once)):
        assert len(found[name]) == len(set(found[name])), f"doubled: {name}"
        assert set(found[name]) == ids, name
    assert len(found["Few"]) == len(set(found["Few"])) == _PLACES

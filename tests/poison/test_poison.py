"""Mutated events, inbox messages and changelog rows among good ones: no good one is lost or changed by them.

A short form runs with the other tests; `make poison` mutates as many records as FAIRWAY_POISON says.
"""

import asyncio
import os
import random
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import pytest
from structlog.testing import capture_logs

from models.customer import Customer, encode
from models.ids import customer_key, enrollment_id
from models.journey import Journey, JourneyStatus
from models.messages import Event
from streams.engine.advance import advance
from streams.engine.inputs import Arrived, CountActive, Enroll, Exit, MergeAway, MergeIn, PlaceAnswer, RepairState
from streams.engine.journeys import Journeys
from streams.kafka.fetch import Fetch, SeekResult
from streams.kafka.records import Commit
from streams.kafka.topics import DEAD_LETTERS, INBOX
from streams.partition.pacing import Pacing
from tests.partition.model import START, Broker, Source, make_task, place
from tests.poison.mutants import KEYS, Raw, mutate

RECORDS = int(os.environ.get("FAIRWAY_POISON", "3000"))
PORTION = 200
BOOKED, UPDATED = "teetime.booked", "customer.updated"


def make_journeys() -> Journeys:
    rule = {"field": "players", "operator": "greaterThan", "value": 2}
    steps = [
        {"type": "TRIGGER", "config": {"eventType": BOOKED, "conditions": []}},
        {"type": "CONDITION", "config": {"rules": [rule, {"field": "customer.tier", "operator": "isNotNull"}]}},
        {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "hello"}},
        {"type": "WAIT", "config": {"duration": "1 minute"}},
        {"type": "UPDATE", "config": {"updates": [{"field": "visits", "operation": "increment", "value": 1}]}},
        {"type": "SEND", "config": {"channel": "EMAIL", "templateId": "again"}},
    ]
    found = Journeys()
    for name, settings in (("Open", {"allowReentry": True}), ("Few", {"maxEnrollments": 5, "allowReentry": True})):
        journey = Journey.model_validate(
            {"tenantId": "pinehurst", "name": name, "triggerType": BOOKED, "steps": steps} | settings
        )
        found = found.with_version(journey).with_status(journey.id, JourneyStatus.ACTIVE, 1)
    return found


JOURNEYS = make_journeys()
JOURNEY = next(iter(JOURNEYS.limited))


def event(number: int, customer: str) -> Raw:
    data = {"players": number % 4, "tier": "Gold", "teeTime": "2026-11-25T09:00:00Z", "seq": number}
    ids = {"eventId": f"e-{number}", "tenantId": "pinehurst", "customerId": customer}
    value = msgspec.json.encode(ids | {"occurredAt": START, "data": data})
    return Raw(customer_key("pinehurst", customer), value)


def message(number: int, customer: str) -> Raw:
    arrived = Event(f"m-{number}", "pinehurst", customer, START, BOOKED, None, {"players": 3})
    kinds = (
        Arrived(arrived), Enroll(JOURNEY, START, {"a": 1}), Exit(START), Exit(START, JOURNEY),
        PlaceAnswer(enrollment_id(JOURNEY, customer, "", 1), JOURNEY, True), MergeAway("c-0", "e", START),
        MergeIn("c-9", "e", START, {"name": "Ann"}), CountActive(JOURNEY, 0, 3), RepairState(START),
        RepairState(START, discard=True),
    )  # fmt: skip
    given = kinds[number % len(kinds)]
    key = f":places:{JOURNEY}".encode() if isinstance(given, CountActive) else customer_key("pinehurst", customer)
    return Raw(key, msgspec.json.encode(given))


def row(number: int, customer: str) -> tuple[bytes, bytes]:
    one = place(f"r-{number}", START, START + timedelta(minutes=1))
    state = Customer("pinehurst", customer, {"tier": "Gold"}, {one.id: one}, records=number)
    return customer_key("pinehurst", customer), encode(state)


class Outcome(NamedTuple):
    """What a partition came to: the good customers' rows, and how many records are in each topic."""

    rows: dict[bytes, bytes]
    letters: int
    emitted: int


class Partition:
    """One partition with the real engine, whose broker holds rows from before."""

    def __init__(self, rows: Iterable[tuple[bytes, bytes | None]] = ()) -> None:
        self.now = START
        self.broker = Broker()
        for key, value in rows:
            self.broker.commit(Commit({key: value}, {}, {}))
        self.offsets = dict.fromkeys((BOOKED, UPDATED, INBOX), 0)

    async def seek(self, topic: str, partition: int, offset: int) -> SeekResult:
        return SeekResult(offset, 0)

    def make_task(self) -> Any:
        pacing = Pacing(timedelta(0), slice_time=timedelta(hours=1))
        return make_task(
            self.broker, seek=self.seek, pacing=pacing, decide=advance, journeys=lambda: JOURNEYS,
            clock=lambda: self.now, topics=tuple(self.offsets),
        )  # fmt: skip

    async def handle(self, records: Iterable[tuple[str, Raw]]) -> Outcome:
        """Give records to a task, let waits fire, and see that a restarted task comes to the same state."""
        task = self.make_task()
        session = await task.open()
        for topic, raw in records:
            offset = self.offsets[topic]
            self.offsets[topic] += 1
            source = Source(offset, raw.value or None, raw.key, tuple(raw.headers), 0)
            task.take(Fetch(topic, 0, offset, offset + 1, [source], 0, 0))
        while task.queue:
            await session.step()
        for _ in range(8):
            self.now += timedelta(minutes=1)
            await session.step()
            await session.commit()
        await session.commit()
        assert task.session is session
        await task.close(None)
        again = self.make_task()
        await (await again.open()).commit()
        await again.close(None)
        return self.outcome()

    def outcome(self) -> Outcome:
        rows = self.broker.rows(self.broker.changelog_end)
        good = {key: value for key, value in rows.items() if key.startswith(b"pinehurst:good-")}
        emitted = self.broker.emitted
        return Outcome(good, len(emitted[DEAD_LETTERS, 0]), sum(map(len, emitted.values())))


def run(records: Iterable[tuple[str, Raw]], rows: Iterable[tuple[bytes, bytes | None]] = ()) -> Outcome:
    with capture_logs():
        return asyncio.run(Partition(rows).handle(records))


def mix(good: list[Any], bad: list[Any], chance: random.Random) -> list[Any]:
    """Return both in one order, in which each has the order that it had."""
    marks = [True] * len(good) + [False] * len(bad)
    chance.shuffle(marks)
    first, second = iter(good), iter(bad)
    return [next(first if mark else second) for mark in marks]


@pytest.mark.parametrize("seed", range(max(1, RECORDS // (3 * PORTION))))
def test_mutated_events_and_messages_change_nothing_for_those_beside_them(seed: int) -> None:
    chance = random.Random(seed)
    good = [(BOOKED, event(number, f"good-{number % 7}")) for number in range(60)]
    bad = [(chance.choice((BOOKED, UPDATED)), mutate(event(n, f"bad-{n % 9}"), chance)) for n in range(PORTION)]
    bad += [(INBOX, mutate(message(n, f"bad-{n % 9}"), chance)) for n in range(PORTION)]
    bad = [(topic, raw) for topic, raw in bad if b"good-" not in (raw.key or b"") + (raw.value or b"")]
    chance.shuffle(bad)
    alone, among = run(good), run(mix(good, bad, chance))
    assert without_places(among.rows) == without_places(alone.rows)
    assert among.letters >= len(bad) // 4


@pytest.mark.parametrize("seed", range(max(1, RECORDS // (3 * PORTION))))
def test_mutated_rows_of_the_changelog_change_nothing_for_those_beside_them(seed: int) -> None:
    chance = random.Random(seed)
    good = [(BOOKED, event(number, f"good-{number % 7}")) for number in range(60)]
    rows: list[tuple[bytes, bytes | None]] = [row(number, f"good-{number}") for number in range(7)]
    spoiled = [mutate(Raw(*row(number, f"bad-{number % 40}")), chance) for number in range(PORTION)]
    bad = [(raw.key or b":", raw.value) for raw in spoiled if raw.key != b":partitions"]
    bad += [(key, chance.choice((b"{", b'"x"', b"[1]", b"\xff", b""))) for key in KEYS if key]
    events = [(BOOKED, event(1_000 + number, f"bad-{number % 40}")) for number in range(80)]
    alone, among = run(good, rows), run(mix(good, events, chance), mix(rows, bad, chance))
    assert without_places(among.rows) == without_places(alone.rows)


def without_places(rows: dict[bytes, bytes]) -> dict[bytes, Any]:
    """Return rows without what the places of a journey decide, for which all customers compete."""
    found = {}
    for key, value in rows.items():
        fields = msgspec.json.decode(value)
        for name in ("enrollments", "candidates"):
            kept = fields.get(name, {}).items()
            fields[name] = {id_: one for id_, one in kept if one["journeyId"] != JOURNEY}
        found[key] = (
            fields["profile"],
            fields["enrollments"],
            sorted(fields.get("history", {}).keys() - {JOURNEY}),
        )
    return found

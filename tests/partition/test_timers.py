"""What a partition does unasked, on a virtual clock: waits, pauses, archived journeys, joining."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from models.customer import Customer, decode, encode
from models.ids import CustomerKey
from models.journey import Journey, JourneyStatus
from streams.engine.effects import Outcome
from streams.engine.inputs import CountActive, FailWait, Sweep
from streams.engine.journeys import Journeys
from streams.kafka.topics import COMMANDS, DEAD_LETTERS, INBOX
from streams.partition import isolation
from streams.partition.backlog import Backlog
from streams.partition.internal_rows import JOINED
from streams.partition.known import KnownCustomers
from streams.partition.processor import Advance, Processor
from streams.partition.timers import Timers
from streams.partition.transaction import Transaction
from streams.state import index
from streams.state.memory import MemoryMap
from streams.state.store import Store
from tests.partition.model import JOURNEY, START, Records, decide, make_router, place
from tests.small import command

SECOND = timedelta(seconds=1)
TOO_MUCH = (
    "A record of 1180 bytes for 'pinehurst:c-1' would go to 'fairway.commands', which takes 400: see its "
    "max.message.bytes."
)


class Partition:
    """A partition's duties over a store in memory; `commit` commits, and tells what was sent."""

    def __init__(self, waits: int = 0, every: timedelta = SECOND, room: int = 1_000_000) -> None:
        self.store = Store(MemoryMap())
        self.router = make_router(room=room)
        self.processor = Processor(self.router, decide)
        rows: dict[bytes, bytes | None] = {}
        found: set[bytes] = set()
        for number in range(waits):
            enrollment = place(str(number), START, START + number * every)
            key = f"pinehurst:c-{number}".encode()
            rows[key] = encode(Customer("pinehurst", f"c-{number}", enrollments={enrollment.id: enrollment}))
            found |= index.marks_of(key, [enrollment])
        self.store.write(rows, dict.fromkeys(found, True), 1)
        self.timers = Timers(self.store, self.processor, Backlog(START, {}), START)
        self.begin()

    def begin(self) -> None:
        self.transaction = Transaction(self.store, KnownCustomers(9), {}, self.router, lambda _: Records())

    def commit(self) -> list[str]:
        rows, outputs, marks = self.transaction.prepare()
        self.store.write(rows, marks, self.store.offset + 1)
        self.timers.note_commit(marks)
        self.begin()
        records = outputs.get((COMMANDS, 0), Records())
        assert isinstance(records, Records)
        return [msgspec.json.decode(record.value or b"")["commandId"] for record in records]

    def act(self, now: datetime, limit: int = 1000) -> list[str]:
        self.timers.act(self.transaction, now, now, limit)
        return self.commit()

    def next_time(self, now: datetime) -> datetime | None:
        self.timers.look(now)
        return self.timers.next

    def know(self, status: JourneyStatus, since: datetime | None = None, **fields: Any) -> None:
        steps = [
            {"id": "start", "type": "TRIGGER", "config": {"eventType": "x", "conditions": []}},
            {"id": "wait", "type": "WAIT", "config": {"duration": "1 day"}},
        ]
        one = Journey.model_validate(
            {"tenantId": "pinehurst", "name": "Model", "id": JOURNEY, "triggerType": "x", "steps": steps} | fields
        )
        self.processor.journeys = Journeys().with_version(one).with_status(JOURNEY, status, 1, since)


def ids(*numbers: int) -> list[str]:
    return [place(str(number), START, START).id for number in numbers]


def test_R21_a_wait_fires_when_it_is_due_and_not_before() -> None:
    partition = Partition(waits=3)
    assert partition.next_time(START) == START
    assert partition.act(START - timedelta(microseconds=1)) == []
    assert partition.act(START) == ids(0)
    assert partition.next_time(START) == START + SECOND
    assert partition.act(START + 5 * SECOND) == ids(1, 2)
    assert partition.next_time(START) is None


def test_waits_fire_in_slices_oldest_first() -> None:
    partition = Partition(waits=5)
    partition.timers.act(partition.transaction, START + 9 * SECOND, START + 9 * SECOND, 2)
    partition.timers.act(partition.transaction, START + 9 * SECOND, START + 9 * SECOND, 2)
    assert partition.commit() == ids(0, 1, 2, 3)
    assert partition.act(START + 9 * SECOND, 2) == ids(4)


def test_a_mark_of_a_wait_that_no_longer_stands_fires_nothing_and_goes() -> None:
    partition = Partition()
    gone = index.marks_of(b"pinehurst:c-9", [place("9", START, START)])
    partition.store.write({}, dict.fromkeys(gone, True), 2)
    assert partition.act(START) == []
    assert partition.store.next_due() is None


def test_a_wait_that_did_not_fire_is_tried_again_later_and_does_not_spin() -> None:
    partition = Partition(waits=1)
    partition.processor._advance = lambda customer, key, *_: decide(customer, key, None, START - SECOND, None)  # type: ignore[arg-type]
    assert partition.act(START) == []
    assert partition.next_time(START) == START + 5 * SECOND
    partition.processor._advance = decide
    assert partition.act(START + 4 * SECOND) == []
    assert partition.act(START + 5 * SECOND) == ids(0)


def test_R29_nothing_fires_while_the_journey_is_paused_and_after_it_oldest_first_at_most_1000_a_second() -> None:
    partition = Partition(waits=3000, every=timedelta(milliseconds=1))
    now = START + 10 * SECOND
    partition.know(JourneyStatus.PAUSED)
    for _ in range(4):
        assert partition.act(now) == []
    assert partition.next_time(now) is None
    partition.know(JourneyStatus.ACTIVE)
    fired: list[str] = []
    for tenth in range(20):
        fired += partition.act(now + tenth * SECOND / 10)
        assert len(fired) <= 100 * (tenth + 1)
    assert fired == ids(*range(2000))
    assert partition.next_time(now) is not None


def test_R29_held_waits_are_found_again_after_a_restart() -> None:
    partition = Partition(waits=5)
    partition.know(JourneyStatus.PAUSED)
    partition.act(START + 9 * SECOND)
    partition.timers = Timers(partition.store, partition.processor, Backlog(START, {}), START)
    assert partition.act(START + 9 * SECOND) == []
    partition.know(JourneyStatus.ACTIVE)
    assert partition.act(START + 9 * SECOND) == ids(0, 1, 2, 3, 4)


def test_R29_a_store_that_was_lost_in_the_pause_does_not_undo_the_limit() -> None:
    partition = Partition(waits=3000, every=timedelta(milliseconds=1))
    now = START + 10 * SECOND
    partition.know(JourneyStatus.ACTIVE, since=START + 2 * SECOND)  # the first 2,000 came due before
    fired: list[str] = []
    for tenth in range(30):
        fired += partition.act(now + tenth * SECOND / 10)
        assert len(fired) <= 1000 + 100 * (tenth + 1)
    behind = set(ids(*range(2000)))
    assert [id_ for id_ in fired if id_ in behind] == ids(*range(2000))
    assert sorted(fired) == sorted(ids(*range(3000)))


async def test_R29_the_members_of_an_archived_journey_are_swept_in_slices() -> None:
    partition = Partition(waits=5)
    swept: list[str] = []
    partition.processor._advance = lambda customer, key, *_: (  # type: ignore[assignment,misc]
        swept.append(key.customer_id) or decide(customer, key, None, START + 9 * SECOND, None)  # type: ignore[arg-type,func-returns-value]
    )
    partition.know(JourneyStatus.ARCHIVED)
    await partition.timers.review(partition.transaction, START)
    early = START - SECOND
    assert partition.next_time(early) == early
    for _ in range(3):
        partition.act(early, 2)
    assert swept == [f"c-{number}" for number in range(5)]
    assert partition.next_time(early) is None


async def test_R5_a_partition_joins_a_limited_journey_once_with_the_number_of_its_members() -> None:
    partition = Partition(waits=3)
    partition.know(JourneyStatus.ACTIVE, maxEnrollments=5)
    for _ in range(2):
        await partition.timers.review(partition.transaction, START)
    (message,) = partition.transaction.outputs[INBOX, 0]
    assert message.key == f":places:{JOURNEY}".encode()
    assert msgspec.json.decode(message.value or b"", type=CountActive) == CountActive(JOURNEY, 0, 3)
    partition.commit()
    assert partition.store.get(JOINED) == msgspec.json.encode([JOURNEY])
    await partition.timers.review(partition.transaction, START)
    assert not partition.transaction.outputs


def too_large_for(*customers: str) -> Advance:
    """Return what decides as the model does, but writes too much where a wait of these customers fires."""

    def decide_largely(before: Any, key: CustomerKey, given: Any, now: datetime, journeys: Any) -> Outcome:
        if isinstance(given, FailWait):
            after = msgspec.structs.replace(before, profile={"failed": given.error}, enrollments={})
            return Outcome(after, (command("failed", "t"),))
        outcome = decide(before, key, given, now, journeys)
        if key.customer_id in customers and outcome.effects:
            return Outcome(outcome.customer, (command("x" * 500, "t"),))
        return outcome

    return decide_largely


def test_a_wait_that_leads_to_too_much_fails_and_those_beside_it_fire() -> None:
    partition = Partition(waits=4, room=400)
    partition.processor._advance = too_large_for("c-1")
    assert sorted(partition.act(START + 9 * SECOND)) == sorted([*ids(0, 2, 3), "failed"])
    assert partition.next_time(START + 9 * SECOND) is None
    row = partition.store.get(b"pinehurst:c-1")
    assert decode(row or b"").profile == {"failed": TOO_MUCH}


def test_a_held_wait_that_leads_to_too_much_fails_and_those_beside_it_fire() -> None:
    partition = Partition(waits=4, room=400)
    partition.know(JourneyStatus.PAUSED)
    partition.act(START + 9 * SECOND)
    partition.know(JourneyStatus.ACTIVE)
    partition.processor._advance = too_large_for("c-1")
    assert sorted(partition.act(START + 9 * SECOND)) == sorted([*ids(0, 2, 3), "failed"])


async def test_a_sweep_that_tells_too_much_sweeps_all_the_same_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    partition = Partition(waits=3, room=400)
    monkeypatch.setattr(isolation, "waits_before", lambda *_: [])
    partition.processor._advance = lambda customer, key, *_: Outcome(  # type: ignore[assignment,misc]
        msgspec.structs.replace(customer, enrollments={}),
        (command("x" * 500 if key.customer_id == "c-1" else key.customer_id, "t"),),
    )
    partition.know(JourneyStatus.ARCHIVED)
    await partition.timers.review(partition.transaction, START)
    partition.timers.act(partition.transaction, START - SECOND, START - SECOND, 9)
    (letter,) = partition.transaction.outputs[DEAD_LETTERS, 0]  # type: ignore[misc]
    assert partition.commit() == ["c-0", "c-2"]
    assert partition.store.journeys() == set()
    assert (letter.key, letter.value) == (b"pinehurst:c-1", msgspec.json.encode(Sweep(JOURNEY)))
    assert dict(letter.headers)["dlq.code"] == b"too-large"


def test_R32_a_wait_that_comes_after_unread_input_is_held_and_looked_at_again_soon() -> None:
    partition, now = Partition(waits=4), START + 9 * SECOND
    partition.timers.act(partition.transaction, now, None, 9)
    assert partition.commit() == []
    assert partition.timers.next == now + timedelta(milliseconds=50)
    partition.timers.act(partition.transaction, now, START + SECOND, 9)
    assert partition.commit() == ids(0, 1)
    partition.timers.act(partition.transaction, now, now, 9)
    assert partition.commit() == ids(2, 3)


def test_R32_R29_what_a_pause_held_back_comes_after_what_had_arrived_when_it_was_over() -> None:
    partition, now = Partition(waits=2), START + 9 * SECOND
    partition.know(JourneyStatus.PAUSED)
    partition.act(now)
    partition.know(JourneyStatus.ACTIVE)
    for until in (None, now - SECOND):
        partition.timers.act(partition.transaction, now, until, 9)
        assert partition.commit() == []
    partition.timers.act(partition.transaction, now + SECOND, now, 9)
    assert partition.commit() == ids(0, 1)

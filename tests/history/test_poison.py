"""Bad activity records among good ones, on a real Postgres: every good one lands, every bad one is parked."""

import json
import random
import string
from collections.abc import AsyncIterator, Callable, Sequence
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.database import create_engine
from streams.engine.entries import EnrollmentRefused, ProfileUpdated
from streams.engine.results import Change, ConditionResult, SendResult, SplitResult
from streams.history.projector import Projector
from streams.history.records import read_cause, read_entries
from streams.history.statements import SESSION
from streams.history.wording import describe, describe_cause
from tests.history.activity import Message
from tests.history.build import JOURNEY, NOON, completed, done, entered, failed, skipped, started, value

pytestmark = [pytest.mark.database, pytest.mark.timeout(300)]

_CHANCE = random.Random(7)


def noise(length: int) -> str:
    """Text that no compression makes shorter."""
    return "".join(_CHANCE.choices(string.ascii_letters + string.digits, k=length))


def swap(old: str, new: str, record: bytes | None = None) -> bytes:
    record = record or value(started(a=1), done("mail", 1, SendResult(True, "EMAIL", "m-1")))
    assert old.encode() in record
    return record.replace(old.encode(), new.encode())


WHOLE = (
    started(a=1), done("start"), done("ask", 1, ConditionResult(True, [{"field": "x", "matched": True}])),
    done("ab", 1, SplitResult("A")), done("mail", 1, SendResult(True, "EMAIL", "m-1")), entered(), skipped(),
    failed(), ProfileUpdated([Change("tier", None, "Gold")]),
    EnrollmentRefused(journey_id=JOURNEY, journey_version=1, reason="conditions", evaluated_rules=[]), completed(),
)  # fmt: skip
BAD: dict[str, bytes | None] = {
    "nothing": None,
    "no JSON": b"no json",
    "another shape": b'{"a": 1}',
    "a key too long for an index": swap('"enrollmentKey":""', f'"enrollmentKey":"{noise(8000)}"'),
    "a tenant and a customer too long for an index": swap('"t"', f'"{noise(5000)}"').replace(
        b'"c-1"', f'"{noise(9000)}"'.encode()
    ),
    "a channel too long for an index": swap('"EMAIL"', f'"{noise(9000)}"'),
    "a variant too long for an index": swap('"A"', f'"{noise(9000)}"', value(done("ab", 1, SplitResult("A")))),
    "a step too long for an index": swap('"mail"', f'"{noise(9000)}"'),
    "a reason too long for an index": swap(
        '"club"', f'"{noise(9000)}"', value(EnrollmentRefused(journey_id=JOURNEY, reason="club"))
    ),
    "half a surrogate": swap('"a":1', '"a":"\\ud800"'),
    "no UTF-8": value(started(a=1)).replace(b'"a":1', b'"a":"\xff"'),
    "a number beyond double": swap('"a":1', '"a":1e400'),
    "a number of 5,000 digits": swap('"a":1', f'"a":{"9" * 5000}'),
    "an entry number beyond integer": swap('"entryNumber":1', '"entryNumber":2147483648'),
    "a visit beyond bigint": swap('"visit":1', '"visit":9223372036854775808'),
    "a step number that is text": swap('"stepNumber":1', '"stepNumber":"1"'),
    "no date": swap("2026-11-24T12:00:00Z", "soon", value(entered())),
    "the year 10000": swap("2026-11-24T12:00:00Z", "10000-01-01T00:00:00Z", value(entered())),
    "a date after the year 9999": swap("2026-11-24T12:00:00Z", "9999-12-31T23:59:59-05:00", value(entered())),
    "a date before the year 1": swap("2026-11-24T12:00:00Z", "0001-01-01T00:00:00+05:00", value(entered())),
    "a record before the year 1": swap(
        '"at":"2026-11-23T12:00:00Z"', '"at":"0001-01-01T00:00:00+05:00"', value(skipped())
    ),
    "no offset": swap('"at":"2026-11-23T12:00:00Z"', '"at":"2026-11-23T12:00:00"'),
    "a journey that is no id": swap(JOURNEY, "my journey"),
    "an activity that is no id": swap("00000000-0000-0000-0000-000000000001", "an id"),
    "nested beyond reason": swap('"a":1', '"a":' + "[" * 50_000 + "]" * 50_000),
}
GOOD = {
    "a field that says evaluatedRules": value(started(evaluatedRules="evaluatedRules", variant=1, sent=True)),
    "NUL": value(started(a="x\0y", **{"n\0": 1})),
    "a number beyond bigint": swap('"a":1', f'"a":{"9" * 200}'),
    "a text of a megabyte": value(started(a="x" * 2**20)),
    "nested 500 deep": swap('"a":1', '"a":' + "[" * 500 + "]" * 500),
    "a newer worker's entry": value({"type": "enrollment.migrated", "journeyId": JOURNEY, "to": 4}, started()),
    "an emoji": value(started(a="🏌️")),
}


@pytest.fixture
async def projector(engine: AsyncEngine, database_url: str) -> AsyncIterator[Projector]:
    projector = Projector(create_engine(database_url, session=SESSION))
    yield projector
    await projector.close()


async def rows(engine: AsyncEngine, query: str) -> list[Any]:
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query))]


def own(number: int, record: bytes | None) -> bytes | None:
    """A record of an enrolment and a customer of its own."""
    if record is None:
        return None
    return record.replace(b"22222222-2222-2222-2222-222222222222", f"{number:032x}".encode()).replace(
        b'"c-1"', f'"g-{number}"'.encode()
    )


async def test_each_named_case_is_parked_and_what_stands_beside_it_lands(
    engine: AsyncEngine, projector: Projector
) -> None:
    values = [record for bad in BAD.values() for record in (value(*WHOLE), bad)] + list(GOOD.values())
    messages = [Message(offset, own(offset, record), key=b"t:c") for offset, record in enumerate(values)]
    assert await projector.project(0, messages, 0, len(messages)) == len(messages)
    parked = dict(await rows(engine, 'SELECT "offset", error FROM history_parked'))
    expected = {2 * place + 1: name for place, name in enumerate(BAD)}
    assert {expected.get(offset, offset) for offset in parked} == set(BAD)
    assert all(error.endswith(".") and "\n" not in error for error in parked.values()), parked
    landed = {offset for (offset,) in await rows(engine, 'SELECT "offset" FROM activity')}
    assert landed == set(range(len(messages))) - set(parked)
    assert await projector.position(0) == len(messages)


async def test_a_parked_record_keeps_its_bytes_and_says_whose_it_is(
    engine: AsyncEngine, projector: Projector
) -> None:
    bad = swap('"entryNumber":1', '"entryNumber":2147483648')
    await projector.project(3, [Message(7, bad), Message(8, b"no json", key=b"t:c-2")], 0, 9)
    found = await rows(engine, "SELECT partition, record, tenant_id, customer_id FROM history_parked ORDER BY 1, 2")
    assert sorted(found) == [(3, b"no json", "t", "c-2"), (3, bad, "t", "c-1")]


async def test_an_erased_customer_leaves_no_parked_record(engine: AsyncEngine, projector: Projector) -> None:
    erased = value(ProfileUpdated([], deleted=True))
    messages = [Message(0, b"no json", key=b"t:c-1"), Message(1, b"none", key=b"t:c-2"), Message(2, erased)]
    await projector.project(0, messages, 0, 3)
    assert await rows(engine, "SELECT customer_id FROM history_parked") == [("c-2",)]


# --- mutations --------------------------------------------------------------------------------------------------

NASTY: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 2**64, 10**40, 1.5, "", "\0", "x", "EMAIL", "a" * 300, noise(3000), [], {},
    [None], {"a": None}, {"type": "step.failed"}, "2026-11-23T12:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "evaluatedRules", JOURNEY, {"evaluatedRules": [], "result": 3}, {"variant": "B"},
    {"sent": True, "channel": "\u202e"}, {"sent": False}, {"firedAt": None}, [{"field": 1}], [{"field": "a.b"}],
]  # fmt: skip
BYTES: list[Callable[[bytes, int], bytes]] = [
    lambda raw, at: raw[:at],
    lambda raw, at: raw[:at] + b"\xff" + raw[at:],
    lambda raw, at: raw[:at] + b"\\u0000" + raw[at:],
    lambda raw, at: raw[:at] + b"[" * 3000 + raw[at:],
    lambda raw, at: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :],
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places below a value."""
    items: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [deeper for key, inner in items for deeper in ((*path, key), *places(inner, (*path, key)))]


class Damaged(bytes):
    """Bytes that are shown as far as one can read them."""

    def __repr__(self) -> str:
        return repr(bytes(self[:3000]))


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A record of which a few places are something else, or missing, or whose bytes are damaged."""
    whole = json.loads(value(*WHOLE))
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(places(whole)))
        holder = whole
        for key in above:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = deepcopy(draw(st.sampled_from(NASTY)))
        elif isinstance(holder, dict):
            del holder[last]
    raw = json.dumps(whole).encode()
    if draw(st.integers(0, 3)) == 0:
        raw = draw(st.sampled_from(BYTES))(raw, draw(st.integers(0, len(raw) - 1)))
    return Damaged(raw)


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(records=st.lists(mutated(), min_size=3, max_size=6))
async def test_whatever_a_record_is_it_lands_or_is_parked_and_the_others_land(
    engine: AsyncEngine, projector: Projector, records: list[bytes]
) -> None:
    await projector.rebuild()
    values = [raw for record in records for raw in (record, value(*WHOLE))]
    messages = [
        Message(offset, own(offset, raw) if offset % 2 else raw, key=b"t:c") for offset, raw in enumerate(values)
    ]
    assert await projector.project(0, messages, 0, len(messages)) == len(messages)
    landed = {offset for (offset,) in await rows(engine, 'SELECT "offset" FROM activity')}
    parked = {offset for (offset,) in await rows(engine, 'SELECT "offset" FROM history_parked')}
    erased = await rows(engine, "SELECT 1 FROM customers WHERE customer_id = 'c-1'") == []
    assert not landed & parked
    assert {offset for offset in range(len(values)) if offset % 2} <= landed
    assert erased or landed | parked == set(range(len(values)))
    for cause, entries in await rows(engine, "SELECT cause, entries FROM activity"):  # pages can read what landed
        assert all(describe(entry) for entry in read_entries(entries, NOON))
        describe_cause(read_cause(cause))
    for table in ("journey_enrollments", "journey_enrollment_steps", "customers", "activity"):
        await rows(engine, f"SELECT * FROM {table}")
    assert msgspec.json.encode(await rows(engine, "SELECT attributes FROM customers"))

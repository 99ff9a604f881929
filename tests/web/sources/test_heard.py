"""What an enrolment has heard: from the rows here, or from the worker that has them."""

from typing import Any

import httpx
import pytest
from starlette.requests import Request

from models.customer import Customer, encode
from models.journey import Journey, JourneyStatus
from streams.partition.restore import Progress
from streams.state.memory import MemoryMap
from streams.state.store import Store
from streams.web.access.masking import Mask
from streams.web.sources import peers
from streams.web.sources.heard import Heard, read_heard
from streams.web.sources.peers import Peers
from streams.web.sources.rows import read_row
from streams.worker.table import Table
from tests.browser.stage import Task
from tests.engine.build import NOON, Life, event, hours, journey, live, send, wait
from tests.web.alone import Alone

OPENED, PLAYED = {"eventType": "email.opened"}, {"eventType": "round.played"}
GOLD = {"field": "tier", "operator": "equals", "value": "Gold"}
ONE = journey(
    wait("quiet", "1 hour", events=[PLAYED], rules=[GOLD]),
    wait("later", "2 hours", events=[PLAYED | {"key": "any"}, OPENED], since="enrollment"),
    send(),
    enrollmentKey="trigger.id",
)
KEY = b"pinehurst:c-7"


class Sources:
    """As much of the sources as is asked: one partition, here or on another worker."""

    def __init__(
        self, row: Customer | None, *, is_here: bool = True, others: dict[str, frozenset[int]] | None = None
    ):
        store = Store(MemoryMap())
        store.write({KEY: encode(row)} if row else {}, {}, 1)
        tasks = {0: Task(0, "running", Progress(), store)} if is_here else {}
        self.table = Table("changelog", 1, tasks)  # type: ignore[arg-type]
        self.peers = Peers(Alone(others))


def booked(one: Journey = ONE) -> Life:
    return Life(live(one)).give(event(data={"id": "t1"}))


async def ask(life: Life, sources: Any = None, one: Journey = ONE, status: str = "ACTIVE") -> list[Heard]:
    (id_,) = life.told("enrollment.started", "enrollmentId")
    row = {"status": status, "tenant_id": "pinehurst", "customer_id": "c-7", "id": id_}
    path = f"/enrollments/{id_}"
    scope = {"type": "http", "raw_path": path.encode(), "path": path, "query_string": b"", "headers": []}
    return await read_heard(sources or Sources(life.customer), Request(scope), row, one)


async def test_what_is_kept_for_a_later_wait_is_told_in_order_of_time() -> None:
    life = booked().hear(2, 0.2, "email.opened", id="t1").hear(3, 0.1, "round.cancelled")
    assert await ask(life) == [Heard("Has heard email.opened", NOON + hours(0.2), ", kept for “later”.")]
    assert await ask(booked()) == []


@pytest.mark.parametrize(
    ("type_", "data", "beginning"),
    [
        ("round.played", {"id": "t1"}, "round.played came"),
        ("customer.updated", {"tier": "Gold"}, "Its rules came true"),
    ],
)
async def test_what_ended_a_wait_in_a_pause_is_told(type_: str, data: dict[str, Any], beginning: str) -> None:
    life = booked().set(JourneyStatus.PAUSED, ONE).hear(2, 0.5, type_, **data)
    told = (await ask(life))[-1]
    assert told == Heard(beginning, NOON + hours(0.5), ": it goes on when the journey is resumed.")


async def test_who_is_not_under_way_or_listens_for_nothing_is_not_asked_for() -> None:
    plain = journey(wait())
    life = booked(plain)
    assert await ask(life, object(), plain) == []
    assert await ask(life, object(), ONE, status="EXITED") == []


async def test_a_row_that_is_not_there_any_more_or_is_damaged_tells_nothing() -> None:
    assert await ask(booked(), Sources(None)) == []
    sources = Sources(None)
    sources.table.tasks[0].store.write({KEY: b"{"}, {}, 2)  # type: ignore[union-attr]
    assert await ask(booked(), sources) == []


async def test_a_version_without_the_step_has_no_name_for_what_was_heard() -> None:
    life = booked().hear(2, 0.2, "email.opened", id="t1")
    assert [heard.beginning for heard in await ask(life, one=journey(wait("other", events=[PLAYED])))] == [
        "Has heard "
    ]


@pytest.mark.parametrize("fields", [[], ["id"]])
async def test_another_worker_is_asked_for_what_it_has(fields: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    life = booked().hear(2, 0.2, "email.opened", id="t1")
    assert life.customer is not None
    state = read_row(KEY, encode(life.customer), Mask(fields)).state

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/api/v1/customers/pinehurst/c-7/state"
        return httpx.Response(200, json={"customerId": "c-7", "state": state, "asOf": {}})

    sources = away(monkeypatch, answer)
    assert [heard.beginning for heard in await ask(life, sources)] == ["Has heard email.opened"]


def away(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Sources:
    transport = httpx.MockTransport(answer)
    real = httpx.AsyncClient
    monkeypatch.setattr(peers.httpx, "AsyncClient", lambda **_: real(transport=transport))
    return Sources(None, is_here=False, others={"http://other": frozenset({0})})


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(403),
        httpx.Response(200, content=b"{"),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"state": None}),
        httpx.Response(200, json={"state": {"enrollments": {}}}),
        httpx.Response(200, json={"state": {"enrollments": "•••"}}),
    ],
)
async def test_a_worker_that_can_t_say_tells_nothing(
    answer: httpx.Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await ask(booked(), away(monkeypatch, lambda _: answer)) == []


async def test_where_no_worker_has_the_partition_nothing_is_told() -> None:
    assert await ask(booked(), Sources(None, is_here=False)) == []

"""By hand: the form is kept where something is wrong, strangers are asked about, and what came of it is said."""

from typing import Any

import httpx
import pytest

from streams.control import manual
from streams.control.manual import Answer
from streams.engine.entries import EnrollmentRefused
from streams.engine.inputs import Enroll, Exit
from streams.history.records import UnknownEntry
from streams.web.pages import by_hand
from tests.web.pages.browsing import find_enrollment, find_journey, send, text_of

pytestmark = pytest.mark.database


class Worker:
    """Takes controls, and answers what a test wants."""

    def __init__(self, *entries: Any, is_taken: bool = True) -> None:
        self.answer = Answer(is_taken, entries)
        self.taken: list[tuple[str, Enroll | Exit]] = []

    async def ask(self, _: Any, tenant: str, customer: str, message: Enroll | Exit, seconds: float) -> Answer:
        self.taken.append((f"{tenant}:{customer}", message))
        return self.answer


@pytest.fixture
def take(monkeypatch: pytest.MonkeyPatch) -> Any:
    def take(*entries: Any, is_taken: bool = True) -> Worker:
        worker = Worker(*entries, is_taken=is_taken)
        monkeypatch.setattr(manual, "ask", worker.ask)
        monkeypatch.setattr(by_hand, "_HISTORY_PATIENCE", 0.0)
        return worker

    return take


async def find_id(pages: httpx.AsyncClient) -> str:
    return (await find_journey(pages)).rpartition("/")[2]


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"data": "[1, 2]"}, "The data must be a JSON object"), ({"data": '{"a": '}, "not JSON"),
        ({"customer": " "}, "Name a customer, and choose a journey."),
        ({"journey": "x"}, "Name a customer, and choose a journey."), ({"customer": "c" * 257}, "The customerId"),
    ],
)  # fmt: skip
async def test_where_something_is_wrong_the_form_is_kept(
    pages: httpx.AsyncClient, take: Any, fields: dict[str, str], text: str
) -> None:
    worker = take()
    given = {"customer": "c-12", "journey": await find_id(pages), "data": '{"season": 2027}'} | fields
    answer = await send(pages, "/enroll", **given)
    assert (answer.status_code, worker.taken) == (422, [])
    assert text in text_of(answer)
    for kept in given.values():
        assert kept.strip()[:40].replace('"', "&#34;") in answer.text


async def test_a_customer_of_whom_nothing_was_heard_is_asked_about(pages: httpx.AsyncClient, take: Any) -> None:
    worker = take(UnknownEntry("enrollment.started"))
    given = {"customer": "c-1l2", "journey": await find_id(pages), "data": "{}"}
    asked = await send(pages, "/enroll", **given)
    assert "Nothing was ever heard of a customer “c-1l2”." in text_of(asked)
    assert "Enrol a new customer" in asked.text
    assert worker.taken == []
    other = await send(pages, "/enroll", **given, stranger="c-13")
    assert "Nothing was ever heard of" in text_of(other)
    sure = await send(pages, "/enroll", **given, stranger="c-1l2")
    assert sure.status_code == 303
    assert [key for key, _ in worker.taken] == ["pinehurst:c-1l2"]


async def test_what_came_of_it_is_said(pages: httpx.AsyncClient, take: Any) -> None:
    journey, name = await find_id(pages), "Welcome of new members"
    given = {"customer": "c-12", "journey": journey, "data": "{}"}
    take(EnrollmentRefused(journey_id=journey, reason="maxEnrollments"))
    refused = await send(pages, "/enroll", **given)
    assert refused.headers["location"] == f"/customer?tenant=pinehurst&id=c-12&journey={journey}"
    said = text_of(await pages.get("/customer?tenant=pinehurst&id=c-12"))
    assert f"Customer 'c-12' did not enter '{name}': the journey was full." in said
    take(is_taken=False)
    await send(pages, "/enroll", **given)
    said = text_of(await pages.get("/customer?tenant=pinehurst&id=c-12"))
    assert "No worker took it up within 10 seconds; it is done as soon as one does." in said
    worker = take()
    await send(pages, "/exit", customer="c-12", journey=journey)
    said = text_of(await pages.get("/customer?tenant=pinehurst&id=c-12"))
    assert f"Customer 'c-12' was not in '{name}'." in said
    assert isinstance(worker.taken[0][1], Exit)


async def test_who_is_known_is_enrolled_with_their_data(pages: httpx.AsyncClient, take: Any) -> None:
    worker = take()
    await send(pages, "/enroll", customer="c-12", journey=await find_id(pages), data='{"season": 2027}')
    ((key, message),) = worker.taken
    assert isinstance(message, Enroll)
    assert (key, message.data) == ("pinehurst:c-12", {"season": 2027})
    shown = await pages.get("/enroll?tenant=pinehurst&customer=c-12")
    assert 'value="c-12"' in shown.text
    assert (await pages.get(await find_enrollment(pages))).status_code == 200

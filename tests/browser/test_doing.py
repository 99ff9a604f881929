"""What people do on the pages: each asked again with how many people it touches, and none from outside."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from streams.kafka.topics import INBOX
from streams.web.pages import by_hand
from tests import client
from tests.browser import stage
from tests.browser.conftest import Club
from tests.http import connect

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]

SILENCE = "No worker took it up within 1 seconds; it is done as soon as one does."
FILE = """\
tenantId: pinehurst
name: Uploaded
triggerType: email.opened
steps:
  - {id: opened, type: TRIGGER}
  - {id: mail, type: SENT, config: {channel: EMAIL, templateId: hello}}
"""
EVENT = json.dumps({
    "eventId": "e-1", "eventType": "email.opened", "tenantId": "pinehurst", "customerId": "c-1",
    "occurredAt": "2026-11-23T10:00:00Z",
})  # fmt: skip


def test_R29_a_journey_is_paused_and_resumed_after_being_asked(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Tee-time reminder']}")
    active = page.locator('[data-live="active"]').inner_text()
    page.get_by_role("link", name="Pause").click()
    expect(page.locator("form .notice")).to_contain_text(f"{active} people are on their way.")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status").first).to_contain_text("“Tee-time reminder” is paused")
    page.get_by_role("link", name="Resume").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("h1 + .mark")).to_have_text("active")


def test_a_file_shows_each_problem_beside_its_line_then_what_would_change(page: Page) -> None:
    page.goto("/journeys/new")
    page.get_by_label("or its text").fill(FILE)
    page.get_by_role("button", name="Check").click()
    expect(page.locator(".source .wrong")).to_have_text(
        "  - {id: mail, type: SENT, config: {channel: EMAIL, templateId: hello}}"
    )
    expect(page.locator(".source em")).to_contain_text("did you mean 'SEND'?")
    page.get_by_label("or its text").fill(FILE.replace("SENT", "SEND"))
    page.get_by_role("button", name="Check").click()
    expect(page.locator("main")).to_contain_text("A new journey. Nobody is touched until it is active.")
    page.get_by_role("button", name="Store").click()
    expect(page.locator("h1")).to_have_text("Uploaded")


def test_a_journey_is_tried_on_pasted_events(page: Page) -> None:
    page.goto("/simulate")
    page.get_by_label("Journeys (YAML or JSON)").fill(FILE.replace("SENT", "SEND"))
    page.get_by_label("Events, one JSON object a line").fill(EVENT)
    page.get_by_role("button", name="Run").click()
    expect(page.locator(".account")).to_contain_text("'mail' done: sent by EMAIL")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs here that would answer."""
    monkeypatch.setattr(by_hand, "_PATIENCE", 1.0)


@pytest.mark.usefixtures("impatient")
def test_someone_is_enrolled_by_hand_with_data_of_their_own(page: Page, club: Club) -> None:
    page.goto("/customer?tenant=pinehurst&id=c-034")
    page.get_by_role("link", name="Enrol by hand").click()
    expect(page.locator("form .notice")).to_contain_text("1 person is touched.")
    expect(page.get_by_label("Customer id")).to_have_value("c-034")
    page.get_by_label("Journey", exact=True).select_option(label="Season renewal (pinehurst)")
    page.get_by_label("Data, as an event would carry it (JSON)").fill('{"season": 2027}')
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("status").first).to_have_text(SILENCE)
    sent = read_inbox(club, b"pinehurst:c-034")
    assert (sent["kind"], sent["journeyId"]) == ("enroll", club.journeys["Season renewal"])
    assert sent["data"] == {"season": 2027}


@pytest.mark.usefixtures("impatient")
def test_someone_is_taken_out_from_the_enrolment_s_page(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}/find?customer=c-110")
    page.get_by_role("link", name="Take out").click()
    expect(page.locator("form .notice")).to_contain_text(
        "1 person is touched: their enrolments in this journey end, reason manual."
    )
    page.get_by_role("button", name="Take out").click()
    expect(page.get_by_role("status").first).to_have_text(SILENCE)
    sent = read_inbox(club, b"pinehurst:c-110")
    assert (sent["kind"], sent["journeyId"]) == ("exit", club.journeys["Season renewal"])


def read_inbox(club: Club, key: bytes) -> dict[str, Any]:
    """The newest message that the inbox holds for a customer."""
    mine = [record for record in client.read_committed(club.settings.brokers, INBOX) if record.key == key]
    return dict(json.loads(mine[-1].value or b""))


def test_where_the_data_is_no_object_the_form_is_kept(page: Page) -> None:
    page.goto("/enroll?tenant=pinehurst&customer=c-034")
    data = page.get_by_label("Data, as an event would carry it (JSON)")
    data.fill("[1, 2]")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("alert")).to_contain_text("The data must be a JSON object")
    expect(data).to_have_value("[1, 2]")
    expect(page.get_by_label("Customer id")).to_have_value("c-034")


def test_a_customer_of_whom_nothing_was_heard_is_asked_about(page: Page) -> None:
    page.goto("/enroll?tenant=pinehurst&customer=c-O34")
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was ever heard of a customer “c-O34”.")
    expect(page.get_by_role("button", name="Enrol a new customer")).to_be_visible()


def test_dead_letters_are_sent_again_as_they_came(page: Page) -> None:
    page.goto("/dead-letters?code=not-json")
    page.get_by_role("link", name="Send again: these").click()
    expect(page.locator("form .notice")).to_contain_text("20 records of 20 people: sent to their topics once more")
    page.get_by_role("button", name="Send again").click()
    expect(page.get_by_role("status").first).to_have_text("20 records were sent again.")
    expect(page.get_by_role("navigation", name="States")).to_contain_text("replayed 20")
    page.goto("/dead-letters?code=not-json")
    expect(page.locator("main")).to_contain_text("No dead letter is open with this code")
    page.goto("/topics?topic=teetime.booked")
    expect(page.locator("tr", has_text="teetime.booked")).to_contain_text("20")


@pytest.mark.parametrize("path", ["/enroll", "/exit", "/journeys/new", "/simulate", "/dead-letters/replay"])
def test_a_form_from_elsewhere_does_nothing(site: str, path: str) -> None:
    with connect(site) as client:
        client.get("/enroll")
        assert client.post(path, data={"token": "guessed"}).status_code == 403
        token = client.cookies["fairway-form"]
        foreign = client.post(path, data={"token": token}, headers={"origin": "http://evil.example"})
        assert foreign.status_code == 403


def test_who_may_only_look_may_not_act(lakeside: str, club: Club) -> None:
    with connect(lakeside) as client:
        client.get("/")
        token = client.cookies["fairway-form"]
        for path in (f"/journeys/{club.journeys['Welcome']}/archive", "/enroll", "/exit", "/dead-letters/replay"):
            assert client.post(path, data={"token": token}).status_code == 403


def test_personal_fields_are_hidden_from_those_who_may_only_look(lakeside: str, site: str, club: Club) -> None:
    customer = "/customer?tenant=lakeside&id=c-110"
    stage.bury(
        club.settings.brokers, [("schema", "A field is missing.", b'{"data": {"firstName": "Guest"}}')], "lakeside"
    )
    with connect(lakeside) as guest, connect(site) as tester:
        enrollment = re.findall(r"/enrollments/[0-9a-f-]{36}", guest.get(customer).text)[0]
        letter = re.findall(r"/dead-letters/\d+/\d+", guest.get("/dead-letters").text)[0]
        table = guest.get("/table?partition=0&prefix=lakeside").text
        assert ("•••" in table, "Guest" in table) == (True, False)
        for path in (customer, enrollment, f"{enrollment}.json", letter):
            assert "Guest" in tester.get(path).text
            seen = guest.get(path).text
            assert ("•••" in seen, "Guest" in seen) == (True, False), path


def test_a_tenant_sees_nothing_of_another(lakeside: str, club: Club) -> None:
    with connect(lakeside) as client:
        for path in (
            f"/journeys/{club.journeys['Season renewal']}",
            f"/journeys/{club.journeys['Season renewal']}/enrollments",
            f"/journeys/{club.journeys['Season renewal']}.yaml",
            "/customer?tenant=pinehurst&id=c-110",
        ):
            assert client.get(path).status_code == 404
        for path in ("/", "/journeys", "/customers", "/waits", "/table", "/search?q=c-110", "/dead-letters"):
            text = client.get(path, follow_redirects=True).text
            assert "pinehurst:c" not in text
            assert "Season renewal" not in text

"""Where is customer X in journey Y, and why not further? A marketer's ways through the pages."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Club

pytestmark = [pytest.mark.browser, pytest.mark.broker, pytest.mark.database, pytest.mark.timeout(480)]


def test_from_the_first_page_to_why_a_customer_waits(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Journeys", exact=True).click()
    page.get_by_role("link", name="Season renewal").click()
    page.get_by_label("Where is this customer, and why not further?").fill("c-110")
    page.get_by_role("button", name="Find").last.click()
    place = page.get_by_role("region", name="Where it stands")
    expect(place).to_contain_text("Waits in step “A day to think”; nothing is wrong, its time has not come.")
    expect(place).to_contain_text("Europe/London")
    expect(place).to_contain_text("Then: “Renewed by now?”")


def test_who_never_entered_is_told_which_condition_did_not_hold(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}/find?customer=c-034")
    expect(page.locator("main")).to_contain_text("Never entered “Season renewal”: the conditions did not hold.")
    expect(page.locator("#why")).to_contain_text('membershipTier in ["Gold", "Platinum", "Silver"]: saw "Junior"')


def test_a_count_of_refusals_leads_to_who_they_were_and_why(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}")
    count = int(page.locator('[data-live="refused"]').inner_text())
    page.get_by_role("link", name="the conditions did not hold").click()
    refusals = page.get_by_role("region", name="Refusals").locator("li.warn")
    expect(refusals).to_have_count(count)
    expect(refusals.first).to_contain_text("Did not enter: the conditions did not hold")
    expect(refusals.first).to_contain_text('membershipTier in ["Gold", "Platinum", "Silver"]: saw "Junior"')
    refusals.first.get_by_role("link").first.click()
    expect(page.locator("#why")).to_contain_text("Did not enter: the conditions did not hold")
    page.goto(f"/journeys/{club.journeys['Season renewal']}/refusals?reason=maxEnrollments")
    expect(page.locator("main")).to_contain_text("Nobody was refused")


@pytest.mark.parametrize("customer", ["c-001", "no body"])
def test_a_customer_s_page_leads_to_the_dead_letters_that_name_them(page: Page, customer: str) -> None:
    page.goto(f"/customer?tenant=pinehurst&id={customer}")
    page.get_by_role("link", name=re.compile("names? this customer")).click()
    expect(page.locator("main")).to_contain_text(f"Only those that name the customer {customer}")
    if customer == "no body":
        expect(page.locator("main")).to_contain_text("No dead letter is kept and names this customer")
    else:
        why = page.locator("section", has=page.get_by_role("heading", name="Why"))
        expect(why).to_contain_text("The field 'customerId' is missing.")
        expect(why.locator("tbody tr")).to_have_count(1)
        expect(page.get_by_role("region", name="Dead letters").locator("tbody tr")).to_have_count(1)


def test_a_failure_names_its_step_and_cause(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Win back the quiet ones']}/enrollments?status=FAILED")
    page.get_by_role("link", name="failed").first.click()
    expect(page.get_by_role("region", name="Where it stands")).to_contain_text("is not a date.")
    page.get_by_role("link", name="failures only").click()
    expect(page).to_have_url(re.compile("failed=1"))


@pytest.mark.parametrize("kind", ["customer", "enrolment", "command"])
def test_an_id_leads_to_its_page(page: Page, kind: str) -> None:
    page.goto("/customer?tenant=pinehurst&id=c-112")
    command = page.locator(".timeline .mono").first.inner_text()
    page.get_by_role("link", name="waiting").first.click()
    page.wait_for_url("**/enrollments/*")
    enrollment = page.url.rpartition("/")[2]
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type({"customer": "c-112", "enrolment": enrollment, "command": command}[kind])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("c-112")


def test_a_number_leads_to_the_enrolments_behind_it(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}")
    count = page.locator("#step-a-week td.number a").first
    waiting = int(count.inner_text())
    count.click()
    expect(page.locator("tbody tr")).to_have_count(waiting)


def test_variants_are_compared_with_what_came_of_them(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}")
    trial = page.get_by_role("region", name="A/B: Which tone of voice")
    expect(trial.locator("tbody tr")).to_have_count(3)
    expect(trial.locator("tbody tr").first).to_contain_text("warm")
    expect(trial).to_contain_text("“warm” and “brisk” are alike so far.")
    expect(trial).to_contain_text("Too few to compare yet.")
    page.locator("#step-warm-letter").get_by_role("link", name=trial_count(page), exact=True).first.click()
    expect(page.locator("h1")).to_have_text("Enrolments whose step 'Warm letter' was entered")


def trial_count(page: Page) -> str:
    return page.locator('[data-live="entered.warm-letter"]').inner_text()


def test_a_step_of_the_graph_leads_to_those_who_are_in_it(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}")
    page.locator("a.box-link", has_text="A day to think").click()
    expect(page.locator("h1")).to_have_text("All enrolments in step 'A day to think' now")


@pytest.mark.parametrize("address", ["/customer?tenant=pinehurst&id=c-110", "/customers", "/waits"])
def test_lists_name_steps_as_their_authors_did(page: Page, address: str) -> None:
    page.goto(address)
    steps = page.locator('td[data-label="Step"], .timeline strong')
    expect(steps.filter(has_text="A day to think").first).to_be_visible()
    expect(steps.filter(has_text="a-week")).to_have_count(0)


def test_fifty_are_shown_and_older_ones_are_a_click_away(page: Page, club: Club) -> None:
    page.goto(f"/journeys/{club.journeys['Season renewal']}/enrollments")
    expect(page.locator("tbody tr")).to_have_count(50)
    first = page.locator("tbody tr").first.inner_text()
    page.get_by_role("link", name="Older").click()
    expect(page.locator("tbody tr")).to_have_count(22)
    page.get_by_role("link", name="Newest").click()
    expect(page.locator("tbody tr")).to_have_count(50)
    assert page.locator("tbody tr").first.inner_text() == first


def test_rows_of_the_table_are_sought_by_key(page: Page) -> None:
    page.goto("/table?partition=0&prefix=pinehurst:c-03")
    keys = page.locator("tbody tr td:first-child").all_inner_texts()
    assert keys
    assert all(key.startswith("pinehurst:c-03") for key in keys)


def test_another_worker_s_partition_is_shown_by_that_worker(page: Page, lakeside: str) -> None:
    page.goto("/table?partition=0")
    expect(page.locator("main")).to_contain_text("This worker, “worker-1”, holds partitions 0, 1, 2 of 4")
    page.get_by_role("navigation", name="Partitions").get_by_role("link", name="3").click()
    expect(page.locator("main")).to_contain_text("Worker “worker-2” has this partition and shows it.")
    row = page.locator("tbody tr td:first-child").first.inner_text()
    page.get_by_role("link", name=row).click()
    expect(page.locator("main")).to_contain_text("3, on another worker: this link leads to the row there")
    page.get_by_role("link", name="3", exact=True).click()
    expect(page.locator("tbody tr td:first-child").first).to_have_text(row)
    page.goto(f"{lakeside}/table?partition=3")
    expect(page.locator("main")).to_contain_text("Partition 3 is not open yet; ask again in a moment.")

"""What tests of the pages do as a reader with a browser would."""

import re
from html import unescape

import httpx


async def find_journey(pages: httpx.AsyncClient, name: str = "Welcome of new members") -> str:
    """Return the address of a journey's page."""
    listed = await pages.get("/journeys", params={"name": name})
    return re.findall(r'href="(/journeys/[0-9a-f-]{36})"', listed.text)[0]


async def find_enrollment(pages: httpx.AsyncClient, customer: str = "c-12") -> str:
    """Return the address of the page of a customer's enrolment in that journey."""
    found = await pages.get(f"{await find_journey(pages)}/find", params={"customer": customer})
    return found.headers["location"]


def text_of(answer: httpx.Response) -> str:
    """Return what a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


async def send(pages: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    """Send a form as its page does."""
    await pages.get(path.partition("?")[0] if "/replay" in path else "/numbers")
    return await pages.post(path, data={"token": pages.cookies["fairway-form"], **fields})


def live_numbers(page: str) -> dict[str, str]:
    """Return the live texts of a page by their names; the same wherever they stand twice."""
    found: dict[str, str] = {}
    for key, value in re.findall(r'data-live="([^"]+)">([^<]*)<', page):
        assert found.setdefault(unescape(key), unescape(value)) == unescape(value), key
    return found

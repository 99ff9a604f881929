"""What strangers send to a worker's web port: requests that are nearly as they should be, and what is no HTTP."""

import socket
from collections.abc import Iterable
from contextlib import suppress

import httpx

from tests.http import connect
from tests.web.fuzzer import Fuzzer, Place

PAGES = (
    "/", "/journeys", "/journeys/{journey}", "/customers", "/customers/{tenant}/{customer}", "/waits", "/refusals",
    "/dead-letters", "/dead-letters/{partition}/{offset}", "/topics", "/table", "/history-parked", "/simulate",
)  # fmt: skip
KNOWN = {
    "journey_id": "00000000-0000-0000-0000-000000000000", "journey": "00000000-0000-0000-0000-000000000000",
    "enrollment_id": "00000000-0000-0000-0000-000000000000", "action": "pause", "tenant": "pinehurst",
    "customer": "pulse-1", "version": "1", "run": "1", "partition": "0", "offset": "0",
}  # fmt: skip
_LINE = b"GET /api/v1/journeys HTTP/1.1\r\nHost: 127.0.0.1\r\n"
_POST = b"POST /api/v1/journeys/import HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
NO_REQUESTS = (
    b"", b"\r\n\r\n", b"\x00" * 1_000, b"\xff\xfe\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET",
    b"GET / HTTP/9.9\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", _LINE, _LINE + b": x\r\n\r\n",
    _LINE + b"X: " + b"x" * 1_000_000, _LINE + b"X: x\r\n" * 50_000,
    _LINE + b"Content-Length: -1\r\n\r\n", _LINE + b"Content-Length: 9\r\nContent-Length: 8\r\n\r\n",
    _LINE + b"Authorization: Bearer \xff\xfe\r\n\r\n", _LINE + b"Authorization: Basic !!!\r\n\r\n",
    _LINE + b"Authorization: Bearer " + b"a." * 9_000 + b"\r\n\r\n", _LINE + b"Cookie: \xff=\xff; ;;=\r\n\r\n",
    _LINE + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n",
    _POST + b"Content-Length: 100\r\n\r\n{", _POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
    _POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{",
    _POST + b"Content-Length: 99999999999\r\n\r\n{",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n{\r\n" * 9_000,
    _POST + b"Expect: 100-continue\r\n\r\n",
    _POST + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
)  # fmt: skip


def send_requests(port: int, number: int) -> dict[int, int]:
    """Send so many mutated requests to pages and API; return how many were answered with each status."""
    counted: dict[int, int] = {}
    with connect(f"http://127.0.0.1:{port}", trust_env=False) as client:
        described = client.get("/openapi.json").json()["paths"]
        places = [Place("GET", page) for page in PAGES]
        places += [Place(name.upper(), path) for path, operations in described.items() for name in operations]
        fuzzer = Fuzzer(7, KNOWN)
        for which in range(number):
            given = fuzzer.request(places[which % len(places)])
            with suppress(httpx.InvalidURL, UnicodeEncodeError):
                status = client.request(**given).status_code
                counted[status] = counted.get(status, 0) + 1
    return counted


def send_bytes(port: int, number: int) -> Iterable[socket.socket]:
    """Open so many connections, send what is no request on each, and return them as they are: open."""
    for which in range(number):
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        with suppress(OSError):  # it may be refused before it is sent
            connection.sendall(NO_REQUESTS[which % len(NO_REQUESTS)])
        yield connection


def is_closed(connection: socket.socket) -> bool:
    """Say whether the other end has closed, whatever it said before."""
    connection.setblocking(False)
    try:
        while connection.recv(100_000):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    connection.close()
    return True

"""A Maven registry on loopback, whose connections can break and whose files can be wrong."""

from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from streams.dev.jars import Jar


class Shelf:
    """What the registry holds by path; `breaks` are the bytes after which a path's next answers end."""

    def __init__(self) -> None:
        self.address = ""
        self.files: dict[str, bytes] = {}
        self.breaks: dict[str, list[int]] = {}
        self.knows_ranges = True
        self.asked: list[tuple[str, str]] = []

    def add(self, name: str, content: bytes) -> Jar:
        """Offer a jar; return what a locked list says of it."""
        self.files[f"/org/example/{name}/1.0/{name}-1.0.jar"] = content
        return Jar(f"org.example:{name}:1.0", len(content), sha256(content).hexdigest())

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        self.asked.append((handler.path.rpartition("/")[2], wanted))
        content = self.files.get(handler.path)
        if content is None:
            handler.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-") or 0) if self.knows_ranges else 0
        handler.send_response(206 if self.knows_ranges else 200)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        breaks = self.breaks.get(handler.path)
        handler.wfile.write(content[start : start + breaks.pop(0)] if breaks else content[start:])


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """The registry that FAIRWAY_MAVEN_URL names."""
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shelf.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shelf.address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("FAIRWAY_MAVEN_URL", shelf.address)
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield shelf
        server.shutdown()
        thread.join()

"""A provider of mail as senders know them: it remembers keys, refuses some messages and is busy now and then."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any


class Provider:
    """Takes a message of each key once; refuses one key, and puts another off until a third was taken."""

    def __init__(self, refused: str, busy: str, until: str) -> None:
        self.url = ""
        self.tries: list[str] = []  # keys in the order of requests
        self.taken: dict[str, dict[str, Any]] = {}
        self.traces: dict[str, str | None] = {}
        self._refused = refused
        self._busy, self._until = busy, until
        self._lock = Lock()

    def answer(self, key: str, trace: str | None, message: dict[str, Any]) -> int:
        """Return the status for a request."""
        with self._lock:
            is_first = key not in self.tries
            self.tries.append(key)
            if key == self._busy and (is_first or self._until not in self.taken):
                return 503
            if key == self._refused:
                return 422
            self.traces[key] = trace
            self.taken.setdefault(key, message)
            return 202


@contextmanager
def serve(provider: Provider) -> Iterator[None]:
    """Let a provider answer on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = provider.answer(self.headers["Idempotency-Key"], self.headers["traceparent"], message)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        provider.url = f"http://127.0.0.1:{server.server_port}/messages"
        yield
        server.shutdown()

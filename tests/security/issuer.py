"""A server that gives tokens by OAuth's client credentials grant, as tests want them."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

CLIENT, SECRET = "fairway-client", "the-client-s-secret"


class Issuer(ThreadingHTTPServer):
    """Knows one client; `asked` are the forms that came, `lifetime` is that of its tokens in seconds."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, str]] = []
        self.lifetime = 300.0
        self.subject = "worker"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/token"

    def make_token(self) -> str:
        """Return an unsecured JWS, which Kafka takes where no keys are set."""
        now = time.time()
        claims = {"sub": self.subject, "iat": now - 1, "exp": now + self.lifetime}
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "none"}, claims)
        ]
        return b".".join([*parts, b""]).decode()


class _Handler(BaseHTTPRequestHandler):
    server: Issuer

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append({name: values[0] for name, values in form.items()})
        if self.path == "/broken":
            return self._answer(200, {"token": "of another shape"})
        if self.headers["Authorization"] != "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode():
            return self._answer(401, {"error": "invalid_client"})
        return self._answer(200, {"access_token": self.server.make_token(), "expires_in": self.server.lifetime})

    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Lend an issuer that answers."""
    with Issuer() as issuer:
        thread = Thread(target=issuer.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            issuer.shutdown()
            thread.join()

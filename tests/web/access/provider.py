"""An identity provider on loopback: its keys, and what it answers."""

import json
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())


class Provider:
    """Serves what `keys` holds, and counts how often it was asked."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [write(RSA, "rsa-1", "RS256"), write(CURVE, "ec-1", "ES256")]
        self.body: bytes | None = None
        self.asked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                provider.may_answer.wait(30)
                self.send_response(200)
                self.end_headers()
                with suppress(ConnectionError):  # of who has read enough
                    self.wfile.write(provider.body or json.dumps({"keys": provider.keys}).encode())

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"


def write(key: Any, kid: str, algorithm: str) -> dict[str, Any]:
    """Return the public part of a key as a JWK."""
    kind = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return kind.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": algorithm, "use": "sig"}

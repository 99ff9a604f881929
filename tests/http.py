"""A client of pages and API for tests, with a connection for each request.

A server closes a connection that was idle for five seconds; a request that is on its way by then is reset.
"""

from typing import Any

import httpx


def connect(address: str, **options: Any) -> httpx.Client:
    """Return a client of the server at this address."""
    alone = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(base_url=address, timeout=30, limits=alone, **options)

"""Ports for servers of tests: of each process of tests its own, and none that a connection gets by chance."""

import os
import random
from collections.abc import Iterator, Sequence

from streams.dev import processes

_EACH = 2_500  # ports, all below those that the system gives to connections


def _shuffle() -> Iterator[int]:
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 8
    ports = list(range(12_000 + process * _EACH, 12_000 + (process + 1) * _EACH))
    random.SystemRandom().shuffle(ports)
    yield from ports


_PORTS = _shuffle()


def free_port() -> int:
    """Return a port that is free, also later, while whoever listens there is down; none is returned twice."""
    return next(port for port in _PORTS if processes.is_free(port))


def free_ports(count: int) -> Sequence[int]:
    """Return so many of them."""
    return [free_port() for _ in range(count)]

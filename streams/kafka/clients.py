"""Kafka clients that are closed whatever happens, also when they could not be opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar


class _Client(Protocol):
    async def start(self) -> None:
        """Connect."""

    async def stop(self) -> None:
        """Let go of the connections."""


Client = TypeVar("Client", bound=_Client)


@asynccontextmanager
async def started(client: Client) -> AsyncIterator[Client]:
    """Lend a client that is connected; raises KafkaError if the broker can't be reached."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()

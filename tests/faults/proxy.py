"""A network between workers and brokers that can be cut: TCP proxies in a thread of their own."""

import asyncio
import threading
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress

from tests import brokers

_CHUNK = 256 * 1024


class Proxy:
    """One way to one broker. `refuse` ends connections and lets none in; `stall` keeps them but moves nothing."""

    def __init__(self, network: "Network", port: int, target: int) -> None:
        self.port = port
        self._target = target
        self._network = network
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._moving = asyncio.Event()
        self._moving.set()

    def accept(self) -> None:
        self._network.call(self._accept())

    def refuse(self) -> None:
        self._network.call(self._refuse())

    def stall(self) -> None:
        self._network.loop.call_soon_threadsafe(self._moving.clear)

    def go_on(self) -> None:
        self._network.loop.call_soon_threadsafe(self._moving.set)

    async def _accept(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, limit=_CHUNK)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._target, limit=_CHUNK)
            self._open.add(there)
            await asyncio.gather(self._move(reader, there), self._move(there_reader, writer))
            self._open.discard(there)
        except OSError:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _move(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(_CHUNK):
                await self._moving.wait()
                sink.write(piece)
                await sink.drain()
        sink.transport.abort()


class Way:
    """How one worker reaches the brokers: a proxy for each, by the broker's number."""

    def __init__(self, proxies: Iterable[Proxy]) -> None:
        self.proxies = tuple(proxies)

    @property
    def address(self) -> str:
        return ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies)

    def refuse(self) -> None:
        for proxy in self.proxies:
            proxy.refuse()

    def accept(self) -> None:
        for proxy in self.proxies:
            proxy.accept()

    def stall(self) -> None:
        for proxy in self.proxies:
            proxy.stall()

    def go_on(self) -> None:
        for proxy in self.proxies:
            proxy.go_on()


class Network:
    """The thread that all proxies run in."""

    def __init__(self, ways: Iterable[Sequence[brokers.Way]]) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.ways = [Way(Proxy(self, port, target) for port, target in way) for way in ways]
        for way in self.ways:
            way.accept()

    def call(self, work: Awaitable[None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def close(self) -> None:
        for way in self.ways:
            way.refuse()
        self.call(_end_all())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()


async def _end_all() -> None:
    """Let the connections' tasks end."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)

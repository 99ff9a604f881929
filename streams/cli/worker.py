"""`fairway worker`: one worker process, or several; start as many as you like."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.kafka.topics import Topics
    from streams.settings import Settings
    from streams.worker.address import WebPort
    from streams.worker.deferred import DeferredReader
    from streams.worker.worker import Worker

PRIVATE_UMASK = 0o077  # what the worker keeps of people, nobody else on the machine may read
_LAST_SECONDS = 13.0  # after SIGTERM; supervisors kill after 15 or more
_WEB_STOP_SECONDS = 2.0
_HEAD_START_SECONDS = 8.0  # for the partitions, before the web views and the history come up beside them


def worker(
    web_port: Annotated[
        int | None, typer.Option(help="Port of the web views; 0 takes a free one. [default: FAIRWAY_WEB_PORT]")
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Workers to run on this machine; one that ends is started again.")
    ] = 1,
) -> None:
    """Run journeys until SIGTERM or Ctrl-C: then commit, close and end with exit code 0.

    A broker that can't be reached is tried again; any other error ends the worker with exit code 1, for
    whatever supervises it to start it again.
    """
    import os
    import signal
    import sys

    import uvloop

    os.umask(PRIVATE_UMASK)
    # Until topics were found there is nothing to commit; after that, the loop takes signals over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))

    from streams.settings import read_settings

    settings = read_settings()
    if web_port is not None:
        settings = settings.model_copy(update={"web_port": web_port})
    uvloop.run(_run(settings) if processes == 1 else _supervise(settings, processes))


async def _supervise(settings: "Settings", processes: int) -> None:
    import signal
    import sys

    from streams.worker.supervisor import supervise

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    command = [sys.executable, sys.argv[0], "worker", "--web-port", str(settings.web_port)]
    name = settings.instance_id  # each process needs its own
    variables = [{"FAIRWAY_INSTANCE_ID": f"{name}-{number}"} if name else {} for number in range(processes)]
    await supervise(command, variables, stop)


async def _run(settings: "Settings") -> None:
    import os
    import signal

    import structlog

    from streams import failpoints
    from streams.journeys.definitions import Definitions
    from streams.kafka.readiness import check_topics
    from streams.kafka.topics import ACTIVITY, read_topics
    from streams.settings import find_unknown
    from streams.worker.address import WebPort
    from streams.worker.deferred import DeferredReader
    from streams.worker.worker import Worker

    for sentence in find_unknown():
        structlog.get_logger().warning(sentence)
    failpoints.arm(settings.failpoint)
    topics = read_topics(settings.topics_file, settings.app_id)
    await check_topics(settings, topics)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        # Whatever hangs then, a broker that does not answer or a library: what is not committed will be redone.
        loop.call_later(_LAST_SECONDS, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    port = WebPort(settings)
    running = Worker(settings, topics, Definitions(settings), port.address)
    history = DeferredReader((ACTIVITY,))
    running.add_reader(history)
    company = asyncio.create_task(_keep_company(running, port, history, settings, topics))
    running.watch(company)
    try:
        await running.run(stop)
    finally:
        company.cancel()
        await asyncio.wait([company], timeout=_WEB_STOP_SECONDS)


async def _keep_company(
    running: "Worker", port: "WebPort", history: "DeferredReader", settings: "Settings", topics: "Topics"
) -> None:
    """Bring up what the partitions can do without: web views, history, outbox. Their imports take seconds."""
    import gc
    from importlib import import_module

    from streams.clock import now, steady

    latest = steady() + _HEAD_START_SECONDS
    while not running.assignment.is_open and steady() < latest:  # noqa: ASYNC110  tasks open, close, open again
        await asyncio.sleep(0.05)
    for module in ("streams.history.reader", "streams.journeys.outbox", "streams.control.runs", "streams.web.app"):
        await asyncio.to_thread(import_module, module)
    gc.freeze()  # what was loaded stays, and need not be looked at for garbage
    from streams.control.runs import advance_for_ever
    from streams.history.projector import Projector
    from streams.history.reader import HistoryReader
    from streams.journeys.outbox import publish_for_ever
    from streams.web.app import make_app

    reader = HistoryReader(Projector.connect(settings.database_url), now, settings.history_days)
    try:
        await history.arrive(reader)
        web = port.serve(make_app(running, settings, topics))
        await asyncio.gather(publish_for_ever(settings), advance_for_ever(settings), web)
    finally:
        await reader.close()

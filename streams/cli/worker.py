"""`fairway worker`: one worker process, or several; start as many as you like."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.settings import Settings

_LAST_SECONDS = 13.0  # after SIGTERM; supervisors kill after 15 or more


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
    import signal
    import sys

    import uvloop

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

    from streams.supervisor import supervise

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

    from streams import failpoints
    from streams.app import build_app
    from streams.clock import now
    from streams.definitions import Definitions
    from streams.historian import Historian
    from streams.outbox import publish_for_ever
    from streams.projection import Projector
    from streams.provision import check_topics
    from streams.runs import advance_for_ever
    from streams.topics import read_topics
    from streams.web.app import make_app

    failpoints.arm(settings.failpoint)
    topics = read_topics(settings.topics_file, settings.app_id)
    await check_topics(settings.brokers, topics)
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        # Whatever hangs then, a broker that does not answer or a library: what is not committed will be redone.
        loop.call_later(_LAST_SECONDS, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    running = build_app(settings, topics, Definitions(settings.brokers))
    historian = Historian(Projector.connect(settings.database_url), now, settings.history_days)
    running.add_reader(historian)
    helpers = [asyncio.create_task(work(settings)) for work in (publish_for_ever, advance_for_ever)]
    try:
        await running.run(stop, make_app(running, settings, topics))
    finally:
        for helper in helpers:
            helper.cancel()
        await historian.close()

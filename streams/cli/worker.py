"""`fairway worker`: one worker process, or several; start as many as you like."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from streams.kafka.topics import Topics
    from streams.settings import Settings
    from streams.worker.address import WebPort
    from streams.worker.deferred import DeferredReader
    from streams.worker.worker import Worker

_CONTROL = ("streams.control.runs", "streams.control.breaker")
PRIVATE_UMASK = 0o077  # what the worker keeps of people, nobody else on the machine may read
_LAST_SECONDS = 13.0  # after SIGTERM; supervisors kill after 15 or more
_WEB_STOP_SECONDS = 2.0
_LOOK = 0.05  # seconds between looks whether all is there
_HEAD_START_SECONDS = 8.0  # for the partitions, before the web views and the history come up beside them


def worker(
    web_port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port of the web views; 0 takes a free one. [default: FAIRWAY_WEB_PORT]"
        ),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, help="Workers to run on this machine; one that ends is started again.")
    ] = 1,
    leave: Annotated[
        bool,
        typer.Option(
            "--leave",
            help="Run none: tell the group that those of FAIRWAY_INSTANCE_ID, which have ended, don't come back.",
        ),
    ] = False,
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
    if leave:
        asyncio.run(_leave(settings, processes))
        return
    uvloop.run(_run(settings) if processes == 1 else _supervise(settings, processes))


async def _leave(settings: "Settings", processes: int) -> None:
    from streams.errors import FairwayError
    from streams.kafka.clients import admin
    from streams.kafka.members import remove_named

    name = settings.instance_id
    if name is None:
        raise FairwayError(
            "FAIRWAY_INSTANCE_ID is not set: a worker without a name of its own leaves the group when it ends."
        )
    async with admin(settings) as asking:
        for number in range(processes):
            own = name if processes == 1 else _tell_apart(settings, number)["FAIRWAY_INSTANCE_ID"]
            has_left = await remove_named(asking, settings.app_id, own)
            typer.echo(
                f"'{own}' has left the group: others have its partitions from now on."
                if has_left
                else f"'{own}' is not in the group."
            )


async def _supervise(settings: "Settings", processes: int) -> None:
    import signal
    import sys

    from streams.worker.supervisor import supervise

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    command = [sys.executable, sys.argv[0], "worker"]
    await supervise(command, [_tell_apart(settings, number) for number in range(processes)], stop)


def _tell_apart(settings: "Settings", number: int) -> dict[str, str]:
    """Return what one of several processes is told: each needs a name and a port of its own."""
    name, found = settings.instance_id, dict[str, str]()
    if name:
        found["FAIRWAY_INSTANCE_ID"] = f"{name}-{number}"
    if number:
        found["FAIRWAY_WEB_PORT"] = "0"
    elif "web_port" in settings.model_fields_set:
        found["FAIRWAY_WEB_PORT"] = str(settings.web_port)
    return found


async def _run(settings: "Settings") -> None:
    import os
    import signal
    from importlib.metadata import version

    from streams.worker import garbage

    with garbage.loading():
        import structlog

        from streams import failpoints
        from streams.journeys.definitions import Definitions
        from streams.kafka.readiness import check_topics
        from streams.kafka.topics import ACTIVITY, read_topics
        from streams.logs.setup import set_up
        from streams.settings import find_unknown
        from streams.worker.address import WebPort
        from streams.worker.deferred import DeferredReader
        from streams.worker.worker import Worker

    log = structlog.get_logger()
    for sentence in find_unknown():
        log.warning(sentence)
    failpoints.arm(settings.failpoint)
    topics = read_topics(settings.topics_file, settings.app_id)
    await check_topics(settings, topics)
    set_up(settings.log_format)  # from now on aiokafka, too, says what it has to try again
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        # Whatever hangs then, a broker that does not answer or a library: what is not committed will be redone.
        loop.call_later(_LAST_SECONDS, os._exit, 0)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    port = WebPort(settings)
    log.info(
        "The worker starts.", version=version("fairway-journeys"), data_dir=str(settings.data_dir), pid=os.getpid()
    )
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
    from importlib import import_module

    from streams.clock import now
    from streams.worker import garbage

    opening = asyncio.create_task(_await_partitions(running))
    await asyncio.wait([opening], timeout=_HEAD_START_SECONDS)
    with garbage.loading():
        for module in ("streams.history.reader", "streams.journeys.outbox", *_CONTROL, "streams.web.app"):
            await asyncio.to_thread(import_module, module)
    from streams.control.breaker import watch_for_ever
    from streams.control.runs import advance_for_ever
    from streams.history.projector import Projector
    from streams.history.reader import HistoryReader
    from streams.journeys.outbox import publish_for_ever
    from streams.web.app import make_app

    projector = Projector.connect(settings.database_url, counts_failures=settings.failures is not None)
    reader = HistoryReader(projector, now, settings.history_days)
    try:
        await history.arrive(reader)
        web = port.serve(make_app(running, settings, topics))
        told = _tell_readiness(running, port, opening)
        works = (publish_for_ever(settings), advance_for_ever(settings), watch_for_ever(settings))
        await _run_all(*works, web, told)
    finally:
        opening.cancel()
        await reader.close()


async def _run_all(*works: "Coroutine[Any, Any, None]") -> None:
    """Run all until one fails or this is cancelled, and then until each has come to its end in order."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    await asyncio.gather(*done)  # for the error


async def _await_partitions(running: "Worker") -> None:
    while not running.assignment.is_open:  # noqa: ASYNC110  tasks open, close, open again
        await asyncio.sleep(_LOOK)


async def _tell_readiness(running: "Worker", port: "WebPort", opening: "asyncio.Task[None]") -> None:
    """Say in one line what this is, where, and that it works."""
    import structlog

    await opening
    while not port.is_served:  # noqa: ASYNC110  what is served is uvicorn's affair
        await asyncio.sleep(_LOOK)
    partitions = ", ".join(map(str, sorted(task.partition for task in running.assignment)))
    structlog.get_logger().info(
        "The worker is ready.",
        app_id=running.settings.app_id, brokers=running.settings.brokers, partitions=partitions or "none yet",
        web=port.address,
    )  # fmt: skip

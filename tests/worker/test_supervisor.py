"""Workers side by side are kept running, and end when they are told to."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from streams.worker.supervisor import supervise

# A worker that says who it is, then works until it is told to end.
WORKER = """
import os, pathlib, signal
pathlib.Path(os.environ["PLACE"], str(os.getpid())).touch()
signal.pause()
"""


async def wait_until_there_are(place: Path, count: int) -> set[int]:
    async with asyncio.timeout(30):
        while len(found := {int(file.name) for file in place.iterdir()}) < count:
            await asyncio.sleep(0.02)
    return found


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_worker_that_is_killed_is_started_again_and_all_end_together(tmp_path: Path) -> None:
    stop = asyncio.Event()
    each = [{"PLACE": str(tmp_path)}] * 2
    supervising = asyncio.create_task(supervise([sys.executable, "-c", WORKER], each, stop))
    first = await wait_until_there_are(tmp_path, 2)
    os.kill(min(first), signal.SIGKILL)
    third = await wait_until_there_are(tmp_path, 3)
    stop.set()
    await supervising
    assert not any(is_running(pid) for pid in third)

"""A projecting process that is killed with -9 at any moment, and started again, loses and doubles nothing."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from streams.history.projector import Projector
from tests.history.activity import activity
from tests.history.test_projector import COUNTED, COUNTS, SUMMED, TOTALS, everything, project, projector, rows

pytestmark = [pytest.mark.database, pytest.mark.timeout(180)]

__all__ = ["projector"]  # the fixture
KILLS = 6
SEED = int(os.environ.get("FAIRWAY_TEST_SEED") or int.from_bytes(os.urandom(4)))


async def test_a_process_that_is_killed_at_any_moment_writes_each_record_once(
    engine: AsyncEngine, projector: Projector, database_url: str, tmp_path: Path
) -> None:
    print(f"FAIRWAY_TEST_SEED={SEED}")
    chance, file = Random(SEED), tmp_path / "activity.jsonl"
    messages = activity(customers=200, erased=0)
    file.write_bytes(b"\n".join(message.value for message in messages))
    await project(projector, messages)
    expected = await everything(engine)
    await projector.rebuild()
    places = []
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.history.projecting", database_url, str(file), str(chance.randint(1, 60)),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        assert await process.stdout.readline() == b"projecting\n"
        if len(places) < KILLS:
            for _ in range(chance.randint(0, 5)):  # a few commits, then somewhere in the next
                await process.stdout.readline()
            await asyncio.sleep(chance.uniform(0, 0.02))
            with suppress(ProcessLookupError):  # it may have ended meanwhile
                process.send_signal(signal.SIGKILL)
        code = await process.wait()
        places.append(await projector.position(0))
        if code == 0:
            break
    print("killed at", places)
    assert any(0 < place < len(messages) for place in places), "no kill came in the middle: take more records"
    assert await everything(engine) == expected
    assert await rows(engine, COUNTS) == await rows(engine, COUNTED)
    assert await rows(engine, TOTALS) == await rows(engine, SUMMED)

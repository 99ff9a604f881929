"""A process of its own that projects the lines of a file from where Postgres stands: to be killed at any moment."""

import asyncio
import sys
from pathlib import Path

from streams.history.projector import Projector
from tests.history.activity import Message


async def run(url: str, file: Path, at_once: int) -> None:
    messages = [Message(offset, line) for offset, line in enumerate(file.read_bytes().splitlines())]
    projector = Projector.connect(url)
    place = await projector.position(0)
    print("projecting", flush=True)
    while place < len(messages):
        batch = messages[place : place + at_once]
        place = await projector.project(0, batch, place, place + len(batch))
        print(place, flush=True)
    await projector.close()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))

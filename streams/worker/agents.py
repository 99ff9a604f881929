"""The Faust agents: each hands the fetches of its topics to who reads them; they decide nothing."""

from collections.abc import Sequence
from typing import Any

import faust

from streams.kafka.fetch import Fetch, Reader


def register(app: faust.App, reader: Reader) -> None:
    """Let an agent of the app hand every fetch of the reader's topics to it."""

    async def hand_over(stream: Any) -> None:
        async for event in stream.noack().events():
            fetches: Sequence[Fetch] = event.value
            for fetch in fetches:
                reader.take(fetch)

    channel = app.topic(*reader.topics, value_serializer="raw", key_serializer="raw", acks=False)
    app.agent(channel, name=type(reader).__name__.lower())(hand_over)

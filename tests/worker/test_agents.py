"""An agent hands every fetch of its reader's topics to the reader, in order."""

from typing import Any

from streams.worker.agents import register
from tests.worker.test_deferred import FETCH, Late


class App:
    """What registering asks of Faust's app; it keeps the agent."""

    def topic(self, *topics: str, **_: Any) -> tuple[str, ...]:
        return topics

    def agent(self, channel: tuple[str, ...], name: str) -> Any:
        self.channel, self.name = channel, name

        def keep(hand_over: Any) -> None:
            self.hand_over = hand_over

        return keep


class Stream:
    """A stream of two messages, each with all that was fetched of a topic."""

    def noack(self) -> "Stream":
        return self

    async def events(self) -> Any:
        for ends in ((1,), (2, 3)):
            yield type("Event", (), {"value": [FETCH._replace(end=end) for end in ends]})


async def test_fetches_go_to_the_reader() -> None:
    app, reader = App(), Late()
    register(app, reader)
    assert (app.channel, app.name) == (("activity",), "late")
    await app.hand_over(Stream())
    assert reader.told == [FETCH._replace(end=end) for end in (1, 2, 3)]

"""R66: no journey is stored that would end a worker."""

import pytest

from models.form import FORM, RELEASES
from streams.journeys import upgrades
from streams.journeys.upgrades import NotYetError, refuse_newer
from streams.kafka.clients import admin
from streams.kafka.members import list_members
from streams.settings import Settings
from tests.broker.workers import running
from tests.engine.build import journey, send

ONE = journey(send())
NOWHERE = Settings(brokers="127.0.0.1:1")


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the journey use what Fairway knows since its next release."""
    monkeypatch.setitem(RELEASES, FORM + 1, "9.9")
    monkeypatch.setattr(upgrades, "form_of", lambda _: FORM + 1)


async def test_a_journey_that_every_worker_can_read_is_not_asked_about() -> None:
    await refuse_newer(NOWHERE, [ONE])


@pytest.mark.usefixtures("newer")
async def test_where_the_workers_can_t_be_asked_it_is_refused() -> None:
    with pytest.raises(NotYetError, match=r"^Whether all workers can read 'Welcome' is not known"):
        await refuse_newer(NOWHERE, [ONE])


@pytest.mark.broker
@pytest.mark.usefixtures("newer")
async def test_it_is_refused_while_a_worker_of_an_older_release_runs(settings: Settings) -> None:
    await refuse_newer(settings, [ONE])
    async with admin(settings) as asking:
        with running(settings):
            while not await list_members(asking, settings.app_id):
                pass
            with pytest.raises(NotYetError) as caught:
                await refuse_newer(settings, [ONE])
    assert str(caught.value) == (
        "Journey 'Welcome' needs Fairway 9.9 or later, but 1 of 1 workers are older (127.0.0.1): "
        "upgrade them first."
    )

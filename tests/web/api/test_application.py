"""The API does what its own /openapi.json says, whatever it is asked: on real Postgres, and on a real Kafka."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from streams.database import create_engine
from streams.settings import Settings
from streams.web.access.identity import make_identify
from streams.web.api import make_api
from tests.web.conftest import make_test_sources
from tests.web.story import welcome

pytestmark = [
    pytest.mark.broker,
    pytest.mark.database,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning"),  # schemathesis's own
]

EXAMPLES = 8  # an operation, with what is allowed and as many with what is not
PLACES = {
    "tenant": "pinehurst", "customer": "c-12", "version": 1, "run": 1, "action": "pause",
}  # fmt: skip


@pytest.fixture
def api_settings(web_settings: Settings, settings: Settings) -> Settings:
    on_kafka = {name: getattr(settings, name) for name in ("brokers", "app_id", "topics_file")}
    return web_settings.model_copy(update=on_kafka)


@pytest.fixture
def served(api_settings: Settings, tokens: dict[str, str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of the API, served in a thread of its own, and its description."""
    listening = socket.create_server(("127.0.0.1", 0))
    port, ready, described = listening.getsockname()[1], threading.Event(), dict[str, Any]()
    server: Any = None

    async def run() -> None:
        nonlocal server
        engine = create_engine(api_settings.database_url)
        sources = make_test_sources(engine, api_settings)
        api = make_api(sources, make_identify(api_settings, engine))
        described.update(api.openapi())
        server = uvicorn.Server(uvicorn.Config(api, log_level="warning"))
        serving = asyncio.create_task(server.serve([listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        ready.set()
        await serving
        await sources.close()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    assert ready.wait(60)
    yield f"http://127.0.0.1:{port}", described
    server.should_exit = True
    thread.join(20)


async def test_every_answer_is_as_described(
    served: tuple[str, dict[str, Any]], client: Any, tokens: dict[str, str]
) -> None:
    address, described = served
    journey = (await client.get("/journeys")).json()["items"][0]["id"]
    enrolled = (await client.get(f"/journeys/{journey}/enrollments")).json()["items"][0]["id"]
    places = PLACES | {"journey_id": journey, "enrollment_id": enrolled}
    schema = schemathesis.openapi.from_dict(described)
    operations = [found.ok() for found in schema.get_all_operations()]
    wrong = [
        told
        for operation in operations
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        for told in await asyncio.to_thread(_try, operation, mode, address, places, tokens["admin"])
    ]
    assert len(operations) > 25
    assert not wrong, "\n\n".join(wrong)


def _try(operation: Any, mode: GenerationMode, address: str, places: dict[str, Any], token: str) -> list[str]:
    """Ask an operation in many ways; return what it answered that it should not have."""
    known = {name: place for name, place in places.items() if f"{{{name}}}" in operation.path}

    @settings(
        max_examples=EXAMPLES, phases=[Phase.generate], deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(mode) | operation.as_strategy(mode, path_parameters=known or None))
    def ask(case: Any) -> None:
        answer = case.call(base_url=address, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        # A cursor or a journey can be as /openapi.json has it and still be none: that is told, by 400 or 422.
        case.validate_response(answer, excluded_checks=[positive_data_acceptance, not_a_server_error])

    try:
        ask()
    except FailureGroup as failed:
        return [f"{operation.label} ({mode.value}): {each}" for each in failed.exceptions]
    except BaseExceptionGroup as failed:
        return [f"{operation.label} ({mode.value}): {each!r}" for each in failed.exceptions]
    except Exception as error:
        return [f"{operation.label} ({mode.value}): {error!r}"]
    return []


async def test_while_kafka_is_away_the_api_says_so(client: httpx.AsyncClient) -> None:
    journey = await welcome(client)
    answer = await client.post(f"/journeys/{journey['id']}/enrollments", json={"customerId": "c"})
    assert (answer.status_code, answer.json()["detail"]) == (503, "Kafka can't be reached for now.")

"""What looks for ever: again after each look, and later where something is away."""

import asyncio

import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from streams import polling
from streams.errors import FairwayError

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


class DoneError(Exception):
    """What nobody expects ends the polling."""


async def poll(*outcomes: Exception | None) -> list[tuple[str, float]]:
    ahead = list(outcomes)

    async def look(_: AsyncEngine) -> None:
        if not ahead:
            raise DoneError
        outcome = ahead.pop(0)
        if outcome is not None:
            raise outcome

    with capture_logs() as logs, pytest.raises(DoneError):
        await polling.poll_for_ever(NOWHERE, look, "away")
    return [(log["error"], log["pause"]) for log in logs]


async def test_where_something_is_away_it_looks_less_and_less_often_until_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    away = [
        KafkaConnectionError("no broker"),
        OSError("no Postgres\nand more"),
        FairwayError("no topic"),
        *[TimeoutError("?")] * 3,
    ]
    told = await poll(None, *away, None, OSError("again"))
    assert [pause for _, pause in told] == [2, 4, 8, 16, 30, 30, 2]
    assert [error for error, _ in told[:2]] == ["KafkaConnectionError: no broker", "no Postgres"]
    assert slept == [1, 2, 4, 8, 16, 30, 30, 1, 2]

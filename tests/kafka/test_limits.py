"""A topic's limit is the broker's; what is believed of it is lowered where the broker refuses a batch."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from streams.errors import FairwayError
from streams.kafka import limits as module
from streams.kafka.limits import KAFKA_DEFAULT, Limits, record_size, spare
from streams.kafka.topics import COMMANDS, INBOX, read_topics
from streams.settings import Settings


def test_before_anybody_was_asked_the_limits_are_the_file_s_and_kafka_s() -> None:
    limits = Limits.of(read_topics(Path("topics.yaml"), "golf"), Settings())
    assert limits.limit(INBOX) == 8_388_608
    assert limits.limit(COMMANDS) == limits.limit("unknown") == KAFKA_DEFAULT
    assert limits.room(COMMANDS) == KAFKA_DEFAULT - spare(KAFKA_DEFAULT)


def answer(monkeypatch: pytest.MonkeyPatch, *rows: tuple[int, str, str, list[Any]]) -> None:
    """Let the broker answer with (error, text, topic, entries) for each topic, or not at all without any."""

    class Admin:
        async def __aenter__(self) -> "Admin":
            return self

        async def __aexit__(self, *_: object) -> None: ...

        async def ask(self, question: Any) -> Any:
            if not rows:
                raise FairwayError("No broker answers.")
            resources = [(error, text, 2, topic, entries) for error, text, topic, entries in rows]
            return [type("Response", (), {"resources": resources})]

    monkeypatch.setattr(module.clients, "admin", lambda settings: Admin())


def entry(size: int) -> list[Any]:
    return [("cleanup.policy", "delete", False), ("max.message.bytes", str(size), False)]


async def test_what_the_broker_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits({"a": 10, "b": 20}, Settings())
    answer(monkeypatch, (0, "", "a", entry(5_000)))
    await limits.ask()
    assert (limits.limit("a"), limits.limit("b")) == (5_000, 20)


@pytest.mark.parametrize(
    ("row", "why"), [((29, "not authorized", "a", []), "not authorized"), ((0, "", "a", []), "it is not told")]
)
async def test_what_the_broker_does_not_tell_is_believed_and_said(
    row: tuple[int, str, str, list[Any]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits({"a": 10_000}, Settings())
    answer(monkeypatch, row)
    with capture_logs() as logs:
        await limits.ask()
    assert limits.limit("a") == 10_000
    assert [log["event"] for log in logs] == [
        f"max.message.bytes of topic 'a' can't be read ({why}): it is taken to be 10000."
    ]


@pytest.mark.parametrize(("told", "believed"), [(6_000, 6_000), (10_000, 5_000), (20_000, 5_000), (None, 5_000)])
async def test_after_a_refusal_what_the_broker_says_now_counts_if_it_is_less_else_half(
    told: int | None, believed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits({"a": 10_000}, Settings())
    answer(monkeypatch, *([(0, "", "a", entry(told))] if told else []))
    await limits.learn("a")
    assert limits.limit("a") == believed


def test_a_record_s_size_is_that_of_all_its_parts() -> None:
    assert record_size(None, None, []) == record_size(b"", b"", [])
    headers: list[tuple[str, bytes | None]] = [("name", b"12345"), ("ü", None)]
    assert record_size(b"123", b"1234", headers) - record_size(None, None, []) >= 3 + 4 + 4 + 5 + 2

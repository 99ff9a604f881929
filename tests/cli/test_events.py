"""`publish` and the controls, as far as they need no broker."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli import app

EVENT = '{"eventId":"e","eventType":"a.b","tenantId":"t","customerId":"c","occurredAt":"2026-11-23T10:00Z"}'


def run(*words: object, given: str | None = None) -> Result:
    nowhere = {"FAIRWAY_BROKERS": "127.0.0.1:1", "FAIRWAY_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    return CliRunner().invoke(app, list(map(str, words)), env=nowhere, input=given)


def told(result: Result) -> str:
    assert result.exit_code == 1
    return str(result.exception)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tenantId: a\nsteps: []\n", "events are JSON objects, one a line, but line 1: The value is not JSON."),
        ('\n{"eventId": "e"}', "events are JSON objects, one a line, but line 2: "
         "The field 'tenantId' is required and must be a text of 1 to 100 characters without a colon or "
         "control characters."),
    ],
)  # fmt: skip
def test_a_file_without_any_event_is_told_before_kafka_is_asked(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text)
    assert told(run("publish", file)) == f"'{file}' holds none: {sentence}"


def test_a_file_of_nothing_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    assert run("publish", tmp_path / "empty.jsonl").output == "0 events published.\n"


def test_events_may_come_by_standard_input_with_a_mark_before_the_first() -> None:
    unknown = "No topic with role 'events' is named 'a.b'."
    assert told(run("publish", "-", given="\ufeff" + EVENT)) == (
        f"'-' holds none: events are JSON objects, one a line, but line 1: {unknown}"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["publish", "nowhere"], "'nowhere' can't be read: No such file or directory."),
        (["publish", "."], "'.' can't be read: Is a directory."),
        (["commands"], "No Kafka broker answers at '127.0.0.1:1': start one with 'fairway dev up', or set "
         "FAIRWAY_BROKERS."),
        (["topics", "plan"], "No Kafka broker answers at '127.0.0.1:1': start one with 'fairway dev up', or set "
         "FAIRWAY_BROKERS."),
    ],
)  # fmt: skip
def test_what_can_t_be_done_is_said_in_one_sentence(words: list[str], sentence: str) -> None:
    assert told(run(*words)) == sentence

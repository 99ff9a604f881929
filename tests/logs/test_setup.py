"""Every line of the log has time, level and name, whoever writes it, as text or as JSON."""

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from aiokafka.errors import KafkaConnectionError

from streams.logs.setup import set_up

Start = Callable[[str], tuple[logging.Handler, io.StringIO]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Set up the log as asked for; all is as it was after the test."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    stream = io.StringIO()
    yield lambda form: (set_up(form, stream=stream), stream)
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    structlog.configure(**before)


def fail(error: Exception) -> None:
    raise error


def write_all() -> None:
    """A line of each kind that is written in a worker's life."""
    structlog.get_logger("ours").warning("Partition %s waits: %s.", 3, "no broker", rows=7)
    try:
        fail(ValueError("one\ntwo"))
    except ValueError:
        structlog.get_logger("ours").exception("What we did not expect.")
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    try:
        fail(KafkaConnectionError("node 1\nis away"))
    except KafkaConnectionError:
        logging.getLogger("aiokafka.client").exception("Unable to update metadata from %s", [1])
    logging.getLogger("mode.services").warning("[^---Consumer]: Flag %r\nwas set twice", "x")
    logging.getLogger("faust.agents").error("[^---Agent*: streams.agents[.]hand_over]: Crashed")
    logging.getLogger("alembic.runtime").warning("No head")
    logging.getLogger("uvicorn.error").error("Invalid HTTP request received.")
    warnings.warn("old", DeprecationWarning, stacklevel=1)


@pytest.mark.filterwarnings("always")
def test_in_json_every_line_is_an_object_with_time_level_name_and_sentence(start: Start) -> None:
    handler, stream = start("json")
    write_all()
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
        assert list(line)[:3] == ["timestamp", "level", "event"]
        assert line["level"] in ("warning", "error")
        assert line["logger"]
    found: dict[str, Any] = {line["event"]: line for line in lines}
    assert found["Partition 3 waits: no broker."]["rows"] == 7
    assert "ValueError: one\ntwo" in found["What we did not expect."]["exception"]
    assert "ValueError: one\ntwo" in found["Task exception was never retrieved"]["exception"]
    away = found["Unable to update metadata from [1]"]
    assert (away["error"], "exception" in away) == ("KafkaConnectionError: node 1", False)
    assert found["Flag 'x' was set twice"]["logger"] == "mode.services"
    assert found["Crashed"]["logger"] == "faust.agents"
    assert {line["logger"] for line in lines} >= {"alembic.runtime", "uvicorn.error", "py.warnings"}


def test_as_text_every_line_begins_with_time_and_level(start: Start) -> None:
    handler, stream = start("text")
    structlog.get_logger("ours").warning("Partition %s waits.", 3, rows=7)
    logging.getLogger("aiokafka").error("Unable connect")
    handler.close()
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(r"\d{4}\S+Z \[warning *\] Partition 3 waits\. \[ours\] rows=7", first)
    assert re.fullmatch(r"\d{4}\S+Z \[error *\] Unable connect \[aiokafka\]", second)


def test_lines_that_differ_only_in_what_they_are_of_are_written_once_with_their_number(start: Start) -> None:
    handler, stream = start("json")
    for number in range(8):
        structlog.get_logger("ours").warning("Partition %s waits.", number)
        logging.getLogger("aiokafka").error("Unable connect to node with id %s", number)
    before = len(stream.getvalue().splitlines())
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (before, len(lines)) == (2, 4)
    assert [line.get("repeated") for line in lines] == [None, None, 7, 7]
    assert lines[2]["event"] == "Partition 7 waits."


@pytest.mark.parametrize(
    "name", ["aiokafka.conn", "aiokafka.producer.sender", "faust.app", "streams.worker.transport", "httpx"]
)
def test_what_libraries_tell_in_passing_is_not_written(start: Start, name: str) -> None:
    _, stream = start("text")
    logging.getLogger(name).info("[^Consumer]: Starting...")
    logging.getLogger(name).debug("a fetch")
    assert stream.getvalue() == ""


def test_lines_that_a_library_wrote_out_are_of_one_kind_whatever_object_they_name(start: Start) -> None:
    handler, stream = start("json")
    for number in range(20):
        text = f"Task was destroyed: <Task name='Task-{number}' at {hex(id([number]))}>"
        logging.getLogger("asyncio").error(text)
    logging.getLogger("asyncio").error("Another thing")
    handler.close()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("repeated", 1) for line in lines] == [1, 1, 19]

"""Every line of the log, ours and that of each library, with time, level and name, as text or as JSON."""

import logging
import re
import sys
import threading
from asyncio import CancelledError
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from streams.clock import steady
from streams.logs.repeats import MINUTE, Repeats

_LEVELS = {
    "": logging.INFO,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    # Faust's and mode's services of ours write by our modules' names when they start and stop.
    "streams.worker.faust_app": logging.WARNING,
    "streams.worker.transport": logging.WARNING,
    "asyncio": logging.WARNING,
    "uvicorn": logging.WARNING,
    "alembic": logging.WARNING,
    "httpx": logging.WARNING,
    # It warns several times a second of retries that are part of every transaction's end.
    "aiokafka.producer.sender": logging.ERROR,
}
_KIND = "_kind"
_PARTICULAR = re.compile(r"0x[0-9a-f]+|\d+")  # what differs between lines of a library's that it wrote out before
_SERVICE = re.compile(r"^\[\^-*.*?\](: ?| |$)")  # how Faust names the service that writes a line; agents have "[.]"

_add_level = structlog.stdlib.add_log_level
_format_arguments = structlog.stdlib.PositionalArgumentsFormatter()


def set_up(form: str, *, aiokafka: int = logging.WARNING, stream: TextIO | None = None) -> logging.Handler:
    """Write the log to stderr, or to another stream, as 'text' or 'json', from now on.

    aiokafka's debug records cost 17 % of the CPU, so it has a level of its own.
    """
    for name, level in (_LEVELS | {"aiokafka": aiokafka}).items():
        logging.getLogger(name).setLevel(level)
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(_make_formatter(form, handler.stream))
    logging.getLogger().handlers[:] = [handler]
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            _note_kind,
            _add_level,
            _format_arguments,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return handler


def _make_formatter(form: str, stream: TextIO) -> logging.Formatter:
    shown: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if form == "text":
        plain = structlog.dev.plain_traceback
        shown = [structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=plain, pad_event_to=0)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[_add_level, _shorten], processors=[_add_facts, *shown]
    )


def _note_kind(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep the sentence as it is in the code, and the error of now, for the line may be written later.

    Lines that differ only in what they are of, a partition or an error's text, are of one kind.
    """
    if event.get("exc_info") is True:
        event["exc_info"] = sys.exc_info()
    event[_KIND] = event["event"]
    return event


def _shorten(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Tell a library's line without its service's name, and an outage in a word in place of its traceback."""
    event["event"] = " ".join(_SERVICE.sub("", str(event["event"])).split())
    error = (event.get("exc_info") or (None, None))[1]
    if error is not None and _is_outage(error):
        del event["exc_info"]
        name, text = type(error).__name__, str(error).partition("\n")[0]
        event["error"] = text if text.startswith(name) else f"{name}: {text}"
    return event


def _is_outage(error: BaseException) -> bool:
    from aiokafka.errors import KafkaError

    return isinstance(error, KafkaError | OSError | CancelledError)


def _add_facts(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put in front what every line has, and behind how many lines this one stands for."""
    record: logging.LogRecord = event.pop("_record")
    del event["_from_structlog"]
    event.pop(_KIND, None)
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    facts: EventDict = {"timestamp": at, "level": event.pop("level"), "event": event.pop("event")}
    repeated: int = getattr(record, "repeated", 0)
    told = {"repeated": repeated} if repeated else {}
    return {**facts, **event, **told, "logger": record.name}


class _Handler(logging.StreamHandler[TextIO]):
    """Writes each kind of line once a minute; what was held back is counted on the last line of its kind."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._repeats = Repeats[logging.LogRecord]()
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or hold it back."""
        self._write_due()
        if self._repeats.admit(_kind_of(record), record, steady()):
            super().emit(record)
        else:
            self._come_back()

    def close(self) -> None:
        """Write what was held back, for no more will come."""
        self.acquire()
        try:
            self._write_due(minute=0)
        finally:
            self.release()
        super().close()

    def _come_back(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(MINUTE, self._tick)
            self._timer.daemon = True
            self._timer.start()

    def _tick(self) -> None:
        self.acquire()
        try:
            self._timer = None
            self._write_due()
            if self._repeats.is_holding:
                self._come_back()
        finally:
            self.release()

    def _write_due(self, minute: float = MINUTE) -> None:
        for record, count in self._repeats.due(steady(), minute=minute):
            record.repeated = count
            super().emit(record)


def _kind_of(record: logging.LogRecord) -> Any:
    what: Any = record.msg
    sentence = what.get(_KIND) if isinstance(what, dict) else _PARTICULAR.sub("", str(what))
    return record.name, record.levelno, sentence

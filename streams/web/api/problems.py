"""How the API says that something is wrong (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import Request

from streams.database import UNREACHABLE, is_outage
from streams.journeys.authoring import ConflictError
from streams.journeys.stored import UnknownError
from streams.web.queries.cursors import BadCursorError

KNOWN = (
    HTTPException, RequestValidationError, ConflictError, UnknownError, BadCursorError, KafkaError, *UNREACHABLE,
)  # fmt: skip
"""The errors that `explain` has an answer for."""

_TITLES = {409: "Conflict", 413: "Content too large", 422: "Invalid", 503: "Unavailable"}


async def explain(_: Request, error: Exception) -> JSONResponse:
    """Return the answer to a request that failed with one of the known errors; raises any other."""
    match error:
        case HTTPException():
            return problem(error.status_code, str(error.detail), error.headers)
        case RequestValidationError():
            errors = [{"where": ".".join(map(str, each["loc"])), "text": each["msg"]} for each in error.errors()]
            return problem(422, "The request is not as /openapi.json describes it.", errors=errors)
        case ConflictError():
            return problem(409, str(error))
        case UnknownError():
            return problem(404, str(error))
        case BadCursorError():
            return problem(400, str(error))
        case KafkaError():
            return _explain_kafka(error)
        case _ if is_outage(error):
            return problem(503, "Postgres can't be reached for now.", {"retry-after": "5"})
        case _ if isinstance(error, UNREACHABLE):
            return problem(422, "The request holds a value that can't be kept or looked for.")
        case _:
            raise error


def _explain_kafka(error: KafkaError) -> JSONResponse:
    if isinstance(error, MessageSizeTooLargeError):
        return problem(413, "What was sent is larger than its topic on Kafka takes.")
    if isinstance(error, UnknownTopicOrPartitionError):
        return problem(503, "A topic of Fairway's is missing on Kafka: run 'fairway topics apply'.")
    return problem(503, "Kafka can't be reached for now.", {"retry-after": "5"})


def problem(code: int, detail: str, headers: Any = None, **more: Any) -> JSONResponse:
    """Return a problem as RFC 9457 has it."""
    title = _TITLES.get(code) or HTTPStatus(code).phrase.capitalize()
    content = {"type": "about:blank", "title": title, "status": code, "detail": detail, **more}
    return JSONResponse(content, code, headers, media_type="application/problem+json")

"""How pages say that something is wrong."""

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from streams.database import UNREACHABLE, is_outage
from streams.errors import FairwayError
from streams.web.pages.rendering import render

KNOWN = (HTTPException, FairwayError, KafkaError, *UNREACHABLE)
"""The errors that `explain` has a page for."""

_TITLES = {
    400: "Something is missing", 401: "Who are you?", 403: "Not allowed", 404: "Not found",
    409: "That does not fit", 413: "Too large",
}  # fmt: skip
_AWAY = "{} can't be reached from this worker for now. Journeys go on without these pages; reload in a while."


async def explain(request: Request, error: Exception) -> Response:
    """Return the page for a request that failed with one of the known errors; raises any other."""
    match error:
        case HTTPException():
            response = _show(request, error.status_code, error.detail)
            response.headers.update(error.headers or {})
            return response
        case FairwayError():
            return _show(request, 400, str(error))
        case MessageSizeTooLargeError():
            return _show(request, 413, "What was sent is larger than its topic on Kafka takes.")
        case UnknownTopicOrPartitionError():
            return _show(
                request, 503, "A topic of Fairway's is missing on Kafka: run 'fairway topics apply'.", "Not at hand"
            )
        case KafkaError():
            return _show(request, 503, _AWAY.format("Kafka"), "Not at hand")
        case _ if is_outage(error):
            return _show(request, 503, _AWAY.format("Postgres"), "Not at hand")
        case _ if isinstance(error, UNREACHABLE):
            return _show(request, 400, "The address holds a value that can't be looked for.")
        case _:
            raise error


def _show(request: Request, code: int, text: str, title: str = "") -> Response:
    title = title or _TITLES.get(code, "That did not work")
    return render(request, "trouble.html", code, title=title, text=text)

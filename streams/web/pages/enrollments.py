"""The enrolments behind a number of a journey: by status, by the step they are in, or by what became of a step."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.journey import Journey
from streams.web.pages.addresses import newest, older
from streams.web.pages.journey import find
from streams.web.pages.rendering import render
from streams.web.queries import history, journeys
from streams.web.sources.sources import reading

_PASSED = {"ENTERED": "entered", "COMPLETED": "done", "SKIPPED": "skipped", "FAILED": "not done: it failed"}


async def show(request: Request) -> Response:
    """List enrolments of a journey, newest first."""
    given = request.query_params
    status, step, ended = (given.get(name, "") for name in ("status", "step", "ended"))
    async with reading(request) as reader:
        row, cursor = await find(request, reader), given.get("before") or None
        if step and ended:
            page = await history.list_step_visitors(reader, row, step, ended, cursor=cursor)
        else:
            wanted = history.Filter(status or None, step or None)
            page = await history.list_enrollments(reader, row, wanted, cursor=cursor)
        latest = await journeys.read_version(reader, row["id"], row["version"])
        step_names = await journeys.name_steps(reader, [row["id"]])
    return render(
        request, "enrollments.html", row=row, rows=page.rows, status=status, step=step, ended=ended,
        older=older(request, page.next), newest=newest(request), statuses=history.STATUSES,
        steps=_step_ids(latest, step), step_names=step_names,
        title=_title(status, step_names.get((row["id"], step), step), ended),
        nobody="Choose another filter, or wait: people come and go." if not (step and ended and page.next)
        else f"None of {history.LOOKED_THROUGH:,} enrolments that were looked through; older ones may be so.",
    )  # fmt: skip


def _step_ids(journey: Journey | None, chosen: str) -> list[str]:
    ids = [step.id for step in journey.steps] if journey else []
    return ids if not chosen or chosen in ids else [*ids, chosen]


def _title(status: str, step: str, ended: str) -> str:
    if step and ended:
        return f"Enrolments whose step '{step}' was {_PASSED.get(ended, 'seen')}"
    where = f" in step '{step}' now" if step else ""
    return f"{status.capitalize() or 'All'} enrolments{where}"


ROUTES = [Route("/journeys/{journey:uuid}/enrollments", show)]

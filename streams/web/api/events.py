"""Publish an event, for trying out."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body
from starlette.exceptions import HTTPException

from streams.control.publishing import BadLine, read_events, send
from streams.web.api.parameters import Acting, By, From, tenant_for
from streams.web.api.shapes import Published

router = APIRouter(tags=["events"])


@router.post("/events", status_code=202, dependencies=[Acting])
async def publish_event(sources: From, visitor: By, event: Annotated[dict[str, Any], Body()]) -> Published:
    """Put an event on the topic that its eventType names."""
    topics = frozenset(sources.broker.topics.events)
    try:
        value = msgspec.json.encode(event)
    except (UnicodeEncodeError, OverflowError, RecursionError):
        raise HTTPException(422, "The event can't be written as UTF-8 JSON.") from None
    (line,) = read_events([value], topics, None)
    if isinstance(line, BadLine):
        raise HTTPException(422, line.reason)
    tenant_for(visitor, str(event["tenantId"]))
    await send(sources.settings, [line])
    return Published(topic=line.topic)
